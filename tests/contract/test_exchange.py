"""Exchange: checks on the head, the body, the response, and undoing the upload on every failure."""

import dataclasses
import errno
import hashlib
import json
from typing import Any

import pytest

from servers.contract.exchange import Exchange
from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.request import RequestHead
from servers.contract.responses import Response
from servers.contract.route import Context
from servers.routes import TABLE
from servers.sansio.parsers import SansIoParsers
from servers.settings import Settings
from servers.storage.base import Store
from tests.contract.heads import head
from tests.refusals import refusal_code
from tests.routes.faulty_store import FaultyStore

_PARSERS = SansIoParsers()
_PART = b'--b\r\nContent-Disposition: form-data; name=a; filename="f"\r\n\r\n%b\r\n'
_FORM_BODY = _PART % b"first" + _PART % b"second" + b"--b--"
_FORM_TYPE = {"content-type": "multipart/form-data; boundary=b"}


def _upload(
    path: str = "/upload/", fields: dict[str, str] | None = None, method: str = "POST"
) -> RequestHead:
    return head(method, path, fields=fields, chunked=True)


# Requests to routes that store, with their bodies and the bytes of each file that they store.
_LONG_TEXT = b"t" * (Limits().max_text + 1)
_STORING = {
    "a form of two files": (_upload(fields=_FORM_TYPE), _FORM_BODY, [b"first", b"second"]),
    "a body of bytes": (_upload(fields={"content-type": "image/png"}), b"image", [b"image"]),
    "an untyped body that is not text": (_upload(), b"abc\xff", [b"abc\xff"]),
    "a raw file": (_upload("/upload/f", method="PUT"), b"raw", [b"raw"]),
    "an empty raw file": (_upload("/upload/f", method="PUT"), b"", [b""]),
    "a text that the result does not have": (_upload(), _LONG_TEXT, [_LONG_TEXT]),
}


def _context(store: Store, limits: Limits | None = None, **settings: Any) -> Context:
    return Settings(limits=limits or Limits(), **settings).context(store)


def _respond(
    request_head: RequestHead, body: bytes, store: Store, *, pieces: int = 2, limits: Limits | None = None
) -> Response:
    exchange = Exchange(request_head, TABLE, _PARSERS, _context(store, limits))
    size = max(len(body) // pieces, 1)
    for start in range(0, len(body), size):
        exchange.feed(body[start : start + size])
    return exchange.finish()


def _code_of(request_head: RequestHead, body: bytes = b"", **more: Any) -> str:
    return refusal_code(_respond, request_head, body, FaultyStore(), **more)


def _described(response: Response) -> dict[str, Any]:
    assert isinstance(response.body, bytes)
    described = json.loads(response.body)
    assert isinstance(described, dict)
    return described


@pytest.mark.parametrize("content_type", [None, "text/plain", "text/plain; charset=utf-8"])
def test_a_text_that_the_result_has_is_not_stored(content_type: str | None) -> None:
    fields = {} if content_type is None else {"content-type": content_type}
    store = FaultyStore()
    described = _described(_respond(_upload(fields=fields), b"text", store))
    assert (described["text"], described["files"], list(store.names())) == ("text", [], [])


@pytest.mark.parametrize("name", _STORING)
def test_files_are_stored_before_the_response(name: str) -> None:
    request_head, body, files = _STORING[name]
    store = FaultyStore()
    response = _respond(request_head, body, store)
    assert response.status == 200
    assert set(store.names()) == {hashlib.sha256(file).hexdigest() for file in files}
    assert [entry["href"] for entry in _described(response)["files"]] == [
        f"/files/{hashlib.sha256(file).hexdigest()}" for file in files
    ]
    assert store.steps[-1] == "publish"


@pytest.mark.parametrize("name", _STORING)
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "full"), "insufficient_storage"),
        (OSError(errno.EDQUOT, "quota"), "insufficient_storage"),
        (OSError(errno.EFBIG, "too big"), "insufficient_storage"),
        (OSError(errno.EIO, "broken"), "store_unavailable"),
        (OSError(errno.EACCES, "denied"), "store_unavailable"),
        (OSError(errno.EMFILE, "descriptors"), "store_unavailable"),
        (OSError("no errno at all"), "store_unavailable"),
    ],
)
def test_a_failure_in_any_step_of_the_store_leaves_nothing(name: str, error: OSError, code: str) -> None:
    """507 if the store is full, 503 for any other error (contract section 4)."""
    request_head, body, _ = _STORING[name]
    whole = FaultyStore()
    _respond(request_head, body, whole)
    assert len(whole.steps) >= 4
    for number, step in enumerate(whole.steps):
        store = FaultyStore(number, error)
        with pytest.raises(Problem) as raised:
            _respond(request_head, body, store)
        assert raised.value.code == code, step
        assert raised.value.__cause__ is error
        assert list(store.names()) == [], step
        assert store.aborts >= (step != "begin"), step
        assert store.steps == whole.steps[: number + 1], "the store was used after it had failed"


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt(), MemoryError()])
def test_any_other_exception_undoes_the_upload_and_is_raised_unchanged(error: BaseException) -> None:
    request_head, body, _ = _STORING["a form of two files"]
    store = FaultyStore(5, error)
    with pytest.raises(type(error)) as raised:
        _respond(request_head, body, store)
    assert raised.value is error
    assert (store.aborts, list(store.names())) == (1, [])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(_PART % b"first" + b"--b\r\n\r\n", id="a malformed part"),
        pytest.param(_PART % b"first" + _PART % b"cut"[:-2], id="no close delimiter"),
        pytest.param(_FORM_BODY + b"--b", id="an epilogue"),
    ],
)
def test_a_problem_after_the_first_file_undoes_it(body: bytes) -> None:
    store = FaultyStore()
    with pytest.raises(Problem):
        _respond(_upload(fields=_FORM_TYPE), body, store)
    assert (store.aborts, list(store.names())) == (1, [])


@pytest.mark.parametrize("name", _STORING)
def test_an_event_loop_uses_the_store_only_in_threads(name: str) -> None:
    """`hold` and `end` do not use it, and `respond` says before whether it waits."""
    request_head, body, files = _STORING[name]
    store = FaultyStore()
    exchange = Exchange(request_head, TABLE, _PARSERS, _context(store))
    for start in range(0, len(body), 7):
        exchange.hold(body[start : start + 7])
    exchange.end()
    assert (store.steps, exchange.has_begun, exchange.waits) == ([], False, True)
    assert exchange.unwritten == sum(map(len, files))
    assert exchange.respond().status == 200
    assert set(store.names()) == {hashlib.sha256(file).hexdigest() for file in files}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"a": 1}'),
        ("application/x-www-form-urlencoded", b"a=1"),
        ("text/plain", b"text"),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--",
        ),
    ],
)
def test_what_stores_no_file_does_not_wait(content_type: str, body: bytes) -> None:
    store = FaultyStore()
    exchange = Exchange(_upload(fields={"content-type": content_type}), TABLE, _PARSERS, _context(store))
    exchange.hold(body)
    exchange.end()
    assert not exchange.waits
    assert exchange.respond().status == 200
    assert store.steps == []


def test_a_refusal_while_bytes_are_held_does_not_use_the_store() -> None:
    store = FaultyStore()
    exchange = Exchange(_upload(fields=_FORM_TYPE), TABLE, _PARSERS, _context(store))
    assert refusal_code(exchange.hold, _PART % b"first" + b"--b\r\n\r\n") == "part_headers_missing"
    assert not exchange.has_begun
    assert (exchange.refuse(Problem("part_headers_missing", "x")).status, store.steps, store.aborts) == (
        400,
        [],
        0,
    )


@pytest.mark.parametrize(
    ("method", "path", "waits"),
    [
        ("GET", "/healthz", True),
        ("OPTIONS", "/healthz", False),
        ("GET", "/files/x", True),
        ("GET", "/metrics", True),
        ("GET", "/", False),
    ],
)
def test_which_routes_wait_for_the_disk(method: str, path: str, waits: bool) -> None:
    exchange = Exchange(head(method, path), TABLE, _PARSERS, _context(FaultyStore()))
    exchange.end()
    assert exchange.waits == waits


def test_an_upload_is_undone_when_the_client_disconnects() -> None:
    store = FaultyStore()
    exchange = Exchange(_upload(fields=_FORM_TYPE), TABLE, _PARSERS, _context(store))
    exchange.abort()
    exchange.feed(_FORM_BODY[:80])
    assert exchange.has_begun
    exchange.abort()
    exchange.abort()
    assert (exchange.has_begun, store.aborts, list(store.names())) == (False, 1, [])


def test_a_refusal_undoes_the_upload() -> None:
    store = FaultyStore()
    exchange = Exchange(_upload(fields=_FORM_TYPE), TABLE, _PARSERS, _context(store))
    exchange.feed(_FORM_BODY[:80])
    response = exchange.refuse(Problem("request_timeout", "too slow"))
    assert (response.status, response.head_only, store.aborts) == (408, False, 1)


def test_an_echo_stores_nothing() -> None:
    for request_head, body, _ in _STORING.values():
        store = FaultyStore()
        echo = dataclasses.replace(request_head, path="/echo", method="POST")
        response = _respond(echo, body, store)
        assert store.steps == []
        assert all(entry["href"] is None for entry in _described(response)["files"])


@pytest.mark.parametrize("content_type", [None, "application/json", "multipart/form-data", "text/plain"])
def test_a_body_without_bytes_has_no_kind(content_type: str | None) -> None:
    """B12, J1: then a multipart type needs no boundary. The result still shows the type."""
    fields = {} if content_type is None else {"content-type": content_type}
    for request_head in (
        head(fields=fields, content_length=0),
        head(fields=fields, chunked=True),
        head(fields=fields),
    ):
        described = _described(_respond(request_head, b"", FaultyStore()))["body"]
        assert (described["kind"], described["media_type"], described["size"]) == ("none", content_type, 0)


_SMALL = dataclasses.replace(Limits(), max_body=10)
_BAD_TYPE = {"content-type": "text"}
_NO_BOUNDARY = {"content-type": "multipart/form-data"}
_PARTIAL = {"content-range": "bytes 0-4/10"}


@pytest.mark.parametrize(
    ("request_head", "code"),
    [
        pytest.param(
            head("BREW", "/files/x", https_target=True), "method_not_implemented", id="6: 501 first"
        ),
        pytest.param(head("POST", "/files/x/y/z", https_target=True), "not_found", id="6: then 404"),
        pytest.param(head("POST", "/files/x", https_target=True), "method_not_allowed", id="6: then 405"),
        pytest.param(
            head(https_target=True, content_length=11, fields=_BAD_TYPE), "misdirected_host", id="7 before 8"
        ),
        pytest.param(head(content_length=11, fields=_BAD_TYPE), "body_too_large", id="8 before 9"),
        pytest.param(
            head(content_length=0, fields=_BAD_TYPE), "content_type_syntax", id="9: without a body too"
        ),
        pytest.param(
            head("PUT", "/upload/f", content_length=11, fields=_PARTIAL),
            "body_too_large",
            id="8 before 9: the size before Content-Range",
        ),
        pytest.param(
            head("PUT", "/upload/f", content_length=5, fields={**_PARTIAL, **_BAD_TYPE}),
            "partial_put",
            id="9: Content-Range before Content-Type",
        ),
        pytest.param(
            head("PUT", "/upload/f", content_length=5, fields={**_NO_BOUNDARY, "content-encoding": "gzip"}),
            "unsupported_media_type",
            id="9: the media type before the coding and the boundary",
        ),
        pytest.param(
            head(content_length=5, fields=_NO_BOUNDARY), "boundary_missing", id="9: before the body"
        ),
        pytest.param(
            head(content_length=5, fields={**_NO_BOUNDARY, "content-encoding": "gzip"}),
            "unsupported_content_encoding",
            id="9: the coding before the boundary",
        ),
    ],
)
def test_the_order_of_the_checks_on_the_head(request_head: RequestHead, code: str) -> None:
    """Contract section 4, steps 6 to 9: they need no byte of the body."""
    assert refusal_code(Exchange, request_head, TABLE, _PARSERS, _context(FaultyStore(), _SMALL)) == code


@pytest.mark.parametrize("path", ["/upload", "/upload/", "/upload/f"])
@pytest.mark.parametrize("value", ["bytes 0-3/10", "bytes 6-9/10", "bytes 0-9/10", "bytes */10", "x", ""])
@pytest.mark.parametrize("framing", [{"chunked": True}, {"content_length": 4}, {"content_length": 0}, {}])
def test_w1_a_put_of_a_part_stores_nothing(path: str, value: str, framing: dict[str, Any]) -> None:
    """RFC 9110 14.5. The store is not touched: the head alone decides."""
    store = FaultyStore()
    request_head = head("PUT", path, fields={"content-range": value}, **framing)
    assert refusal_code(Exchange, request_head, TABLE, _PARSERS, _context(store)) == "partial_put"
    assert store.steps == []


@pytest.mark.parametrize(
    ("method", "path", "files"),
    [("POST", "/upload/", 1), ("POST", "/a", 0), ("PUT", "/a", 0), ("OPTIONS", "/upload/f", None)],
)
def test_w1_where_nothing_is_put_content_range_means_nothing(
    method: str, path: str, files: int | None
) -> None:
    """RFC 9110 14.4: a method for which it is not defined ignores it."""
    store = FaultyStore()
    fields = {**_PARTIAL, "content-type": "image/png"}
    response = _respond(head(method, path, fields=fields, chunked=True), b"part", store)
    assert response.status == (204 if files is None else 200)
    assert len(list(store.names())) == (files or 0)


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=b", "Multipart/Form-Data"])
@pytest.mark.parametrize("framing", [{"chunked": True}, {"content_length": 4}, {"content_length": 0}, {}])
def test_w2_a_form_is_not_stored_as_a_file(content_type: str, framing: dict[str, Any]) -> None:
    """With or without bytes: the type says that the body is not the file."""
    store = FaultyStore()
    request_head = head("PUT", "/upload/f", fields={"content-type": content_type}, **framing)
    assert refusal_code(Exchange, request_head, TABLE, _PARSERS, _context(store)) == "unsupported_media_type"
    assert store.steps == []


def test_w7_options_stores_nothing() -> None:
    for request_head, body, _ in _STORING.values():
        store = FaultyStore()
        response = _respond(dataclasses.replace(request_head, method="OPTIONS"), body, store)
        assert (response.status, store.steps) == (204, [])


def test_a_token_is_required_except_on_open_routes() -> None:
    context = _context(FaultyStore(), token="secret")
    assert refusal_code(Exchange, head("GET", "/"), TABLE, _PARSERS, context) == "token_required"
    for path in ("/healthz", "/problems/not_found"):
        assert Exchange(head("GET", path), TABLE, _PARSERS, context).finish().status == 200


@pytest.mark.parametrize("size", [10, 11])
def test_the_limit_counts_the_bytes_that_arrive(size: int) -> None:
    """B42, B43: the first byte over the limit is refused, whatever the size of the pieces."""
    request_head = head(chunked=True)
    for pieces in (1, 3, 11):
        if size == 10:
            assert (
                _respond(request_head, b"x" * size, FaultyStore(), pieces=pieces, limits=_SMALL).status == 200
            )
        else:
            assert _code_of(request_head, b"x" * size, pieces=pieces, limits=_SMALL) == "body_too_large"


def test_the_boundary_of_a_chunked_body_is_checked_at_its_first_byte() -> None:
    exchange = Exchange(head(chunked=True, fields=_NO_BOUNDARY), TABLE, _PARSERS, _context(FaultyStore()))
    exchange.feed(b"")
    assert refusal_code(exchange.feed, b"x") == "boundary_missing"


def test_a_raw_file_is_bytes_whatever_its_type() -> None:
    """Contract section 2: the name is the last segment, fully decoded."""
    request_head = dataclasses.replace(
        _upload("/upload/a%2Fb", {"content-type": "application/json"}, "PUT"), last_segment="a/b"
    )
    described = _described(_respond(request_head, b"{not json", FaultyStore()))
    (file,) = described["files"]
    assert (described["body"]["kind"], described["body"]["media_type"]) == ("bytes", "application/json")
    assert (file["index"], file["name"], file["filename"], file["content_type"]) == (
        0,
        None,
        "a/b",
        "application/json",
    )


def test_head_gets_the_length_of_its_own_description() -> None:
    """S1."""
    response = _respond(head("HEAD", "/a"), b"", FaultyStore())
    described = _described(response)
    assert isinstance(response.body, bytes)
    assert (response.head_only, described["method"]) == (True, "HEAD")
    assert response.content_length == len(response.body)
