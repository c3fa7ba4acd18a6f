"""`/files/{sha256}`: the whole file, one range, or 304 (RFC 9110 13 and 14; rule S6)."""

import base64
import hashlib

import pytest

from servers.contract.problems import Problem
from servers.contract.request import ParsedBody, ParsedRequest
from servers.contract.responses import FileSlice, Response
from servers.routes.files import send_file
from servers.settings import Settings
from servers.storage.memory import MemoryFile, MemoryStore
from tests.contract.heads import head
from tests.refusals import refusal_code

_CONTENT = b"0123456789"
_SHA256 = hashlib.sha256(_CONTENT).hexdigest()
_EMPTY = hashlib.sha256(b"").hexdigest()
_ETAG = f'"{_SHA256}"'


class _Store(MemoryStore):
    """Counts the files that are open."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[MemoryFile] = []
        self.add({_SHA256: _CONTENT, _EMPTY: b""})

    def open(self, sha256: str) -> MemoryFile | None:
        file = super().open(sha256)
        if file is not None:
            self.opened.append(file)
        return file

    def still_open(self) -> int:
        return sum(_is_open(file) for file in self.opened)


def _is_open(file: MemoryFile) -> bool:
    try:
        file.read(0, 0)
    except ValueError:
        return False
    return True


def _get(fields: dict[str, str] | None = None, *, method: str = "GET", sha256: str = _SHA256) -> Response:
    store = _Store()
    request = ParsedRequest(head(method, f"/files/{sha256}", fields=fields), ParsedBody())
    try:
        response = send_file(request, Settings().context(store))
    except Problem:
        assert store.still_open() == 0, "a refusal left the file open"
        raise
    assert store.still_open() == (response.status != 304)
    response.close()
    assert store.still_open() == 0
    return response


def _content(fields: dict[str, str] | None = None, sha256: str = _SHA256) -> tuple[int, bytes, str | None]:
    store = _Store()
    response = send_file(
        ParsedRequest(head("GET", f"/files/{sha256}", fields=fields), ParsedBody()),
        Settings().context(store),
    )
    assert isinstance(response.body, FileSlice)
    data = b"".join(response.body.blocks())
    assert response.content_length == len(data)
    return response.status, data, dict(response.headers).get("Content-Range")


def test_a_browser_saves_a_file_and_never_runs_it() -> None:
    response = _get()
    digest = base64.b64encode(hashlib.sha256(_CONTENT).digest()).decode()
    assert response.status == 200
    assert dict(response.headers) == {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": "attachment",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "ETag": _ETAG,
        "Cache-Control": "private, max-age=31536000, immutable",
        "Accept-Ranges": "bytes",
        "Repr-Digest": f"sha-256=:{digest}:",
        "Wireproof-Contract": "1",
    }
    assert _content() == (200, _CONTENT, None)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ("bytes=0-0", b"0"),
        ("bytes=0-", _CONTENT),
        ("bytes=3-5", b"345"),
        ("bytes=9-9", b"9"),
        ("bytes=5-99", b"56789"),
        ("bytes=-3", b"789"),
        ("bytes=-10", _CONTENT),
        ("bytes=-99", _CONTENT),
        ("bytes=00-01", b"01"),
        ("BYTES=1-2", b"12"),
        ("bytes= 1-2\t", b"12"),
        ("bytes=0-9999999999999999999", _CONTENT),
    ],
)
def test_one_range(value: str, data: bytes) -> None:
    start = _CONTENT.index(data)
    assert _content({"range": value}) == (206, data, f"bytes {start}-{start + len(data) - 1}/10")


@pytest.mark.parametrize(
    "value",
    [
        *("", "bytes", "bytes=", "bytes=-", "bytes=5-3", "bytes=a-b", "bytes=1", "bytes=--1", "bytes=1-2-3"),
        *("bytes=0-1,3-4", "bytes=0-1,", "lines=0-1", "bytes 0-1", "bytes=0 - 1", "bytes=+1-2", "bytes=1_0-"),
        *("bytes=\u0661-", "bytes=0x1-", "bytes=\x0b1-2", "bytes=-1.5"),
        "bytes=0-" + "9" * 20,
    ],
)
def test_a_list_of_ranges_or_a_malformed_one_is_ignored(value: str) -> None:
    """RFC 9110 14.2: a server may ignore Range."""
    assert _content({"range": value}) == (200, _CONTENT, None)


@pytest.mark.parametrize(
    ("value", "sha256", "size"),
    [
        ("bytes=10-", _SHA256, 10),
        ("bytes=10-10", _SHA256, 10),
        ("bytes=99999999999-", _SHA256, 10),
        ("bytes=-0", _SHA256, 10),
        ("bytes=0-", _EMPTY, 0),
        ("bytes=0-0", _EMPTY, 0),
        ("bytes=-1", _EMPTY, 0),
    ],
)
def test_a_range_outside_of_the_file_is_refused_with_the_size_of_the_file(
    value: str, sha256: str, size: int
) -> None:
    with pytest.raises(Problem) as raised:
        _get({"range": value}, sha256=sha256)
    assert raised.value.code == "range_not_satisfiable"
    assert raised.value.headers == (("Content-Range", f"bytes */{size}"),)


def test_an_empty_file_is_sent_whole() -> None:
    assert _content(sha256=_EMPTY) == (200, b"", None)


@pytest.mark.parametrize(
    ("if_range", "status"),
    [
        (_ETAG, 206),
        (f"W/{_ETAG}", 200),
        ('"other"', 200),
        ("", 200),
        ("*", 200),
        (f"{_ETAG}, {_ETAG}", 200),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 200),
    ],
)
def test_if_range_compares_strongly(if_range: str, status: int) -> None:
    """RFC 9110 13.1.5."""
    assert _content({"range": "bytes=0-1", "if-range": if_range})[0] == status


def test_if_range_without_a_match_ignores_a_range_outside_of_the_file() -> None:
    assert _content({"range": "bytes=99-", "if-range": '"other"'})[0] == 200


@pytest.mark.parametrize("value", [_ETAG, "*", f"W/{_ETAG}", f'"a", {_ETAG}', f'"a",\tW/{_ETAG} ,"b"'])
def test_if_none_match_gives_304(value: str) -> None:
    """RFC 9110 13.1.2: weak comparison, before Range. A 304 has ETag and Cache-Control."""
    response = _get({"if-none-match": value, "range": "bytes=99-"})
    assert (response.status, response.content_length) == (304, None)
    assert [name for name, _ in response.headers] == ["ETag", "Cache-Control", "Wireproof-Contract"]


@pytest.mark.parametrize("value", ["", '"other"', _SHA256, _ETAG[:-1], f'"{_SHA256.upper()}"', f"w/{_ETAG}"])
def test_any_other_tag_does_not_match(value: str) -> None:
    assert _get({"if-none-match": value}).status == 200


@pytest.mark.parametrize("fields", [{}, {"range": "bytes=0-1"}, {"range": "bytes=99-"}])
def test_head_ignores_range(fields: dict[str, str]) -> None:
    """S1."""
    response = _get(fields, method="HEAD")
    assert (response.status, response.head_only, response.content_length) == (200, True, 10)
    assert _get({"if-none-match": "*"}, method="HEAD").status == 304


@pytest.mark.parametrize(
    "sha256",
    ["0" * 64, _SHA256.upper(), _SHA256[:-1], _SHA256 + "0", _SHA256 + "\n", "..", "%2e%2e", "\u0661" * 64],
)
def test_a_name_that_is_not_the_hash_of_a_stored_file_is_not_found(sha256: str) -> None:
    assert refusal_code(_get, sha256=sha256) == "not_found"
