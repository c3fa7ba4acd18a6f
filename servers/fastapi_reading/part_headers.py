"""The header fields of a part, once python-multipart has told them apart (RFC 7578 4.2): their meaning."""

from collections.abc import Sequence

from ..contract.problems import Problem
from ..contract.request import MediaType, Pair, PartHead
from .characters import OWS, controls
from .disposition import scan_disposition
from .media_types import scan_media_type

RawField = tuple[bytes, bytes]
_SINGLE = ("content-disposition", "content-type", "content-transfer-encoding")


def understand_part(fields: Sequence[RawField]) -> PartHead:
    """Raises Problem `part_header_*`, `disposition_*`, `name_missing`, `filename_ext`,
    `part_transfer_encoding`."""
    named = [(name.lower().decode("ascii"), _without_controls(name, value)) for name, value in fields]
    shown = tuple(Pair(name, _text(name, value)) for name, value in named)
    single: dict[str, bytes] = {}
    for name, value in named:
        if name in single:
            raise Problem("part_header_syntax", f"{name} stands twice in a part (M48, M49)")
        if name in _SINGLE:
            single[name] = value
    if "content-disposition" not in single:
        raise Problem("disposition_missing", "a part does not say what it is (M37)")
    disposition = scan_disposition(single["content-disposition"])
    coding = single.get("content-transfer-encoding", b"8bit").lower()
    if coding not in (b"7bit", b"8bit", b"binary"):
        raise Problem("part_transfer_encoding", f"a part is encoded as {coding[:40]!r} (M74, M75)")
    raw_type = single.get("content-type")
    content_type = None if raw_type is None else raw_type.decode("utf-8")
    return PartHead(disposition.name, disposition.filename, shown, content_type, _media_type(raw_type))


def _without_controls(name: bytes, value: bytes) -> bytes:
    """The value trimmed. Raises Problem `part_header_syntax` (M66); a TAB may stand inside."""
    if controls(value, but=b"\t"):
        raise Problem("part_header_syntax", f"a control character in the part header {name[:40]!r}")
    return value.strip(OWS)


def _text(name: str, value: bytes) -> str:
    """UTF-8; a disposition that is not is shown as ISO-8859-1 as a whole, for its filename (M51)."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        if name == "content-disposition":
            return value.decode("iso-8859-1")
        raise Problem("part_header_encoding", f"the part header {name} is not UTF-8 (M51)") from None


def _media_type(value: bytes | None) -> MediaType | None:
    """None where the type means nothing: it is then only shown (M81, M83)."""
    try:
        return scan_media_type(value) if value else None
    except Problem:
        return None
