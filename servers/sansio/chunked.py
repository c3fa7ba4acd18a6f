"""The chunked transfer coding (RFC 9112 7.1). Every byte is compared before it is consumed."""

import re
from collections.abc import Generator

from ..contract.limits import MAX_CHUNK_SIZE_DIGITS, Limits
from ..contract.problems import Problem
from .fields import FORBIDDEN_TRAILERS, parse_field_line
from .grammar import QUOTED_STRING, TCHAR, end_of
from .stream import Incoming, LineFaults, Need, Role

# chunk-size [ chunk-ext ]; chunk-size = 1*HEXDIG;
# chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS ( token / quoted-string ) ] ) (RFC 9112 7.1.1)
_CHUNK_LINE = re.compile(
    rb"([0-9A-Fa-f]+)(?:[ \t]*;[ \t]*[%s]+(?:[ \t]*=[ \t]*(?:[%s]+|%s))?)*" % (TCHAR, TCHAR, QUOTED_STRING)
)
_HEX_DIGITS = re.compile(rb"[0-9A-Fa-f]+")
_EXTENSION = re.compile(rb"[ \t]*;[ \t]*[%s]+([ \t]*=[ \t]*(?:[%s]+|%s))?" % (TCHAR, TCHAR, QUOTED_STRING))
_BEGUN_EXTENSION = re.compile(rb"[ \t]*(?:;[ \t]*)?")
_BEGUN_VALUE = re.compile(rb"[ \t]*(?:=[ \t]*(?:%s)?)?" % QUOTED_STRING.removesuffix(b'"'))
# What int(text, 16) accepts besides digits.
_OTHER_NUMBER = re.compile(rb"[ \t+]|0[Xx]|[0-9A-Fa-f]+(?:_|[ \t]+(?![ \t;]))")
_CHUNK_FAULTS = LineFaults("bad_chunk", "B27", "bad_chunk", "B35", "B27", lf_alone="B35", cr_cr_lf="B27")
_TRAILER_FAULTS = LineFaults("bad_chunk", "B29", "bad_chunk", "B35", "B29", lf_alone="B35", cr_cr_lf="B29")


def read_chunks(
    incoming: Incoming, limits: Limits, *, has_content_type: bool
) -> Generator[Need | memoryview, None, None]:
    """The data of a chunked body, in pieces as they arrive. Trailers are checked and dropped (B28).

    Raises Problem `bad_chunk`, and `body_too_large` as soon as the size of a chunk exceeds the limit.
    """
    decoded = 0
    try:
        while size := (yield from _read_size(incoming, limits, decoded)):
            decoded += size
            while size:
                yield from incoming.at_least(1)
                data = incoming.take(size)
                size -= len(data)
                yield data
            yield from _expect_crlf(incoming)
        yield from _read_trailers(incoming, limits, has_content_type=has_content_type)
    except Problem as problem:
        raise problem.at(f"after {decoded} bytes of the body") from None


def _read_size(incoming: Incoming, limits: Limits, decoded: int) -> Generator[Need, None, int]:
    line = yield from incoming.line(Role.CHUNK_SIZE, limits.max_chunk_line, _CHUNK_FAULTS)
    try:
        size = _chunk_size(line)
        if size > limits.max_body - decoded:
            what = f"a body may have at most {limits.max_body} bytes"
            raise Problem("body_too_large", what, rule="B33", offset=0)
    except Problem as problem:
        raise problem.behind(incoming.offset - len(line) - 2) from None
    return size


def _chunk_size(line: bytes) -> int:
    match = _CHUNK_LINE.fullmatch(line)
    if match is None:
        what = f"the chunk-size line {line[:40]!r} is malformed"
        raise Problem("bad_chunk", what, rule=_size_rule(line), offset=_fault_offset(line))
    if len(match[1]) > MAX_CHUNK_SIZE_DIGITS:
        what = f"a chunk size has more than {MAX_CHUNK_SIZE_DIGITS} digits"
        raise Problem("bad_chunk", what, rule="B33", offset=MAX_CHUNK_SIZE_DIGITS)
    return int(match[1], 16)


def _size_rule(line: bytes) -> str:
    """Which rule forbids a chunk-size line."""
    if _OTHER_NUMBER.match(line):
        return "B30"
    return "B27" if _HEX_DIGITS.match(line) and b";" in line else "B31"


def _fault_offset(line: bytes) -> int:
    """The offset of the first byte of a chunk-size line that cannot be accepted."""
    at = end_of(_HEX_DIGITS, line)
    if at == 0:
        return 0
    begun = _BEGUN_EXTENSION
    while match := _EXTENSION.match(line, at):
        at = match.end()
        begun = _BEGUN_VALUE if match[1] is None else _BEGUN_EXTENSION
    return max(end_of(_BEGUN_EXTENSION, line, at), end_of(begun, line, at))


def _expect_crlf(incoming: Incoming) -> Generator[Need, None, None]:
    for beginning in (b"\r", b"\r\n"):
        yield from incoming.at_least(len(beginning))
        if not incoming.startswith(beginning):
            what = "a chunk is not followed by CRLF where its size says it ends"
            problem = Problem("bad_chunk", what, rule="B34", offset=len(beginning) - 1)
            raise incoming.refused(Role.END_OF_CHUNK, len(beginning), problem)
    incoming.take(2, Role.END_OF_CHUNK)


def _read_trailers(
    incoming: Incoming, limits: Limits, *, has_content_type: bool
) -> Generator[Need, None, None]:
    count = 0
    while True:
        line = yield from incoming.line(Role.TRAILER, limits.max_field_line - 2, _TRAILER_FAULTS)
        if not line:
            return
        offset = incoming.offset - len(line) - 2
        if count == limits.max_trailers:
            what = f"the body has more than {limits.max_trailers} trailers"
            raise Problem("bad_chunk", what, rule="B29", offset=offset)
        name = _trailer_name(line, offset)
        if name in FORBIDDEN_TRAILERS or (name == b"content-type" and has_content_type):
            what = f"the trailer {name.decode('ascii')} is forbidden (RFC 9110 6.5.1)"
            raise Problem("bad_chunk", what, rule="B29", offset=offset)
        has_content_type = has_content_type or name == b"content-type"
        count += b"_" not in name


def _trailer_name(line: bytes, offset: int) -> bytes:
    try:
        return parse_field_line(line)[0]
    except Problem as problem:
        at = problem.behind(offset).offset
        raise Problem("bad_chunk", f"in a trailer: {problem.detail}", rule="B29", offset=at) from None
