"""The body builders of all kinds (contract section 3; rules B44, C7 to C12, J1, U7, U15)."""

import dataclasses
import hashlib

import pytest

from servers.contract.body import BodyBuilder, OpaqueBuilder, body_builder, is_coded
from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.request import MediaType, ParsedBody
from servers.contract.request_files import RequestFiles
from servers.sansio.parsers import SansIoParsers
from servers.storage.memory import MemoryStore
from tests.contract.heads import head
from tests.refusals import refusal_code
from tests.sansio.splits import bytewise, two_way

_PARSERS = SansIoParsers()
_LIMITS = dataclasses.replace(Limits(), max_json=20, max_form=20, max_text=20, max_parts=3)
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data; boundary=b"


def _builder(
    content_type: str | None,
    coding: str | None = None,
    limits: Limits = _LIMITS,
) -> BodyBuilder:
    fields = {"content-type": content_type, "content-encoding": coding}
    media_type: MediaType | None = _PARSERS.content_type(content_type) if content_type else None
    return body_builder(
        head(fields={name: value for name, value in fields.items() if value is not None}),
        media_type,
        _PARSERS,
        RequestFiles(None),
        limits,
    )


def _read(
    content_type: str | None, data: bytes, coding: str | None = None, limits: Limits = _LIMITS
) -> ParsedBody:
    """The body; it must be the same for every split (M89)."""
    bodies = []
    for pieces in ([data], bytewise(data), *two_way(data)):
        builder = _builder(content_type, coding, limits)
        for piece in pieces:
            builder.feed(memoryview(piece))
        builder.end()
        bodies.append(builder.body())
    assert all(body == bodies[0] for body in bodies)
    return bodies[0]


def _code_of(content_type: str | None, data: bytes, coding: str | None = None) -> str:
    splits = ([data], bytewise(data), *two_way(data))
    (code,) = {refusal_code(_feed_all, content_type, coding, pieces) for pieces in splits}
    return code


def _feed_all(content_type: str | None, coding: str | None, pieces: list[bytes]) -> None:
    builder = _builder(content_type, coding)
    for piece in pieces:
        builder.feed(piece)
    builder.end()


@pytest.mark.parametrize(
    ("content_type", "data", "kind", "text"),
    [
        pytest.param(None, "\u00e9\u20ac".encode(), "text", "\u00e9\u20ac", id="C7"),
        pytest.param("", b"a", "text", "a", id="C7: an empty type is none"),
        pytest.param(None, b"a\0b", "bytes", None, id="C7: NUL"),
        pytest.param(None, b"a\xff", "bytes", None, id="C7: not UTF-8"),
        pytest.param(None, b"a\xe2\x82", "bytes", None, id="C7: an incomplete sequence"),
        pytest.param(None, b"\xed\xa0\x80", "bytes", None, id="C7: a surrogate"),
        pytest.param("text/json", b"{}", "text", "{}", id="C9"),
        pytest.param("application/x-json", b"{}", "bytes", None, id="C9: x-json"),
        pytest.param("application/json-seq", b"{}", "bytes", None, id="C9: json-seq"),
        pytest.param("text/plain", b"a\0", "text", "a\0", id="C12: NUL in text is text"),
        pytest.param("text/plain", b"\xff", "bytes", None, id="C12: undeclared"),
        pytest.param("text/plain; charset=utf-8", "\u20ac".encode(), "text", "\u20ac", id="C12: UTF-8"),
        pytest.param('text/plain; charset="UTF-8"', b"a", "text", "a", id="C12: quoted, upper case"),
        pytest.param("text/plain; charset=us-ascii", b"a", "text", "a", id="C12: ASCII"),
        pytest.param("text/plain; charset=ISO-8859-1", b"\xe9\x80", "text", "\xe9\x80", id="C12: ISO-8859-1"),
        pytest.param("text/plain; charset=koi8-r", b"a", "bytes", None, id="C12: another"),
        pytest.param("text/plain; charset=latin-1", b"a", "bytes", None, id="C12: not a word of the list"),
        pytest.param("text/plain; charset=UTF8", b"\xc3\xa9", "text", "\u00e9", id="C12: utf8"),
        pytest.param("text/plain; charset=l1", b"\xe9", "text", "\u00e9", id="C12: l1"),
        pytest.param("image/png", b"a", "bytes", None, id="any other type"),
        pytest.param("multipart/mixed; boundary=b", b"a", "bytes", None, id="M12"),
        pytest.param(
            "text/plain; charset=utf-8", b"x" * 20, "text", "x" * 20, id="the longest text that is shown"
        ),
        pytest.param("text/plain; charset=utf-8", b"x" * 21, "text", None, id="a longer one"),
        pytest.param(None, b"x" * 20, "text", "x" * 20, id="the longest without a type"),
        pytest.param(None, b"x" * 21, "text", None, id="a longer one without a type"),
        pytest.param(None, b"x" * 30 + b"\xff", "bytes", None, id="the whole body decides"),
        pytest.param(None, b"x" * 30 + b"\0", "bytes", None, id="a NUL far from the start"),
    ],
)
def test_text_and_bytes(content_type: str | None, data: bytes, kind: str, text: str | None) -> None:
    body = _read(content_type, data)
    assert (body.kind, body.text) == (kind, text)
    assert (body.size, body.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert body.files == ()


@pytest.mark.parametrize(
    ("content_type", "data", "value"),
    [
        pytest.param("application/json", b"null", None, id="J2"),
        pytest.param("application/vnd.api+json", b"[1]", [1], id="C8"),
        pytest.param("application/json; charset=utf-16", b'"\xc3\xa9"', "\u00e9", id="C10"),
        pytest.param("application/json", b" " * 18 + b"12", 12, id="the limit"),
    ],
)
def test_json(content_type: str, data: bytes, value: object) -> None:
    body = _read(content_type, data)
    assert (body.kind, body.json, body.size, body.text) == ("json", value, len(data), None)
    assert body.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("content_type", "data", "pairs"),
    [
        pytest.param(_FORM, b"b=1&a=%C3%A9&b", [("b", "1"), ("a", "\u00e9"), ("b", "")], id="U6"),
        pytest.param(_FORM + "; charset=ISO-8859-1", b"a=%e9", [("a", "\xe9")], id="C11"),
        pytest.param(_FORM + "; charset=koi8-r", b"a=%c3%a9", [("a", "\u00e9")], id="C11: UTF-8 otherwise"),
        pytest.param(_FORM, b"&&&&&&&&&a&&", [("a", "")], id="U3: index counts the pairs that are kept"),
    ],
)
def test_urlencoded(content_type: str, data: bytes, pairs: list[tuple[str, str]]) -> None:
    body = _read(content_type, data)
    assert [(field.index, field.name, field.value) for field in body.form] == [
        (index, *pair) for index, pair in enumerate(pairs)
    ]
    assert (body.kind, body.size, body.sha256) == ("form", len(data), hashlib.sha256(data).hexdigest())


def test_multipart() -> None:
    data = b"--b\r\nContent-Disposition: form-data; name=a; filename=f\r\n\r\nv\r\n--b--"
    body = _read(_MULTIPART, data)
    assert (body.kind, body.size, body.sha256) == ("multipart", len(data), None)
    assert [(file.filename, file.size) for file in body.files] == [("f", 1)]


@pytest.mark.parametrize(
    ("content_type", "data", "code"),
    [
        pytest.param("application/json", b" ", "json_invalid", id="J1"),
        pytest.param("application/json", b"1" * 21, "body_too_large", id="JSON over its limit"),
        pytest.param("application/json", b'{"a":1,"a":2}', "json_duplicate_key", id="J5"),
        pytest.param(_FORM, b"a=" + b"x" * 19, "body_too_large", id="U15: the body"),
        pytest.param(_FORM, b"a&b&c&d", "too_many_parts", id="U15: the pairs"),
        pytest.param(_FORM, b"a=%ff", "form_not_utf8", id="U7"),
        pytest.param(_FORM, b"\xff", "form_not_utf8", id="U9"),
        pytest.param("text/plain; charset=utf-8", b"a\xff", "text_encoding", id="C12"),
        pytest.param(
            "text/plain; charset=utf-8", b"a\xe2\x82", "text_encoding", id="C12: an incomplete sequence"
        ),
        pytest.param(
            "text/plain; charset=us-ascii", b"x" * 30 + b"\xe9", "text_encoding", id="C12: far from the start"
        ),
        pytest.param(_MULTIPART, b"x", "multipart_preamble", id="M23"),
    ],
)
def test_a_malformed_body_is_refused_alike_for_every_split(content_type: str, data: bytes, code: str) -> None:
    assert _code_of(content_type, data) == code


@pytest.mark.parametrize(
    ("coding", "coded"),
    [
        (None, False), ("", False), ("identity", False), ("IDENTITY , identity", False), (",", False),
        ("gzip", True), ("identity, gzip", True), ("x", True), ("identity;q=1", True),
    ],
)  # fmt: skip
def test_whether_a_body_is_coded(coding: str | None, coded: bool) -> None:
    """B44."""
    assert is_coded(head(fields={} if coding is None else {"content-encoding": coding})) == coded


@pytest.mark.parametrize("content_type", [None, "application/json", _FORM, "text/plain; charset=utf-8"])
def test_a_coded_body_is_bytes_whatever_its_type(content_type: str | None) -> None:
    """B44: it is not decoded, so neither the syntax nor the limit of its kind applies."""
    body = _read(content_type, b"\x1f\x8b" * 20, "gzip")
    assert (body.kind, body.size) == ("bytes", 40)
    assert _read(content_type, b"1", "identity").kind != "bytes"


def test_a_coded_form_is_refused_with_accept_encoding() -> None:
    """B44: this is checked before the boundary."""
    for content_type in (_MULTIPART, "multipart/form-data"):
        with pytest.raises(Problem) as raised:
            _builder(content_type, "gzip")
        assert raised.value.code == "unsupported_content_encoding"
        assert raised.value.headers == (("Accept-Encoding", "identity"),)


@pytest.mark.parametrize(
    ("content_type", "code"),
    [("multipart/form-data", "boundary_missing"), ('multipart/form-data; boundary="a "', "boundary_invalid")],
)
def test_a_boundary_is_checked_before_the_first_byte(content_type: str, code: str) -> None:
    """Step 9 of contract section 4; M3, M5."""
    assert refusal_code(_builder, content_type) == code


@pytest.mark.parametrize(
    ("content_type", "data", "stored"),
    [
        pytest.param("image/png", b"x", True, id="bytes"),
        pytest.param(None, b"\xff", True, id="bytes without a type"),
        pytest.param("text/plain", b"\xff", True, id="text that does not decode"),
        pytest.param(None, b"text", False, id="text without a type"),
        pytest.param("text/plain", b"text", False, id="text"),
        pytest.param("text/plain; charset=utf-8", b"text", False, id="declared text"),
        pytest.param("application/json", b"1", False, id="JSON"),
        pytest.param(_FORM, b"a", False, id="a form"),
    ],
)
def test_a_route_that_stores_keeps_bytes_as_one_file_without_a_name(
    content_type: str | None, data: bytes, stored: bool
) -> None:
    store = MemoryStore()
    fields = {} if content_type is None else {"content-type": content_type}
    media_type = _PARSERS.content_type(content_type) if content_type else None
    stored_files = RequestFiles(store)
    builder = body_builder(head(fields=fields), media_type, _PARSERS, stored_files, Limits())
    builder.feed(data)
    builder.end()
    stored_files.write()
    body = builder.body()
    stored_files.publish()
    sha256 = hashlib.sha256(data).hexdigest()
    assert list(store.names()) == ([sha256] if stored else [])
    files = [
        (file.index, file.name, file.filename, file.content_type, file.sha256, file.stored)
        for file in body.files
    ]
    assert files == ([(0, None, None, content_type, sha256, True)] if stored else [])


def test_a_raw_file_has_the_given_name() -> None:
    stored_files = RequestFiles(MemoryStore())
    builder = OpaqueBuilder(head(fields={"content-type": ""}), None, stored_files, filename="a b")
    builder.end()
    stored_files.write()
    body = builder.body()
    (file,) = body.files
    assert (body.kind, body.size, file.filename, file.content_type) == ("bytes", 0, "a b", None)
