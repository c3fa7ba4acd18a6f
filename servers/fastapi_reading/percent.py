"""Percent-encoding (RFC 3986 2.1) and the urlencoded pairs that are made of it (WHATWG URL 5.1)."""

from typing import Literal

from python_multipart import QuerystringParser

from ..contract.request import Pair

Encoding = Literal["utf-8", "iso-8859-1"]

_HEX = b"0123456789ABCDEFabcdef"


def decode_percent(raw: bytes, *, but: bytes = b"") -> bytes:
    """`raw` with each `%HH` as its octet, except the octet `but`; an invalid `%` is literal (R22, R36)."""
    decoded = bytearray()
    position = 0
    while (found := raw.find(b"%", position)) >= 0:
        decoded += raw[position:found]
        octet = _octet(raw[found + 1 : found + 3])
        stays = octet is None or octet == but
        decoded += b"%" if octet is None or stays else octet
        position = found + (1 if stays else 3)
    return bytes(decoded) + raw[position:]


def _octet(digits: bytes) -> bytes | None:
    # Judged before they are converted: int() takes "+1" and " 1" too.
    if len(digits) < 2 or digits.strip(_HEX):
        return None
    return int(digits, 16).to_bytes()


class _Fields:
    """Collects python-multipart's events of a urlencoded text: names and values as they were sent."""

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self.values: list[bytes] = []

    def parse(self, text: bytes) -> None:
        """Take the whole text at once, so that each name and each value is one event."""
        parser = QuerystringParser(
            {"on_field_start": self._begin, "on_field_name": self._name, "on_field_data": self._value}
        )
        parser.write(text)
        parser.finalize()

    def _begin(self) -> None:
        self.names.append(b"")
        self.values.append(b"")

    def _name(self, data: bytes, start: int, end: int) -> None:
        self.names[-1] = data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self.values[-1] = data[start:end]


def read_pairs(text: bytes, encoding: Encoding) -> list[Pair]:
    """The pairs in order (U1 to U14): percent-encoding is decoded first, then the charset, strictly (U7).

    Raises UnicodeDecodeError.
    """
    fields = _Fields()
    fields.parse(text)
    return [
        Pair(_decode(name, encoding), _decode(value, encoding))
        for name, value in zip(fields.names, fields.values, strict=True)
    ]


def _decode(text: bytes, encoding: Encoding) -> str:
    return decode_percent(text.replace(b"+", b" ")).decode(encoding)
