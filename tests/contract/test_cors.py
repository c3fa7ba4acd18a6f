"""Pages of other origins: what a response permits (contract section 8; Fetch section 3.2)."""

import hashlib
import itertools

import pytest

from servers.contract.cors import MAX_AGE, with_permission
from servers.contract.exchange import Exchange
from servers.contract.problems import Problem
from servers.contract.responses import Response, problem_response
from servers.routes import ROUTES, TABLE
from servers.sansio.parsers import SansIoParsers
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from tests.contract.heads import head

_PAGE = "https://app.example"
_SHA256 = hashlib.sha256(b"x").hexdigest()
_FILE = f"/files/{_SHA256}"
_OTHERS = (
    *("https://evil.example", "null", "", "https://app.example.evil", "http://app.example", "*"),
    *("https://app.example:444", "https://app.example/", "HTTPS://app.example"),
    *(f"{_PAGE},{_PAGE}", f"{_PAGE}, https://evil.example"),
)
_SHARED = ("/upload/", "/upload", "/upload/a.txt", _FILE, f"{_FILE}/a.txt", "/problems/not_found")
_NEVER = (
    *("/ui/", "/ui/send", "/ui/x.js", "/requests/", "/requests/1", "/requests/1/replay", "/requests", "/ui"),
    *("/", "/page", "/healthz", "/metrics", "/stream_echo", "/v1/models", "/v1/chat/completions", "*"),
)


def _fields(
    method: str = "GET",
    path: str = _FILE,
    origin: str | None = _PAGE,
    *,
    fields: dict[str, str] | None = None,
    settings: Settings | None = None,
) -> tuple[int, str | None, dict[str, str]]:
    """The status, the code and the fields of the response, as each backend sends it."""
    store = MemoryStore()
    store.add({_SHA256: b"x"})
    context = (settings or Settings(cors_origin=(_PAGE, "http://localhost:3000"))).context(store)
    given = dict(fields or {}) | ({} if origin is None else {"origin": origin})
    request_head = head(method, path, fields=given)
    try:
        response = Exchange(request_head, TABLE, SansIoParsers(), context).finish()
    except Problem as problem:
        response = problem_response(problem, head=request_head)
    sent = with_permission(response, request_head, context, TABLE)
    sent.close()
    assert len({name.lower() for name, _ in sent.headers}) == len(sent.headers), "no field is there twice"
    return sent.status, sent.code, dict(sent.headers)


def _permissions(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name.startswith("Access-Control-")}


def _preflight(
    method: str = "POST", path: str = "/upload/", origin: str = _PAGE, settings: Settings | None = None
) -> tuple[int, str | None, dict[str, str]]:
    asks = {
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type",
        "access-control-request-private-network": "true",
    }
    return _fields("OPTIONS", path, origin, fields=asks, settings=settings)


@pytest.mark.parametrize("path", [*_SHARED, *_NEVER])
def test_without_the_setting_no_response_has_a_field_of_cors(path: str) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        for origin in (None, _PAGE, *_OTHERS):
            _, _, fields = _fields(method, path, origin, settings=Settings())
            assert not _permissions(fields)
            assert fields.get("Vary") != "Origin"
    assert not _permissions(_preflight(path=path, settings=Settings())[2])


@pytest.mark.parametrize(("path", "method"), [*itertools.product(_NEVER, ("GET", "POST", "PUT", "OPTIONS"))])
def test_other_routes_are_for_no_page_of_another_origin(path: str, method: str) -> None:
    status, code, fields = _fields(method, path)
    assert not _permissions(fields)
    assert fields.get("Vary") != "Origin"
    if method in ("POST", "PUT"):
        assert (status, code) in ((403, "forbidden_origin"), (404, "not_found"), (405, "method_not_allowed"))
    assert not _permissions(_preflight(path=path)[2])


_RESUMABLE = (
    *("create_resumable", "append_resumable"),
    *("begin_upload", "begin_named_upload", "continue_upload"),
)


def test_no_route_of_the_page_and_of_the_history_is_shared() -> None:
    assert {route.name for route in ROUTES if route.shared} == {
        *("upload", "put_file", "files", "problems", *_RESUMABLE)
    }
    assert not any(route.shared and route.path.startswith(("/ui", "/requests")) for route in ROUTES)
    assert {route.name for route in ROUTES if route.uploads} == {*("upload", "put_file", "send", *_RESUMABLE)}


@pytest.mark.parametrize("origin", _OTHERS)
def test_a_page_of_any_other_origin_gets_no_permission(origin: str) -> None:
    for method, path in (("GET", _FILE), ("POST", "/upload/"), ("OPTIONS", "/upload/")):
        status, code, fields = _fields(method, path, origin)
        assert not _permissions(fields)
        assert fields["Vary"] == "Origin", "a cache must not give this response to another page"
        if method == "POST":
            assert (status, code) == (403, "forbidden_origin")
    assert not _permissions(_preflight(origin=origin)[2])
    assert _fields("GET", _FILE, origin)[2]["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_permitted_page_may_upload_and_read_the_response() -> None:
    for origin in (_PAGE, "http://localhost:3000"):
        status, _, fields = _fields("POST", "/upload/", origin, fields={"sec-fetch-site": "cross-site"})
        assert (status, fields["Access-Control-Allow-Origin"], fields["Vary"]) == (200, origin, "Origin")
        assert "Access-Control-Allow-Credentials" not in fields


def test_a_permitted_page_may_read_stored_files_and_what_was_wrong() -> None:
    status, _, fields = _fields()
    assert (status, fields["Access-Control-Allow-Origin"]) == (200, _PAGE)
    assert fields["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "ETag" in fields["Access-Control-Expose-Headers"]
    status, _, fields = _fields(fields={"if-none-match": "*"})
    assert (status, fields["Access-Control-Allow-Origin"], fields["Vary"]) == (304, _PAGE, "Origin")
    for status, code, fields in (
        _fields("POST", "/upload/", fields={"content-type": "a"}),
        _fields("DELETE", "/upload/"),
        _fields("GET", "/files/none"),
        _fields("POST", "/upload/", settings=Settings(cors_origin=(_PAGE,), token="t")),
    ):
        assert code is not None
        assert status >= 400
        assert fields["Access-Control-Allow-Origin"] == _PAGE


@pytest.mark.parametrize("path", _SHARED)
def test_a_preflight_is_answered_without_a_token(path: str) -> None:
    """Fetch section 4.8: a preflight has no credentials."""
    for settings in (None, Settings(cors_origin=(_PAGE,), token="t")):
        status, _, fields = _preflight(path=path, settings=settings)
        assert status == 204
        assert _permissions(fields) == {
            "Access-Control-Allow-Origin": _PAGE,
            "Access-Control-Allow-Methods": fields["Allow"],
            "Access-Control-Allow-Headers": "Authorization, Cache-Control, Content-Digest, Content-Type,"
            " If-Match, If-None-Match, If-Range, Range, Repr-Digest, Tus-Resumable, Upload-Checksum,"
            " Upload-Complete, Upload-Defer-Length, Upload-Draft-Interop-Version, Upload-Length,"
            " Upload-Metadata, Upload-Offset, Want-Repr-Digest, X-HTTP-Method-Override, X-Request-ID,"
            " X-Requested-With",
            "Access-Control-Max-Age": str(MAX_AGE),
        }
        assert fields["Vary"] == "Origin"


def test_only_a_preflight_of_a_permitted_page_needs_no_token() -> None:
    settings = Settings(cors_origin=(_PAGE,), token="t")
    assert _fields("OPTIONS", "/upload/", settings=settings)[1] == "token_required"
    assert _preflight(origin="https://evil.example", settings=settings)[1] == "token_required"
    asks = {"access-control-request-method": "GET"}
    assert _fields("GET", _FILE, fields=asks, settings=settings)[1] == "token_required"
    assert _fields("POST", "/upload/", fields=asks, settings=settings)[1] == "token_required"
    assert _preflight(path="/page", settings=settings)[1] == "token_required"


def test_a_permitted_page_must_know_a_name_of_the_server() -> None:
    """A permission is no way round the check of Host (H172)."""
    request_head = head("POST", "/upload/", host="evil.example", fields={"origin": _PAGE})
    context = Settings(cors_origin=(_PAGE,)).context(MemoryStore())
    with pytest.raises(Problem) as raised:
        Exchange(request_head, TABLE, SansIoParsers(), context)
    assert raised.value.code == "misdirected_host"


def test_a_response_is_not_copied_where_nothing_is_permitted() -> None:
    response = Response(200, ())
    context = Settings().context(MemoryStore())
    assert with_permission(response, head("GET", _FILE), context, TABLE) is response
