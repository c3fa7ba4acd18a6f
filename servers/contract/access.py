"""Access rules: step 7 of the order in which a request is checked (contract sections 4 and 8)."""

import hashlib
import hmac
from dataclasses import dataclass

from .problems import Problem
from .request import BasicCredentials, RequestHead

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_CHALLENGE = (("WWW-Authenticate", 'Bearer realm="wireproof", Basic realm="wireproof", charset="UTF-8"'),)


@dataclass(frozen=True, slots=True)
class AccessRules:
    """`allowed_hosts` has names in lower case, without ports. `token` is None if none is required."""

    allowed_hosts: frozenset[str] = LOOPBACK_HOSTS
    token: str | None = None

    def check_access(self, head: RequestHead, *, private: bool, needs_token: bool) -> None:
        """Check a request by its head alone, before the body is read.

        `private` marks a route whose response another site could read through a victim's browser. On such a
        route, and in every request that a browser made, Host must be an allowed name: this stops DNS
        rebinding (H172). Raises Problem `misdirected_host`, `forbidden_origin` or `token_required`, in this
        order.
        """
        if head.https_target:
            raise Problem("misdirected_host", "an https target on a plain connection (RFC 9110 7.4)")
        if (private or _from_browser(head)) and _host_name(head) not in self.allowed_hosts:
            raise Problem("misdirected_host", f"the host {head.host!a} is not an allowed host of this server")
        if head.method not in _SAFE_METHODS and not _same_origin(head):
            raise Problem("forbidden_origin", "a page of another origin sent this request")
        if needs_token and self.token is not None and not _has_token(head, self.token):
            raise Problem(
                "token_required", "send it as Bearer token or as Basic password", headers=_CHALLENGE
            )


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
