"""multipart/form-data by python-multipart's parser (RFC 2046 5.1.1, RFC 7578), made strict and exact.

The parser tells parts, header fields and data apart and reports them by callbacks. It knows no preamble and
no folded line, takes any run of blanks after a boundary, and reads a boundary and a CR as half of a delimiter
even at the end of what it was given. So what it reads is settled before: `Delimiters` finds where things
begin and end in whatever pieces come; the parser is then given every delimiter bare and in one piece, every
header block whole and unfolded, and no data that begin like a delimiter.
"""

import logging
from collections.abc import Iterator

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import PartData, PartEnd, PartEvent
from .delimiters import Block, Close, Data, Delimiter, Delimiters, Span
from .part_headers import RawField, understand_part

# python-multipart warns of every refused body: whoever sends them could fill the log.
_SILENCE = logging.getLogger("wireproof.python_multipart")
_SILENCE.setLevel(logging.CRITICAL + 1)


class CallbackParser:
    """A `MultipartParser` of the contract over one of python-multipart."""

    def __init__(self, boundary: bytes, limits: Limits) -> None:
        self._limits = limits
        self._delimiters = Delimiters(boundary, limits)
        self._dash_boundary = b"--" + boundary
        self._events: list[PartEvent] = []
        self._fields: list[RawField] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_data": self._on_data,
                "on_part_end": self._on_end,
                "on_header_begin": self._on_header,
                "on_header_field": self._on_name,
                "on_header_value": self._on_value,
                "on_headers_finished": self._on_headers,
            },
            # Both were counted before the parser sees a block (M73).
            max_header_count=limits.max_part_fields,
            max_header_size=2 * limits.max_part_headers,
        )
        self._parser.logger = _SILENCE
        self._line_end = b""  # before the first delimiter there is none

    def feed(self, data: bytes | bytearray | memoryview, /) -> Iterator[PartEvent]:
        """The events that `data` completes; to be consumed before the next call. Raises Problem."""
        for span in self._delimiters.feed(data):
            self._show(span)
            yield from self._events
            self._events.clear()

    def finish(self) -> Iterator[PartEvent]:
        """No more events. Raises Problem `multipart_truncated` (M19 to M23)."""
        self._delimiters.finish()
        return iter(())

    def _show(self, span: Span) -> None:
        """Give one span to the parser, which calls back."""
        match span:
            case Delimiter():
                self._parser.write(self._line_end + self._dash_boundary + b"\r\n")
                self._line_end = b"\r\n"
            case Close():
                self._parser.write(self._line_end + self._dash_boundary + b"--")
            case Block():
                self._show_block(span.lines)
            case Data(data, plain=True):
                self._parser.write(data)
            case Data(data):
                # The parser would wait for more, or take blanks for padding (M29, M31).
                self._events.append(PartData(data))

    def _show_block(self, lines: list[bytes]) -> None:
        if len(lines) > self._limits.max_part_fields:
            raise Problem(
                "part_headers_too_large", f"a part has more than {self._limits.max_part_fields} fields"
            )
        try:
            self._parser.write(b"\r\n".join([*lines, b"", b""]))
        except MultipartParseError as error:
            raise Problem("part_header_syntax", f"a part's header block: {error} (M36, M70)") from None

    def _on_header(self) -> None:
        self._fields.append((b"", b""))

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._fields[-1] = (data[start:end], b"")

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._fields[-1] = (self._fields[-1][0], data[start:end])

    def _on_headers(self) -> None:
        fields, self._fields = self._fields, []
        self._events.append(understand_part(fields))

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(PartData(memoryview(data)[start:end]))

    def _on_end(self) -> None:
        self._events.append(PartEnd())
