"""Generated forms, parsed by the parsers of both backends and by two third-party parsers alike."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st
from multipart import MultipartSegment, PushMultipartParser
from python_multipart.multipart import MultipartParser, parse_options_header

from servers.contract.parsers import Parsers
from tests.parsers import BOTH_PARSERS, read_form

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_BOUNDARY = b"boundary"
# Bytes that resemble a delimiter. "X" makes other data of a delimiter (M29).
_NEAR = st.sampled_from(
    [
        b"\r\n",
        b"--",
        b"\r\n--boundary",
        b"\n--boundary\r\n",
        b"--boundary--",
        b"bound",
        b"ary",
        b"\r",
        b"\n",
        b"X",
        b"\0",
    ]
)
_DATA = st.lists(st.one_of(_NEAR, st.binary(max_size=5)), max_size=8).map(b"".join)
# Names that all parsers decode alike: no backslash, quote or percent sign (M52 to M55).
_NAMES = st.text(st.characters(exclude_characters='\\"%', exclude_categories=["Cc", "Cs"]), max_size=12)
_TYPES = st.sampled_from([None, "text/plain", "application/octet-stream", "application/json; charset=utf-8"])


@dataclass(frozen=True)
class _Part:
    name: str
    filename: str | None
    content_type: str | None
    data: bytes


_PARTS = st.lists(st.builds(_Part, _NAMES, st.one_of(st.none(), _NAMES), _TYPES, _DATA), max_size=6)
_SPLITS = st.lists(st.integers(1, 400), max_size=6)


def _encode(parts: list[_Part]) -> bytes:
    body = BytesIO()
    for part in parts:
        body.write(b"--%s\r\nContent-Disposition: form-data" % _BOUNDARY)
        body.write(f'; name="{part.name}"'.encode())
        if part.filename is not None:
            body.write(f'; filename="{part.filename}"'.encode())
        if part.content_type is not None:
            body.write(f"\r\nContent-Type: {part.content_type}".encode())
        body.write(b"\r\n\r\n" + part.data + b"\r\n")
    body.write(b"--%s--" % _BOUNDARY)  # no epilogue: for some splits the strict parsers refuse even a CRLF
    return body.getvalue()


def _split(body: bytes, sizes: list[int]) -> Iterator[bytes]:
    for size in sizes:
        if piece := body[:size]:
            yield piece
        body = body[size:]
    if body:
        yield body


def _is_plain(data: bytes) -> bool:
    """Whether no delimiter begins in the data. If one does, the parsers differ (M29, M34)."""
    return b"\r\n--boundary" not in b"\r\n" + data + b"\r\n"


@BOTH_PARSERS
@given(_PARTS, _SPLITS)
def test_an_encoded_form_is_parsed(parsers: Parsers, parts: list[_Part], sizes: list[int]) -> None:
    assume(all(_is_plain(part.data) for part in parts))
    form = read_form(parsers, "multipart/form-data; boundary=boundary", _split(_encode(parts), sizes))
    assert not isinstance(form, str), form
    assert parts == [
        _Part(part.head.name, part.head.filename, part.head.content_type, part.data) for part in form
    ]


@given(_PARTS, _SPLITS)
def test_defnull_multipart_in_strict_mode_agrees(parts: list[_Part], sizes: list[int]) -> None:
    assume(all(_is_plain(part.data) for part in parts))
    assert _defnull(_encode(parts), sizes) == parts


def _defnull(body: bytes, sizes: list[int]) -> list[_Part]:
    found: list[_Part] = []
    segment: MultipartSegment | None = None
    data = bytearray()
    with PushMultipartParser(_BOUNDARY, strict=True) as parser:
        for piece in (*_split(body, sizes), b""):
            for result in parser.parse(piece):
                if isinstance(result, MultipartSegment):
                    segment = result
                elif result is not None:
                    data += result
                else:
                    assert segment is not None
                    found.append(
                        _Part(segment.name, segment.filename, segment.header("Content-Type"), bytes(data))
                    )
                    data.clear()
    return found


@given(_PARTS, _SPLITS)
def test_python_multipart_agrees(parts: list[_Part], sizes: list[int]) -> None:
    """This is the parser of Starlette and FastAPI."""
    assume(all(_is_plain(part.data) for part in parts))
    collected = _Collector()
    parser = MultipartParser(_BOUNDARY, collected.callbacks())
    for piece in _split(_encode(parts), sizes):
        parser.write(piece)
    parser.finalize()
    assert collected.parts == parts


@dataclass
class _Collector:
    """Collects the parts from the callbacks of python-multipart."""

    parts: list[_Part] = field(default_factory=list)
    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: bytes = b""
    value: bytes = b""
    data: bytes = b""

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self.begin,
            "on_header_field": self.on_name,
            "on_header_value": self.on_value,
            "on_header_end": self.end_header,
            "on_part_data": self.on_data,
            "on_part_end": self.end,
        }

    def begin(self) -> None:
        self.headers, self.data = {}, b""

    def on_name(self, data: bytes, start: int, end: int) -> None:
        self.name += data[start:end]

    def on_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def end_header(self) -> None:
        self.headers[self.name.lower()] = self.value
        self.name = self.value = b""

    def on_data(self, data: bytes, start: int, end: int) -> None:
        self.data += data[start:end]

    def end(self) -> None:
        _, options = parse_options_header(self.headers[b"content-disposition"])
        filename = options.get(b"filename")
        content_type = self.headers.get(b"content-type")
        self.parts.append(
            _Part(
                options[b"name"].decode(),
                None if filename is None else filename.decode(),
                None if content_type is None else content_type.decode(),
                self.data,
            )
        )
