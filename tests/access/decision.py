"""Who may do what, written from contract sections 2, 4 and 8 and not from the code that is under test."""

from __future__ import annotations

import base64
import itertools
from dataclasses import dataclass
from typing import NamedTuple

TOKENS = SINGLE, UPLOAD, READ = "single-0123456789", "upload-0123456789", "read-only-0123456789"
TOKEN_FILE = f"# NAME SCOPE TOKEN\nci upload {UPLOAD}\nbackup read {READ}\n"
PAGE = "https://app.example"
STORED = b"hello"
STORED_SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


@dataclass(frozen=True)
class _Route:
    """What section 2 and section 8 say of a path."""

    methods: frozenset[str]
    private: bool = False
    open: bool = False
    uploads: bool = False
    shared: bool = False
    echo: bool = False


_ALL = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_GET = frozenset({"GET", "HEAD", "OPTIONS"})
_PATHS: dict[str, _Route | None] = {
    "/upload/": _Route(frozenset({"POST", "PUT", "OPTIONS"}), uploads=True, shared=True),
    "/upload/a.txt": _Route(frozenset({"PUT", "OPTIONS"}), uploads=True, shared=True),
    f"/files/{STORED_SHA256}": _Route(_GET, private=True, shared=True),
    "/problems/not_found": _Route(_GET, open=True, shared=True),
    "/healthz": _Route(_GET, open=True),
    "/v1/models": _Route(_GET),
    "/page": _Route(_ALL, echo=True),
    "/v1/none": None,
}
_OUR_HOSTS = ("localhost:8000", "LOCALHOST", "127.0.0.1")
_HOSTS = (*_OUR_HOSTS, "evil.example", "localhost.evil.example")
_OWN = "of this host"
_ORIGINS = (None, _OWN, PAGE, "https://evil.example", "null", f"{PAGE}:8443")
_SITES = (None, "same-origin", "none", "same-site", "cross-site")
# How it is sent, its name in the log, and what it allows.
_TOKENS: dict[str | None, tuple[str, str] | None] = {
    None: None,
    "Bearer wrong": None,
    f"Bearer {SINGLE}": ("token", "full"),
    f"bearer {UPLOAD}": ("ci", "upload"),
    f"Bearer {READ}": ("backup", "read"),
    "Basic " + base64.b64encode(f"anyone:{UPLOAD}".encode()).decode(): ("ci", "upload"),
    "Basic " + base64.b64encode(f"{SINGLE}:wrong".encode()).decode(): None,
}
_PREFLIGHT = "preflight"
_METHODS = (*sorted(_ALL), _PREFLIGHT)


class Case(NamedTuple):
    """One request. `origin` may be a name for the origin of its own host, `asks` for a preflight."""

    host: str
    origin: str | None
    site: str | None
    authorization: str | None
    asks: str
    path: str

    @property
    def method(self) -> str:
        return "OPTIONS" if self.asks == _PREFLIGHT else self.asks

    @property
    def fields(self) -> dict[str, str]:
        """The header fields by name, in lower case, without Host."""
        origin = f"http://{self.host}" if self.origin == _OWN else self.origin
        fields = {"origin": origin, "sec-fetch-site": self.site, "authorization": self.authorization}
        if self.asks == _PREFLIGHT:
            fields["access-control-request-method"] = "POST"
        return {name: value for name, value in fields.items() if value is not None}


class Decision(NamedTuple):
    """The status, the code of the problem, the origin that may read it, and the token's name in the log."""

    status: int
    code: str | None
    readable_by: str | None
    varies: bool
    token: str | None


CASES = tuple(map(Case._make, itertools.product(_HOSTS, _ORIGINS, _SITES, _TOKENS, _METHODS, _PATHS)))


def decide(case: Case) -> Decision:
    """What the specification says about the case."""
    route = _PATHS[case.path]
    known = _TOKENS[case.authorization]
    status, code = _judge(case, route)
    shared = route is not None and route.shared
    readable_by = PAGE if shared and case.origin == PAGE else None
    return Decision(status, code, readable_by, shared, known and known[0])


def _judge(case: Case, route: _Route | None) -> tuple[int, str | None]:
    if route is None:
        return 404, "not_found"
    if case.method not in route.methods:
        return 405, "method_not_allowed"
    from_browser = case.origin is not None or case.site is not None
    if (route.private or from_browser) and case.host not in _OUR_HOSTS:
        return 421, "misdirected_host"
    permitted = route.shared and case.origin == PAGE
    if case.method in ("POST", "PUT", "PATCH", "DELETE") and not permitted and not _is_same_origin(case):
        return 403, "forbidden_origin"
    if not route.open and not (permitted and case.asks == _PREFLIGHT):
        known = _TOKENS[case.authorization]
        if known is None:
            return 401, "token_required"
        if not _allows(known[1], case.method, route):
            return 403, "forbidden_token"
    return (204 if case.method == "OPTIONS" and not route.echo else 200), None


def _is_same_origin(case: Case) -> bool:
    if case.site is not None:
        return case.site in ("same-origin", "none")
    return case.origin in (None, _OWN)


def _allows(scope: str, method: str, route: _Route) -> bool:
    match scope:
        case "full":
            return True
        case "read":
            return method in ("GET", "HEAD", "OPTIONS")
        case "upload":
            return route.uploads
    raise AssertionError(scope)
