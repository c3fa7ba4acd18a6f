"""The header block of a part (RFC 2046 5.1, RFC 7578 4.2), parsed when it is complete."""

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import MediaType, Pair, PartHead
from .disposition import parse_disposition
from .grammar import CONTROL, OWS, TOKEN
from .media_types import parse_media_type

_SINGLETONS = (b"content-disposition", b"content-type", b"content-transfer-encoding")
_TRANSFER_ENCODINGS = (b"7bit", b"8bit", b"binary", b"quoted-printable")


def parse_part_headers(block: bytes, limits: Limits) -> PartHead:
    """Parse a header block, given without its last CRLF and the empty line.

    Raises Problem `part_header_syntax`, `part_headers_too_large`, `part_header_encoding`,
    `disposition_missing`, what `parse_disposition` raises, or `part_transfer_encoding`. Its `fault` is in
    the block, or None if not a single line is at fault.
    """
    fields = _parse_lines(block)
    if len(fields) > limits.max_part_fields:
        raise Problem("part_headers_too_large", f"a part has more than {limits.max_part_fields} fields")
    headers = tuple(_decoded(name, value) for name, value in fields)
    first = _singletons(fields)
    if b"content-disposition" not in first:
        raise Problem("disposition_missing", "a part has no Content-Disposition (RFC 7578 4.2)")
    disposition = parse_disposition(first[b"content-disposition"])
    encoding = first.get(b"content-transfer-encoding", b"binary").lower()
    if encoding not in _TRANSFER_ENCODINGS:
        what = f"the transfer encoding {encoding[:40]!r} is not supported; send the data as they are (8bit)"
        raise Problem("part_transfer_encoding", what)
    content_type = first.get(b"content-type")
    return PartHead(
        disposition.name,
        disposition.filename,
        headers,
        None if content_type is None else content_type.decode("utf-8"),
        _media_type(content_type),
        quoted_printable=encoding == b"quoted-printable",
    )


def _parse_lines(block: bytes) -> list[tuple[bytes, bytes]]:
    fields = []
    begin = 0
    for line in block.split(b"\r\n"):
        end = begin + len(line) + 2
        try:
            fields.append(_parse_line(line))
        except Problem as problem:
            problem.fault = range(begin, end)
            raise
        begin = end
    return fields


def _parse_line(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if line[:1] in (b" ", b"\t"):
        raise Problem("part_header_syntax", f"the line {line[:40]!r} is folded (M68, M69)")
    if not colon or not TOKEN.fullmatch(name):
        raise Problem("part_header_syntax", f"the header line {line[:40]!r} of a part is not a valid field")
    if CONTROL.search(value):
        raise Problem("part_header_syntax", f"the field {name[:40]!r} of a part has a control character")
    return name.lower(), value.strip(OWS)


def _decoded(name: bytes, value: bytes) -> Pair:
    """The field as text. A Content-Disposition that is not UTF-8 is shown as ISO-8859-1 (M51)."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        if name != b"content-disposition":
            raise Problem("part_header_encoding", f"the field {name[:40]!r} is not UTF-8") from None
        text = value.decode("iso-8859-1")
    return Pair(name.decode("ascii"), text)


def _singletons(fields: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, value in fields:
        if name in _SINGLETONS:
            if name in found:
                raise Problem("part_header_syntax", f"a part has {name.decode('ascii')} twice (M48, M49)")
            found[name] = value
    return found


def _media_type(content_type: bytes | None) -> MediaType | None:
    """Parsed from the bytes as sent. None for a missing or malformed value (M81, M83)."""
    if not content_type:
        return None
    try:
        return parse_media_type(content_type.decode("iso-8859-1"))
    except Problem:
        return None
