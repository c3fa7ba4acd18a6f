"""Access rules: step 7 of the order in which a request is checked (contract sections 4 and 8)."""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass

from .problems import Problem
from .request import BasicCredentials, RequestHead

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_CHALLENGE = (("WWW-Authenticate", 'Bearer realm="wireproof", Basic realm="wireproof", charset="UTF-8"'),)


@dataclass(frozen=True, slots=True)
class AccessRules:
    """`allowed_hosts` has names as clients write them in Host, without ports, in lower case.

    `token` is None if none is required. `local_address` is the address of this machine that the connection
    arrived at, if it is known.
    """

    allowed_hosts: frozenset[str] = LOOPBACK_HOSTS
    token: str | None = None
    local_address: str | None = None

    def check_access(self, head: RequestHead, *, private: bool, needs_token: bool) -> None:
        """Check a request by its head alone, before the body is read.

        `private` marks a route whose response another site could read through a victim's browser. On such a
        route, and in every request that a browser made, Host must be an allowed name or the local address:
        this stops DNS rebinding (H172), where Host is a name of the attacker's. Raises Problem
        `misdirected_host`, `forbidden_origin` or `token_required`, in this order.
        """
        if head.https_target:
            what = "an https target on a plain connection (RFC 9110 7.4)"
            raise Problem("misdirected_host", what, rule="R2", field="target")
        if (private or _from_browser(head)) and not self._is_ours(_host_name(head)):
            raise Problem(
                "misdirected_host",
                f"{head.host!a} is not a name of this server; --hosts or WIREPROOF_HOSTS adds names",
                rule=None,  # section 8 of the contract says it, and no rule
                field="host",
            )
        if head.method not in _SAFE_METHODS and not _same_origin(head):
            field = "origin" if head.field("sec-fetch-site") is None else "sec-fetch-site"
            raise Problem("forbidden_origin", "a page of another origin sent this request", field=field)
        if needs_token and self.token is not None and not _has_token(head, self.token):
            what = "send it as Bearer token or as Basic password"
            raise Problem("token_required", what, headers=_CHALLENGE, field="authorization")

    def _is_ours(self, host: str) -> bool:
        if host in self.allowed_hosts:
            return True
        # Only an address counts, because an attacker chooses names, not what an address stands for.
        return self.local_address is not None and host == host_of_address(self.local_address)


def host_of_address(text: str) -> str | None:
    """An IP address as clients write it in Host (RFC 3986 3.2.2, RFC 5952), or None for any other text.

    IPv6 is in brackets and without a zone; an address that is mapped from IPv4 is written as IPv4.
    """
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or f"[{address}]")
    return str(address)


def _from_browser(head: RequestHead) -> bool:
    return head.field("origin") is not None or head.field("sec-fetch-site") is not None


def _host_name(head: RequestHead) -> str:
    host = (head.host or "").lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _same_origin(head: RequestHead) -> bool:
    """Decide by Sec-Fetch-Site if it was sent, else by Origin. A script sends neither and passes (H173)."""
    site = head.field("sec-fetch-site")
    if site is not None:
        return site.lower() in ("same-origin", "none")
    origin = head.field("origin")
    return origin is None or origin.lower() in _origins_of((head.host or "").lower())


def _origins_of(host: str) -> tuple[str, str]:
    return f"http://{host}", f"https://{host}"


def _has_token(head: RequestHead, token: str) -> bool:
    auth = head.auth
    if auth is None:
        return False
    if isinstance(auth, BasicCredentials):
        return _equal(auth.password, token)
    return auth.scheme == "bearer" and _equal(auth.credentials, token)


def _equal(given: str, token: str) -> bool:
    # Hashing makes both sides equally long, so that the time taken does not depend on the token (H170).
    given_digest = hashlib.sha256(given.encode("utf-8", "surrogatepass")).digest()
    return hmac.compare_digest(given_digest, hashlib.sha256(token.encode()).digest())
