"""Access rules: step 7 of the order in which a request is checked (contract sections 4 and 8)."""

import hmac
import ipaddress
from dataclasses import dataclass

from .problems import Problem
from .request import BasicCredentials, RequestHead
from .tokens import ALLOWS, SAFE_METHODS, Token, digest_of

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_CHALLENGE = (("WWW-Authenticate", 'Bearer realm="wireproof", Basic realm="wireproof", charset="UTF-8"'),)


@dataclass(frozen=True, slots=True)
class AccessRules:
    """`allowed_hosts` has names as clients write them in Host, without ports, in lower case.

    Without `tokens` none is required. Pages of the `cors_origins` may use the routes that are shared.
    `local_address` is the address of this machine that the connection arrived at, if it is known.
    """

    allowed_hosts: frozenset[str] = LOOPBACK_HOSTS
    tokens: tuple[Token, ...] = ()
    cors_origins: frozenset[str] = frozenset()
    local_address: str | None = None

    def check_access(
        self,
        head: RequestHead,
        *,
        private: bool,
        needs_token: bool,
        uploads: bool = False,
        shared: bool = False,
    ) -> None:
        """Check a request by its head alone, before the body is read.

        `private` marks a route whose response another site could read through a victim's browser. On such a
        route, and in every request that a browser made, Host must be an allowed name or the local address:
        this stops DNS rebinding (H172), where Host is a name of the attacker's. `uploads` marks a route that
        takes uploads, `shared` one that pages of the `cors_origins` may use. Raises Problem
        `misdirected_host`, `forbidden_origin`, `token_required` or `forbidden_token`, in this order.
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
        permitted = shared and self.permitted_origin(head) is not None
        if head.method not in SAFE_METHODS and not permitted and not _same_origin(head):
            field = "origin" if head.field("sec-fetch-site") is None else "sec-fetch-site"
            raise Problem("forbidden_origin", "a page of another origin sent this request", field=field)
        # A preflight has no credentials (Fetch 4.8), and its response says only what the route is.
        if needs_token and self.tokens and not (shared and self.is_permitted_preflight(head)):
            self._check_token(head, uploads=uploads)

    def _check_token(self, head: RequestHead, *, uploads: bool) -> None:
        token = self._token_of(head)
        if token is None:
            what = "send it as Bearer token or as Basic password"
            raise Problem("token_required", what, headers=_CHALLENGE, field="authorization")
        if not token.allows(head.method, uploads=uploads):
            what = f"the token {token.name!r} allows {ALLOWS[token.scope]}"
            raise Problem("forbidden_token", what, field="authorization")

    def token_name(self, head: RequestHead) -> str | None:
        """The name of the token that was sent, or None if none is required or it is not one of ours."""
        token = self._token_of(head) if self.tokens else None
        return None if token is None else token.name

    def _token_of(self, head: RequestHead) -> Token | None:
        auth = head.auth
        if isinstance(auth, BasicCredentials):
            given = digest_of(auth.password)
        elif auth is not None and auth.scheme == "bearer":
            given = digest_of(auth.credentials)
        else:
            return None
        found = None
        # The time taken depends on no token: hashes are compared, and always all of them (H170).
        for token in self.tokens:
            if hmac.compare_digest(given, token.digest):
                found = token
        return found

    def permitted_origin(self, head: RequestHead) -> str | None:
        """The origin of the page that sent the request, if it is exactly one of the `cors_origins`."""
        origin = head.field("origin")
        return origin if origin in self.cors_origins else None

    def is_permitted_preflight(self, head: RequestHead) -> bool:
        """Whether a browser asks on behalf of such a page what it may send (Fetch section 4.8)."""
        return (
            head.method == "OPTIONS"
            and head.field("access-control-request-method") is not None
            and self.permitted_origin(head) is not None
        )

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
