"""The route table: paths and methods (rules R38, R39, S4, W7; contract section 2)."""

import pytest

from servers.contract.exchange import Exchange
from servers.contract.problems import Problem
from servers.contract.responses import Response
from servers.contract.route import CLOSED_PREFIXES, METHODS
from servers.routes import ROUTES, TABLE
from servers.sansio.parsers import SansIoParsers
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from tests.contract.heads import head
from tests.refusals import refusal_code

_SHA256 = "0" * 64
_GET, _POST, _UPLOAD = "GET, HEAD, OPTIONS", "OPTIONS, POST", "OPTIONS, POST, PUT"
_NAMED = {
    "/upload/": ("upload", _UPLOAD),
    "/upload": ("upload", _UPLOAD),
    "/upload/a.txt": ("put_file", "OPTIONS, PUT"),
    "/upload/..": ("put_file", "OPTIONS, PUT"),
    "/upload/a%2Fb": ("put_file", "OPTIONS, PUT"),
    "/resumable/": ("create_resumable", _POST),
    "/resumable": ("create_resumable", _POST),
    "/resumable/x": ("append_resumable", "DELETE, GET, HEAD, OPTIONS, PATCH"),
    f"/files/{_SHA256}": ("files", _GET),
    "/files/anything": ("files", _GET),
    f"/files/{_SHA256}/a.txt": ("files", _GET),
    "/files/a/..": ("files", _GET),
    "/files/a/b%2Fc": ("files", _GET),
    "/problems/not_found": ("problems", _GET),
    "/healthz": ("healthz", _GET),
    "/metrics": ("metrics", _GET),
    "/stream_echo": ("stream_echo", _POST),
    "/v1/chat/completions": ("chat", _POST),
    "/v1/models": ("models", _GET),
    "/v1/models/echo": ("model", _GET),
    "/v1/models/a%2Fb": ("model", _GET),
    "/ui": ("page", _GET),
    "/ui/": ("page_files", _GET),
    "/ui/a-b.min.js": ("page_files", _GET),
    "/ui/server": ("server_state", _GET),
    "/ui/rules": ("rules", _GET),
    "/requests/": ("requests", _GET),
    "/requests/events": ("request_events", _GET),
    "/requests/12": ("request", _GET),
    "/requests/12/spans": ("request_spans", _GET),
    "/requests/12.http": ("request_bytes", _GET),
    "/requests/12.body": ("request_body", _GET),
    "/requests/12.har": ("request_har", _GET),
    "/ui/send": ("send", _POST),
    "/ui/cases": ("cases", _GET),
    "/requests/1/replay": ("replay", _POST),
}
# Without it, a request for an upload is one of the IETF's draft.
_TUS = {"tus-resumable": "1.0.0"}
_VERSION, _LAST, _FIRST = "upload-draft-interop-version", {"upload-complete": "?1"}, {"upload-complete": "?0"}
_PNG = {"content-type": "image/png"}
_DRAFT: list[tuple[str, str, dict[str, str], str]] = [
    ("POST", "/upload/", {_VERSION: "8"} | _FIRST, "begin_upload"),
    ("PUT", "/upload", {_VERSION: "8"} | _FIRST, "begin_upload"),
    ("POST", "/upload/", {_VERSION: "9"} | _LAST | _PNG, "begin_upload"),
    ("PUT", "/upload/a", {_VERSION: "8"} | _LAST, "begin_named_upload"),
    ("PUT", "/upload/a", {_VERSION: "8"} | _FIRST, "begin_named_upload"),
    ("HEAD", "/resumable/x", {}, "continue_upload"),
    ("PATCH", "/resumable/x", {"content-type": "application/partial-upload"}, "continue_upload"),
    ("DELETE", "/resumable/x", {}, "continue_upload"),
    # These are not of the draft.
    ("POST", "/upload/", {_VERSION: "8"} | _LAST, "upload"),
    ("POST", "/upload/", {_VERSION: "7"} | _FIRST, "upload"),
    ("POST", "/upload/", dict(_FIRST), "upload"),
    ("POST", "/upload/", {_VERSION: "8"} | _LAST | {"content-type": "text/csv"}, "upload"),
    ("PUT", "/upload/a", {_VERSION: "8"} | _LAST | {"content-digest": "x"}, "put_file"),
    ("PUT", "/upload/a", {_VERSION: "8"}, "put_file"),
    ("PATCH", "/resumable/x", {"content-type": "application/offset+octet-stream"}, "append_resumable"),
    ("GET", "/resumable/x", {}, "append_resumable"),
]
_ECHOED = [
    "/",
    "*",
    "/a/b",
    "/uploads",
    "/upload%2F",
    "/UPLOAD/",
    "/files",
    "/problems",
    "/healthz/",
    "/metrics/",
    "/v1",
    "/requests",
    "/uix",
    "/\n",
]
_NOT_FOUND = [
    "/upload/a/b",
    "/upload//",
    "/files/",
    "/files/a/",
    "/files//a",
    "/files/a/b/c",
    "/problems/",
    "/requests/x",
    "/requests/1/",
    "/requests/1234567890123456",
    "/ui/a",
    "/ui/a/b.js",
    "/ui/../a.js",
    "/ui/sends",
    "/ui/send/",
    "/v1/",
    "/v1/models/",
    "/v1/models/a/b",
]


def _code_of(method: str, path: str) -> Problem:
    with pytest.raises(Problem) as raised:
        TABLE.find(head(method, path))
    return raised.value


def test_every_route_is_under_test() -> None:
    found = {name for name, _ in _NAMED.values()} | {name for *_, name in _DRAFT}
    assert {route.name for route in ROUTES} == found | {"echo", "home"}
    assert len({route.name for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("path", _NAMED)
def test_a_named_route_lists_its_methods_in_allow(path: str) -> None:
    """S4: Allow is sorted, GET implies HEAD, and every route has OPTIONS."""
    name, allow = _NAMED[path]
    for method in METHODS:
        if method in allow.split(", "):
            assert TABLE.find(head(method, path, fields=_TUS)).name == name
        else:
            problem = _code_of(method, path)
            assert (problem.code, problem.headers) == ("method_not_allowed", (("Allow", allow),))


@pytest.mark.parametrize(("method", "path", "fields", "name"), _DRAFT)
def test_the_fields_of_the_draft_decide_the_route(
    method: str, path: str, fields: dict[str, str], name: str
) -> None:
    assert TABLE.find(head(method, path, fields=fields)).name == name


@pytest.mark.parametrize("path", _ECHOED)
def test_any_other_path_is_an_echo_for_every_method(path: str) -> None:
    assert [TABLE.find(head(method, path)).name for method in METHODS] == ["echo"] * len(METHODS)


@pytest.mark.parametrize("path", _NOT_FOUND)
def test_a_closed_prefix_has_no_echo_below_it(path: str) -> None:
    assert path.startswith(CLOSED_PREFIXES)
    assert [_code_of(method, path).code for method in METHODS] == ["not_found"] * len(METHODS)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW", "get", "Post", "GETT", "!#$"])
@pytest.mark.parametrize("path", ["/", "/upload/", "/files/", "/v1/none"])
def test_any_other_method_is_not_implemented_on_every_path(method: str, path: str) -> None:
    """R38, R39: 501 goes before 404 and 405."""
    assert _code_of(method, path).code == "method_not_implemented"


def _options(path: str, *, method: str = "OPTIONS", token: str | None = None) -> Response:
    context = Settings(token=token).context(MemoryStore())
    return Exchange(head(method, path), TABLE, SansIoParsers(), context).finish()


@pytest.mark.parametrize("path", _NAMED)
def test_w7_options_on_a_named_route_is_204_with_allow_and_without_a_body(path: str) -> None:
    """RFC 9110 8.6: a 204 has no Content-Length. There is no body, so there is no Content-Type."""
    response = _options(path)
    assert (response.status, response.body, response.content_length) == (204, b"", None)
    further = {"Accept-Patch", "Upload-Limit"} if path.startswith("/upload") else set()
    if path.startswith("/resumable"):
        further = {"Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm"}
    fields = dict(response.headers)
    assert {name: value for name, value in fields.items() if name not in further} == {
        "Allow": _NAMED[path][1],
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Wireproof-Contract": "1",
    }
    assert further <= fields.keys()


@pytest.mark.parametrize("method", METHODS)
def test_w7_an_echo_of_options_alone_has_allow(method: str) -> None:
    response = _options("/a", method=method)
    allow = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT" if method == "OPTIONS" else None
    assert (response.status, dict(response.headers).get("Allow")) == (200, allow)


def test_w7_options_needs_a_token_where_the_route_needs_one() -> None:
    """Step 7 of the order of judgement comes before the response."""
    for path in ("/upload/", "/files/x", "/v1/models", "/a"):
        assert refusal_code(_options, path, token="secret") == "token_required"
    assert _options("/healthz", token="secret").status == 204
