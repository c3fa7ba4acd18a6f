"""Generated forms, read by us and by two parsers that nobody here wrote: the same names and bytes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st
from multipart import MultipartSegment, PushMultipartParser
from python_multipart.multipart import MultipartParser, parse_options_header

from tests.sansio.transcripts import read_form

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_BOUNDARY = b"boundary"
# Bytes with which data can come close to a delimiter; "X" ends what would else be one (M29).
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
# Where all parsers agree on what a name means: no backslash, quote or percent sign (M52 to M55).
_NAMES = st.text(st.characters(exclude_characters='\\"%', exclude_categories=["Cc", "Cs"]), max_size=12)
_TYPES = st.sampled_from([None, "text/plain", "application/octet-stream", "application/json; charset=utf-8"])


@dataclass(frozen=True)
class _Part:
    name: str
    filename: str | None
    content_type: str | None
    data: bytes


_PARTS = st.lists(st.builds(_Part, _NAMES, st.one_of(st.none(), _NAMES), _TYPES, _DATA), max_size=6)
_CUTS = st.lists(st.integers(1, 400), max_size=6)


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
    body.write(b"--%s--" % _BOUNDARY)  # no epilogue: the strict ones refuse even a CRLF, in some cuts
    return body.getvalue()


def _cut(body: bytes, sizes: list[int]) -> Iterator[bytes]:
    for size in sizes:
        if piece := body[:size]:
            yield piece
        body = body[size:]
    if body:
        yield body


def _is_plain(data: bytes) -> bool:
    """Whether no delimiter is in the data, not even as a prefix: there the parsers differ (M29, M34)."""
    return b"\r\n--boundary" not in b"\r\n" + data + b"\r\n"


def _ours(body: bytes, sizes: list[int]) -> list[_Part]:
    form = read_form(_cut(body, sizes), _BOUNDARY)
    assert form.problem is None
    return [
        _Part(part.head.name, part.head.filename, part.head.content_type, part.data) for part in form.parts
    ]


@given(_PARTS, _CUTS)
def test_what_was_encoded_comes_back(parts: list[_Part], sizes: list[int]) -> None:
    assume(all(_is_plain(part.data) for part in parts))
    assert _ours(_encode(parts), sizes) == parts


@given(_PARTS, _CUTS)
def test_defnull_multipart_in_its_strict_mode_reads_the_same(parts: list[_Part], sizes: list[int]) -> None:
    assume(all(_is_plain(part.data) for part in parts))
    body = _encode(parts)
    assert _defnull(body, sizes) == _ours(body, sizes)


def _defnull(body: bytes, sizes: list[int]) -> list[_Part]:
    found: list[_Part] = []
    segment: MultipartSegment | None = None
    data = bytearray()
    with PushMultipartParser(_BOUNDARY, strict=True) as parser:
        for piece in (*_cut(body, sizes), b""):
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


@given(_PARTS, _CUTS)
def test_python_multipart_reads_the_same(parts: list[_Part], sizes: list[int]) -> None:
    """Its callbacks are what Starlette and FastAPI build on."""
    assume(all(_is_plain(part.data) for part in parts))
    body = _encode(parts)
    collected = _Collector()
    parser = MultipartParser(_BOUNDARY, collected.callbacks())
    for piece in _cut(body, sizes):
        parser.write(piece)
    parser.finalize()
    assert collected.parts == _ours(body, sizes)


@dataclass
class _Collector:
    """Puts python-multipart's callbacks together again."""

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
