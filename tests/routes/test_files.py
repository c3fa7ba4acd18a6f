"""`/files/{sha256}`: the whole file, one range, and its names (RFC 9110 14, RFC 6266; rules S6, W5)."""

import base64
import dataclasses
import hashlib
import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis.strategies import characters, text

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
    assert store.still_open() == 0, "the only block has been read, or none is needed"
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


def test_a_large_file_stays_open_until_its_last_block_is_read() -> None:
    """What the response begins with has been read by then, so a file that cannot be read is refused."""
    store, content = _Store(), bytes(600_000)
    sha256 = hashlib.sha256(content).hexdigest()
    store.add({sha256: content})
    request = ParsedRequest(head("GET", f"/files/{sha256}"), ParsedBody())
    # Eight blocks of 64 KiB, and then one that has the rest.
    sizes = [*(taken * 64 * 1024 for taken in range(9)), len(content)]
    for taken, still_open in ((0, True), (1, True), (8, True), (9, False)):
        response = send_file(request, Settings().context(store))
        assert isinstance(response.body, FileSlice)
        assert not response.body.must_read
        blocks = response.body.blocks()
        assert sum(len(next(blocks)) for _ in range(taken)) == sizes[taken]
        assert store.still_open() == still_open
        response.close()
        response.close()
        assert store.still_open() == 0


def test_a_file_that_cannot_be_read_is_closed_before_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(5, "it fails")

    store = _Store()
    monkeypatch.setattr(MemoryFile, "read", fail)
    with pytest.raises(OSError, match="it fails"):
        send_file(ParsedRequest(head("GET", f"/files/{_SHA256}"), ParsedBody()), Settings().context(store))
    monkeypatch.undo()
    assert store.still_open() == 0


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
        ("bytes=0-" + "9" * 8000, _CONTENT),
        ("bytes=" + "0" * 5000 + "-0", b"0"),
        ("bytes=-" + "9" * 20, _CONTENT),
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
        ("bytes=" + "9" * 20 + "-", _SHA256, 10),
        ("bytes=-0", _SHA256, 10),
        ("bytes=0-", _EMPTY, 0),
        ("bytes=0-0", _EMPTY, 0),
        ("bytes=-0", _EMPTY, 0),
    ],
)
def test_a_range_outside_of_the_file_is_refused_with_the_size_of_the_file(
    value: str, sha256: str, size: int
) -> None:
    with pytest.raises(Problem) as raised:
        _get({"range": value}, sha256=sha256)
    assert raised.value.code == "range_not_satisfiable"
    assert raised.value.headers == (("Content-Range", f"bytes */{size}"),)


@pytest.mark.parametrize("fields", [{}, {"range": "bytes=-1"}, {"range": "bytes=-9999999999999999999"}])
def test_w5_an_empty_file_is_sent_whole_and_so_are_its_last_bytes(fields: dict[str, str]) -> None:
    """RFC 9110 14.1.2: a suffix of at least one byte is satisfiable, and no Content-Range describes it."""
    assert _content(fields, sha256=_EMPTY) == (200, b"", None)


@pytest.mark.parametrize("fields", [{}, {"range": "bytes=0-1"}, {"range": "bytes=99-"}])
def test_head_ignores_range(fields: dict[str, str]) -> None:
    """S1."""
    response = _get(fields, method="HEAD")
    assert (response.status, response.head_only, response.content_length) == (200, True, 10)


@pytest.mark.parametrize(
    "sha256",
    ["0" * 64, _SHA256.upper(), _SHA256[:-1], _SHA256 + "0", _SHA256 + "\n", "..", "%2e%2e", "\u0661" * 64],
)
def test_a_name_that_is_not_the_hash_of_a_stored_file_is_not_found(sha256: str) -> None:
    assert refusal_code(_get, sha256=sha256) == "not_found"


_DISPOSITION = re.compile(
    r"attachment; filename=\"([ !#$&-.0-\[\]-~]*)\"; "
    r"filename\*=UTF-8''((?:[!#$&+.^_`|~0-9A-Za-z-]|%[0-9A-F]{2})*)"
)
_NAMES = {
    "a.txt": ("a.txt", "a.txt"),
    "a b;c=d,e": ("a b;c=d,e", "a%20b%3Bc%3Dd%2Ce"),
    "na\u00efve \u6587.txt": ("na_ve _.txt", "na%C3%AFve%20%E6%96%87.txt"),
    "\U0001f642": ("_", "%F0%9F%99%82"),
    'a"; filename="b': ("a_; filename=_b", "a%22%3B%20filename%3D%22b"),
    'a\\"b': ("a__b", "a%5C%22b"),
    "100%22%": ("100_22_", "100%2522%25"),
    "../etc/passwd": (".._etc_passwd", "..%2Fetc%2Fpasswd"),
    "..": ("..", ".."),
    "!#$&+-.^_`|~": ("!#$&+-.^_`|~", "!#$&+-.^_`|~"),
    "*'()": ("*'()", "%2A%27%28%29"),
    "\u0085\u2028\u202e": ("___", "%C2%85%E2%80%A8%E2%80%AE"),
    "\u6587" * 255: ("_" * 255, "%E6%96%87" * 255),
}


def _disposition(name: str, *, sha256: str = _SHA256) -> str:
    # `path` keeps an encoded slash, and the name is the last segment decoded completely.
    path = f"/files/{sha256}/" + name.replace("/", "%2F")
    request_head = dataclasses.replace(head("GET", path), last_segment=name)
    store = _Store()
    response = send_file(ParsedRequest(request_head, ParsedBody()), Settings().context(store))
    response.close()
    assert store.still_open() == 0
    return dict(response.headers)["Content-Disposition"]


@pytest.mark.parametrize("name", _NAMES)
def test_a_file_can_be_sent_under_any_name(name: str) -> None:
    """RFC 6266 4.3: `filename` has plain ASCII alone, and `filename*` has the name exactly."""
    plain, exact = _NAMES[name]
    disposition = _disposition(name)
    assert disposition == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"
    assert unquote(exact, errors="strict") == name


@given(text(characters(exclude_categories=["Cs"]), min_size=1, max_size=255))
def test_no_name_leaves_its_place_in_the_field(name: str) -> None:
    """Whatever the name is, the value follows one grammar of visible ASCII and spaces."""
    match = _DISPOSITION.fullmatch(_disposition(name))
    assert match is not None
    assert (len(match[1]), unquote(match[2], errors="strict")) == (len(name), name)


def test_a_name_that_no_file_system_takes_is_refused() -> None:
    """Before the file is opened, so that nothing is left open."""
    assert refusal_code(_disposition, "\u6587" * 256) == "bad_value"
    assert refusal_code(_disposition, "a", sha256="0" * 64) == "not_found"
