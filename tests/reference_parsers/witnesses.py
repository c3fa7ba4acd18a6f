"""Two parsers of multipart bodies that nobody here wrote, and the parts that they find."""

from collections.abc import Iterable
from typing import NamedTuple

from multipart import MultipartSegment, PushMultipartParser
from python_multipart.multipart import MultipartParser, parse_options_header


class WitnessPart(NamedTuple):
    """One part as a witness reads it."""

    name: str
    filename: str | None
    content_type: str | None
    data: bytes


class NoName(Exception):
    """A part whose header block gives it no name."""


def read_by_defnull(boundary: bytes, pieces: Iterable[bytes]) -> list[WitnessPart]:
    """Read by defnull's `multipart`, strict; it raises MultipartError."""
    found: list[WitnessPart] = []
    segment: MultipartSegment | None = None
    data = bytearray()
    with PushMultipartParser(boundary, strict=True) as parser:
        for piece in (*pieces, b""):
            for result in parser.parse(piece):
                if isinstance(result, MultipartSegment):
                    segment = result
                elif result is not None:
                    data += result
                else:
                    assert segment is not None
                    content_type = segment.header("Content-Type")
                    found.append(WitnessPart(segment.name, segment.filename, content_type, bytes(data)))
                    data.clear()
    return found


def read_by_python_multipart(boundary: bytes, pieces: Iterable[bytes]) -> list[WitnessPart]:
    """Read by python-multipart, the parser of Starlette and FastAPI; it raises FormParserError or NoName."""
    found: list[WitnessPart] = []
    fields: dict[bytes, bytes] = {}
    name, value, data = bytearray(), bytearray(), bytearray()

    def begin() -> None:
        fields.clear()
        data.clear()

    def end_header() -> None:
        fields[bytes(name).lower()] = bytes(value)
        name.clear()
        value.clear()

    def end() -> None:
        _, options = parse_options_header(fields.get(b"content-disposition", b""))
        if b"name" not in options:
            raise NoName
        filename, content_type = (
            None if text is None else text.decode()
            for text in (options.get(b"filename"), fields.get(b"content-type"))
        )
        found.append(WitnessPart(options[b"name"].decode(), filename, content_type, bytes(data)))

    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": begin,
            "on_header_field": lambda raw, start, stop: name.extend(raw[start:stop]),
            "on_header_value": lambda raw, start, stop: value.extend(raw[start:stop]),
            "on_header_end": end_header,
            "on_part_data": lambda raw, start, stop: data.extend(raw[start:stop]),
            "on_part_end": end,
        },
    )
    for piece in pieces:
        parser.write(piece)
    parser.finalize()
    return found
