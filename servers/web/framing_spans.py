"""The spans of what frames a message: the end of the head, chunk sizes, ends of chunks, trailers."""

import re

from ..sansio.stream import Role
from .fine_spans import Cutter, FineSpan

_SIZE = re.compile(rb"[0-9A-Fa-f]*")
_END = "RFC 9112 7.1"


def framing_spans(role: Role, line: bytes) -> list[FineSpan]:
    """The spans of one line with its CRLF. A line that was refused may be any bytes."""
    cutter = Cutter(_ROLES[role])
    if role in (Role.CHUNK_SIZE, Role.LAST_CHUNK):
        _cut_size(cutter, line)
    elif role is Role.TRAILER:
        name = line.partition(b":")[0]
        cutter.cut(len(name) if len(name) < len(line) else 0, rule="B28")
        cutter.cut(len(line) - cutter.end, rule="B28")
    else:
        cutter.cut(len(line), rule=_RULES[role])
    return cutter.spans


_ROLES = {
    Role.END_OF_HEAD: "end of head",
    Role.CHUNK_SIZE: "chunk size",
    Role.LAST_CHUNK: "chunk size",
    Role.END_OF_CHUNK: "end of chunk",
    Role.TRAILER: "trailer",
    Role.END_OF_CHUNKS: "end of chunks",
}
_RULES = {Role.END_OF_HEAD: "RFC 9112 2.1", Role.END_OF_CHUNK: "B34", Role.END_OF_CHUNKS: "B36"}


def _cut_size(cutter: Cutter, line: bytes) -> None:
    match = _SIZE.match(line)
    digits = match[0] if match else b""
    unusual = (digits.startswith(b"0") and len(digits) > 1) or digits != digits.lower()
    cutter.cut(len(digits), rule="B32" if unusual else "B30")
    end = len(line) - 2 if line.endswith(b"\r\n") else len(line)
    cutter.cut(end - len(digits), rule="B26")
    cutter.cut(len(line) - end, rule="B35")
