"""The header block of a part (RFC 7578 4.2, RFC 2046 5.1), parsed as a whole."""

from collections.abc import Iterator

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.remembered import remembered
from ..contract.request import MediaType, Pair, PartHead
from .abnf import BLANKS, CONTROL, TOKEN
from .disposition import read_disposition
from .media_types import read_media_type

_ONCE = {"content-disposition": "M48", "content-type": "M49", "content-transfer-encoding": "M74"}
_ENCODINGS = frozenset({"7bit", "8bit", "binary", "quoted-printable"})


def read_part_head(block: bytes, limits: Limits, boundary: str = "") -> PartHead:
    """Parse the lines of a block without its last CRLF. It must not contain a bare CR or LF.

    `boundary` is that of the form: a line of a header block may be a delimiter by mistake (M36).

    Raises Problem `part_headers_too_large`, `part_header_*`, `disposition_*`, `name_missing`,
    `filename_ext`, `filename_conflict` and `part_transfer_encoding`.
    """
    if block.count(b"\r\n") < limits.max_part_fields and b"\n--" not in block and not block.startswith(b"--"):
        return _read_block(block)
    return _part_head(list(_fields(block, limits.max_part_fields, boundary)))


@remembered
def _read_block(block: bytes) -> PartHead:
    """Parse a block with few enough lines, none of which may be a delimiter."""
    return _part_head(list(_fields(block, block.count(b"\r\n") + 1, "")))


def _part_head(raw: list[Pair]) -> PartHead:
    shown = tuple(Pair(name, _show(name, value)) for name, value in raw)
    values = _once(raw)
    disposition_value = values.get("content-disposition")
    if disposition_value is None:
        raise Problem("disposition_missing", "a part has no Content-Disposition (M37)", rule="M37")
    disposition = read_disposition(disposition_value, utf8=_is_utf8(disposition_value))
    encoding = values.get("content-transfer-encoding", "binary").lower()
    if encoding not in _ENCODINGS:
        what = f"the data are sent as {encoding[:40]!a}; send them unencoded, as 8bit (M74)"
        raise Problem("part_transfer_encoding", what, rule="M74")
    content_type = next((pair.value for pair in shown if pair.name == "content-type"), None)
    media_type = _media_type(values.get("content-type"))
    return PartHead(
        disposition.name,
        disposition.filename,
        shown,
        content_type,
        media_type,
        quoted_printable=encoding == "quoted-printable",
    )


def _fields(block: bytes, limit: int, boundary: str) -> Iterator[Pair]:
    for count, line in enumerate(block.decode("iso-8859-1").split("\r\n"), 1):
        if count > limit:
            raise Problem("part_headers_too_large", f"there are more than {limit} fields (M73)", rule="M73")
        yield _split_line(line, boundary, count)


def _split_line(line: str, boundary: str, count: int) -> Pair:
    if line.startswith((" ", "\t")):
        what = f"the line {line[:40]!a} is folded (M68, M69)"
        raise Problem("part_header_syntax", what, rule="M69" if count == 1 else "M68")
    name, colon, value = line.partition(":")
    if not colon or not TOKEN.fullmatch(name):
        what = f"{line[:40]!a} is not a valid field line (M36, M70)"
        is_delimiter = boundary != "" and line.startswith("--" + boundary)
        raise Problem("part_header_syntax", what, rule="M36" if is_delimiter else "M70")
    if CONTROL.search(value):
        what = f"the part header {name[:40]!a} contains a control character (M66)"
        raise Problem("part_header_syntax", what, rule="M66")
    return Pair(name.lower(), value.strip(BLANKS))


def _is_utf8(value: str) -> bool:
    try:
        value.encode("iso-8859-1").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _show(name: str, value: str) -> str:
    """Decode as UTF-8. If that fails, all of Content-Disposition is ISO-8859-1 (M51)."""
    if _is_utf8(value):
        return value.encode("iso-8859-1").decode("utf-8")
    if name == "content-disposition":
        return value
    what = f"the part header {name[:40]!a} is not UTF-8 (M51)"
    raise Problem("part_header_encoding", what, rule="M51")


def _once(fields: list[Pair]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in fields:
        if name in _ONCE and name in values:
            what = f"the part header {name!a} is there twice (M48, M49)"
            raise Problem("part_header_syntax", what, rule=_ONCE[name])
        values.setdefault(name, value)
    return values


def _media_type(value: str | None) -> MediaType | None:
    """The media type, or None without a value or if the value does not follow the grammar (M83)."""
    try:
        return None if value is None else read_media_type(value)
    except Problem:
        return None
