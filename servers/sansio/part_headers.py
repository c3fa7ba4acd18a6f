"""The header block of a part (RFC 2046 5.1, RFC 7578 4.2), parsed when it is complete."""

from typing import NoReturn

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.remembered import KnownHeads
from ..contract.request import MediaType, Pair, PartHead
from .disposition import Disposition, parse_disposition
from .grammar import CONTROL, OWS, TOKEN, end_of
from .media_types import parse_media_type

_SINGLETONS = {b"content-disposition": "M48", b"content-type": "M49", b"content-transfer-encoding": "M74"}
_TRANSFER_ENCODINGS = (b"7bit", b"8bit", b"binary", b"quoted-printable")

_Field = tuple[bytes, bytes, int]
"""A name in lower case, a trimmed value, and the number of bytes of the block before its line."""


_KNOWN: KnownHeads[PartHead] = KnownHeads()


def known_part_head(block: bytes, limits: Limits) -> PartHead | None:
    """What `parse_part_headers` returned for this block before, if that is remembered."""
    return _KNOWN.find(block) if block.count(b"\r\n") < limits.max_part_fields else None


def parse_part_headers(block: bytes, limits: Limits) -> PartHead:
    """Parse a header block, given without its last CRLF and the empty line.

    Raises Problem `part_header_syntax`, `part_headers_too_large`, `part_header_encoding`,
    `disposition_missing`, what `parse_disposition` raises, or `part_transfer_encoding`. Its places are those
    in the block. `fault` is None if not a single line is at fault.
    """
    if block.count(b"\r\n") >= limits.max_part_fields:
        _refuse_more_fields(block, limits.max_part_fields)
    head = _KNOWN.find(block)
    if head is None:
        head = _parse_block(block)
        _KNOWN.add(block, head)
    return head


def _refuse_more_fields(block: bytes, most: int) -> NoReturn:
    fields = _parse_lines(block)  # a line that is none comes first
    what = f"a part has more than {most} fields"
    raise Problem("part_headers_too_large", what, rule="M73", offset=fields[most][2])


def _parse_block(block: bytes) -> PartHead:
    fields = _parse_lines(block)
    headers = tuple(_decoded(field, block) for field in fields)
    first = _singletons(fields)
    if b"content-disposition" not in first:
        what = "a part has no Content-Disposition (RFC 7578 4.2)"
        raise Problem("disposition_missing", what, rule="M37", offset=len(block) + 2)
    disposition = _disposition(first[b"content-disposition"], block)
    encoding = _transfer_encoding(first.get(b"content-transfer-encoding"), block)
    content_type = first[b"content-type"][1] if b"content-type" in first else None
    return PartHead(
        disposition.name,
        disposition.filename,
        headers,
        None if content_type is None else content_type.decode("utf-8"),
        _media_type(content_type),
        quoted_printable=encoding == b"quoted-printable",
    )


def _parse_lines(block: bytes) -> list[_Field]:
    fields = []
    begin = 0
    for line in block.split(b"\r\n"):
        end = begin + len(line) + 2
        try:
            name, value = _parse_line(line)
        except Problem as problem:
            if problem.rule == "M68" and begin == 0:
                problem.rule = "M69"  # there is no line that it could continue
            refused = problem.behind(begin)
            refused.fault = range(begin, end)
            raise refused from None
        fields.append((name, value, begin))
        begin = end
    return fields


def _parse_line(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if line[:1] in (b" ", b"\t"):
        what = f"the line {line[:40]!r} is folded (M68, M69)"
        raise Problem("part_header_syntax", what, rule="M68", offset=0)
    if not colon or not TOKEN.fullmatch(name):
        what = f"the header line {line[:40]!r} of a part is not a valid field"
        raise Problem("part_header_syntax", what, rule="M70", offset=end_of(TOKEN, line))
    if control := CONTROL.search(value):
        what, offset = (
            f"the field {name[:40]!r} of a part has a control character",
            len(name) + 1 + control.start(),
        )
        raise Problem("part_header_syntax", what, rule="M66", offset=offset)
    return name.lower(), value.strip(OWS)


def _value_offset(field: _Field, block: bytes) -> int:
    """How many bytes of the block come before the trimmed value of a field."""
    line = block[field[2] :].partition(b"\r\n")[0]
    return field[2] + len(line) - len(line.partition(b":")[2].lstrip(OWS))


def _decoded(field: _Field, block: bytes) -> Pair:
    """The field as text. A Content-Disposition that is not UTF-8 is shown as ISO-8859-1 (M51)."""
    name, value, _ = field
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        if name != b"content-disposition":
            what, offset = f"the field {name[:40]!r} is not UTF-8", _value_offset(field, block) + error.start
            raise Problem("part_header_encoding", what, rule="M51", offset=offset) from None
        text = value.decode("iso-8859-1")
    return Pair(name.decode("ascii"), text)


def _singletons(fields: list[_Field]) -> dict[bytes, _Field]:
    found: dict[bytes, _Field] = {}
    for field in fields:
        name = field[0]
        if name in _SINGLETONS:
            if name in found:
                what = f"a part has {name.decode('ascii')} twice (M48, M49)"
                raise Problem("part_header_syntax", what, rule=_SINGLETONS[name], offset=field[2])
            found[name] = field
    return found


def _disposition(field: _Field, block: bytes) -> Disposition:
    try:
        return parse_disposition(field[1])
    except Problem as problem:
        raise problem.behind(_value_offset(field, block)) from None


def _transfer_encoding(field: _Field | None, block: bytes) -> bytes:
    encoding = b"binary" if field is None else field[1].lower()
    if field is not None and encoding not in _TRANSFER_ENCODINGS:
        what = f"the transfer encoding {encoding[:40]!r} is not supported; send the data as they are (8bit)"
        raise Problem("part_transfer_encoding", what, rule="M74", offset=_value_offset(field, block))
    return encoding


def _media_type(content_type: bytes | None) -> MediaType | None:
    """Parsed from the bytes as sent. None for a missing or malformed value (M81, M83)."""
    if not content_type:
        return None
    try:
        return parse_media_type(content_type.decode("iso-8859-1"))
    except Problem:
        return None
