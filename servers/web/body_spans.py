"""The spans of a decoded body: fields and data of parts, pairs, JSON tokens. Offsets count in the body."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from ..contract.request import ParsedBody, PartHead
from ..sansio.stream import Role
from .fine_spans import Cutter, FineSpan
from .head_spans import pair_spans
from .json_spans import json_spans

Run = tuple[Role, bytes]
"""Bytes of the body and their role, as the parser reported them."""

_ROLES = {
    Role.BODY: "body",
    Role.PREAMBLE: "preamble",
    Role.DELIMITER: "delimiter",
    Role.PART_DATA: "part data",
    Role.CLOSE_DELIMITER: "close delimiter",
    Role.EPILOGUE: "epilogue",
}
# A parameter of a Content-Disposition that was accepted (M41 to M61).
_PARAMETER = re.compile(
    rb'([ \t]*;[ \t]*)(?:([^=; \t"]+)(=)("(?:[^"\\]|\\["\\]|\\(?!["\\]))*"|[^;" \t]*))?', re.DOTALL
)


class Part:
    """A part of a form: its header block, and its place in the result, such as `files[0]`."""

    def __init__(self, head: PartHead, place: str) -> None:
        self.head = head
        self.place = place

    @property
    def data_path(self) -> str:
        """The path of what the data of the part became."""
        return f"{self.place}.value" if self.place.startswith("form") else f"{self.place}.sha256"


def form_spans(runs: Iterable[Run], parts: Sequence[Part]) -> list[FineSpan]:
    """The spans of a multipart body. `parts` are those whose header blocks are in it, in order."""
    cutter = Cutter("part data")
    left = iter(parts)
    part: Part | None = None
    for role, group in groupby(runs, key=lambda run: run[0]):
        data = b"".join(piece for _, piece in group)
        if role is Role.PART_FIELD:
            part = next(left, None)
            cutter.extend(_header_spans(data, part))
        elif role is Role.PART_DATA and part is not None:
            cutter.extend(_data_spans(data, part))
        else:
            cutter.cut(len(data), rule=_structure_rule(role, data), role=_ROLES[role])
    return cutter.spans


def _structure_rule(role: Role, data: bytes) -> str:
    if role is Role.DELIMITER:
        return "M30" if data.endswith((b" \r\n", b"\t\r\n")) else "RFC 2046 5.1.1"
    return {Role.PREAMBLE: "M14", Role.CLOSE_DELIMITER: "M18", Role.EPILOGUE: "M16"}.get(role, "")


def _data_spans(data: bytes, part: Part) -> list[FineSpan]:
    cutter = Cutter("part data")
    is_field = part.place.startswith("form")
    rule = "M81" if is_field or part.head.filename is None else "M56" if part.head.filename == "" else "M32"
    cutter.cut(len(data), part.data_path, rule, how="charset" if is_field else "sha256")
    return cutter.spans


def _header_spans(block: bytes, part: Part | None) -> list[FineSpan]:
    """The spans of a header block with its empty line, if that does not belong to the delimiter (M34)."""
    cutter = Cutter("part header name")
    for index, line in enumerate(block.splitlines(keepends=True)):
        name, colon, rest = line.removesuffix(b"\r\n").partition(b":")
        if line == b"\r\n":
            cutter.cut(2, rule="RFC 2046 5.1", role="end of part header")
        elif part is None or not colon:
            cutter.cut(len(line))
        else:
            path = f"{part.place}.headers[{index}]"
            cutter.cut(len(name), f"{path}.name", "M41", how="lower")
            cutter.cut(1, rule="M41")
            cutter.extend(_header_value_spans(name.lower(), rest, path, part))
            cutter.cut(2, rule="M71", role="part header value")
    return cutter.spans


def _header_value_spans(name: bytes, rest: bytes, path: str, part: Part) -> list[FineSpan]:
    cutter = Cutter("part header value")
    value = rest.strip(b" \t")
    also = f"{path}.value"
    cutter.cut(
        len(rest) - len(rest.lstrip(b" \t")) if value else len(rest), rule="M41", role="part header name"
    )
    if name == b"content-disposition":
        cutter.extend(_disposition_spans(value, also, part))
    elif name == b"content-type" and part.place.startswith("files"):
        cutter.cut(len(value), f"{part.place}.content_type", "M83", also=also, how="header")
    else:
        rule = "M74" if name == b"content-transfer-encoding" else "M81" if name == b"content-type" else "M72"
        cutter.cut(len(value), also, rule, how="header")
    cutter.cut(len(rest) - len(rest.rstrip(b" \t")) if value else 0, rule="M41")
    return cutter.spans


def _disposition_spans(value: bytes, also: str, part: Part) -> list[FineSpan]:
    cutter = Cutter("part header value")
    kind = value.partition(b";")[0]
    cutter.cut(len(kind.rstrip(b" \t")), rule="M40", also=also)
    extended = {match[2].lower() for match in _PARAMETER.finditer(value, cutter.end) if match[2]}
    while cutter.end < len(value):
        match = _PARAMETER.match(value, cutter.end)
        if match is None:
            break
        cutter.cut(len(match[1]), rule="M43", also=also)
        if match[2] is not None:
            cutter.cut(len(match[2]) + 1, rule="M59", also=also)
            cutter.extend(_parameter_value(match[2].lower(), match[4], extended, also, part))
    cutter.cut(len(value) - cutter.end, rule="M43", also=also)
    return cutter.spans


def _parameter_value(name: bytes, value: bytes, names: set[bytes], also: str, part: Part) -> list[FineSpan]:
    cutter = Cutter("part header value")
    plain = name.removesuffix(b"*")
    key = plain.decode("ascii")
    is_field_with_filename = key == "filename" and part.place.startswith("form")
    if key not in ("name", "filename") or is_field_with_filename:
        cutter.cut(len(value), rule="M72", also=also)
    elif name.endswith(b"*"):
        cutter.cut(len(value), f"{part.place}.{key}", "M61", also=also, how="extended")
    elif plain + b"*" in names:
        cutter.cut(len(value), rule="M62", also=also)
    else:
        cutter.cut(len(value), f"{part.place}.{key}", _name_rule(value), also=also, how="name")
    return cutter.spans


def _name_rule(value: bytes) -> str:
    if b"%22" in value:
        return "M52"
    if b"\\" in value:
        return "M54"
    return "M50" if value.startswith(b'"') else "M59"


def plain_spans(data: bytes, body: ParsedBody, *, coded: bool, stored: bool) -> list[FineSpan]:
    """The spans of a body that is no form of parts, by its kind.

    `coded` says that it has a content coding, `stored` that its route stores what is not read.
    """
    if body.kind == "form":
        return pair_spans(data, "form", "body", "U6", how="form body")
    if body.kind == "json":
        return json_spans(data)
    cutter = Cutter("body")
    if body.kind == "text" and body.text is not None:
        cutter.cut(len(data), "text", "C12" if body.media_type else "C7", how="body charset")
    elif stored:
        cutter.cut(len(data), "files[0].sha256", _bytes_rule(body, coded), also="body.sha256", how="sha256")
    else:
        cutter.cut(len(data), "body.sha256", _bytes_rule(body, coded), how="sha256")
    return cutter.spans


def _bytes_rule(body: ParsedBody, coded: bool) -> str:
    if coded:
        return "B44"
    if body.media_type is None:
        return "C7"
    return "M12" if body.media_type.essence.startswith("multipart/") else "B1"
