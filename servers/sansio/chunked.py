"""The chunked transfer coding (RFC 9112 7.1). Every byte is compared before it is consumed."""

import re
from collections.abc import Generator

from ..contract.limits import MAX_CHUNK_SIZE_DIGITS, Limits
from ..contract.problems import Problem
from .fields import FORBIDDEN_TRAILERS, parse_field_line
from .grammar import QUOTED_STRING, TCHAR
from .stream import Incoming, Need, Role

# chunk-size [ chunk-ext ]; chunk-size = 1*HEXDIG;
# chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS ( token / quoted-string ) ] ) (RFC 9112 7.1.1)
_CHUNK_LINE = re.compile(
    rb"([0-9A-Fa-f]+)(?:[ \t]*;[ \t]*[%s]+(?:[ \t]*=[ \t]*(?:[%s]+|%s))?)*" % (TCHAR, TCHAR, QUOTED_STRING)
)


def read_chunks(
    incoming: Incoming, limits: Limits, *, has_content_type: bool
) -> Generator[Need | memoryview, None, None]:
    """The data of a chunked body, in pieces as they arrive. Trailers are checked and dropped (B28).

    Raises Problem `bad_chunk`, and `body_too_large` as soon as the size of a chunk exceeds the limit.
    """
    decoded = 0
    try:
        while size := (yield from _read_size(incoming, limits)):
            if size > limits.max_body - decoded:
                raise Problem("body_too_large", f"a body may have at most {limits.max_body} bytes")
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


def _read_size(incoming: Incoming, limits: Limits) -> Generator[Need, None, int]:
    line = yield from incoming.line(Role.CHUNK_SIZE, limits.max_chunk_line, "bad_chunk", "bad_chunk")
    return _chunk_size(line)


def _chunk_size(line: bytes) -> int:
    match = _CHUNK_LINE.fullmatch(line)
    if match is None:
        raise Problem("bad_chunk", f"the chunk-size line {line[:40]!r} is malformed")
    if len(match[1]) > MAX_CHUNK_SIZE_DIGITS:
        raise Problem("bad_chunk", f"a chunk size has more than {MAX_CHUNK_SIZE_DIGITS} digits")
    return int(match[1], 16)


def _expect_crlf(incoming: Incoming) -> Generator[Need, None, None]:
    for beginning in (b"\r", b"\r\n"):
        yield from incoming.at_least(len(beginning))
        if not incoming.startswith(beginning):
            what = "a chunk is not followed by CRLF where its size says it ends"
            raise incoming.refused(Role.END_OF_CHUNK, len(beginning), "bad_chunk", what)
    incoming.take(2, Role.END_OF_CHUNK)


def _read_trailers(
    incoming: Incoming, limits: Limits, *, has_content_type: bool
) -> Generator[Need, None, None]:
    count = 0
    while True:
        line = yield from incoming.line(Role.TRAILER, limits.max_field_line - 2, "bad_chunk", "bad_chunk")
        if not line:
            return
        if count == limits.max_trailers:
            raise Problem("bad_chunk", f"the body has more than {limits.max_trailers} trailers")
        name = _trailer_name(line)
        if name in FORBIDDEN_TRAILERS or (name == b"content-type" and has_content_type):
            raise Problem("bad_chunk", f"the trailer {name.decode('ascii')} is forbidden (RFC 9110 6.5.1)")
        has_content_type = has_content_type or name == b"content-type"
        count += b"_" not in name


def _trailer_name(line: bytes) -> bytes:
    try:
        return parse_field_line(line)[0]
    except Problem as problem:
        raise Problem("bad_chunk", f"in a trailer: {problem.detail}") from None
