"""Lines at a limit, and random heads and chunked bodies close to it, for tests of both readings."""

import random

from servers.contract.limits import Limits

SMALL = Limits(max_request_line=60, max_field_line=40, max_fields=6, max_trailers=3, max_chunk_line=12)
"""Small limits, so that short lines reach them."""

_REQUEST_LINES = (
    *(b"GET / HTTP/1.1", b"GET / HTTP/1.1", b"GET / HTTP/1.1", b"POST /a?b=c HTTP/1.1", b"GET / HTTP/1.0"),
    *(b"GET http://h/ HTTP/1.1", b"GET https://h:1?q HTTP/1.9", b"OPTIONS * HTTP/1.1", b"PUT //a HTTP/1.1"),
    *(b"CONNECT h:80 HTTP/1.1", b"GET /%2f%c3%a9 HTTP/1.1", b"GET /?a=%ff HTTP/1.1", b"GET /%00 HTTP/1.1"),
)
_NAMES = (
    *(b"X-A", b"x-a", b"X_A", b"Host", b"Cookie", b"cookie", b"Content-Type", b"Content-Length", b"Expect"),
    *(b"Transfer-Encoding", b"Authorization", b"Range", b"Accept", b"Connection", b"Content_Type", b"TE"),
)
_VALUES = (
    *(b"", b"1", b"03", b"3,3", b"chunked", b"gzip, chunked", b"100-continue", b"h", b"[::1]:8", b"a=1; b=2"),
    *(b"a, b", b"Basic dTpw", b"Bearer \xe9", b"a/b", b"close", b";;", b"=", b",", b"\x85", b"\xa0", b"\xff"),
)
_BLANKS = (b"", b"", b" ", b" ", b"\t", b"   ", b" \t ")
_FILLERS = (b"x", b" ", b"\t", b"\xe9", b",", b";", b"0", b"_")


def some_head(rng: random.Random) -> bytes:
    """A head with 0 to 8 fields and Host, often with a fault."""
    line = rng.choice(_REQUEST_LINES)
    if rng.random() < 0.15:
        line = _filled_up(line, rng.choice((b" ", b"/", b"?", b".")), SMALL.max_request_line, rng)
    fields = [_field(rng) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4, 5, 6, 8)))]
    if rng.random() < 0.9:
        fields.insert(rng.randint(0, len(fields)), b"Host: h")
    before = rng.choice((b"", b"", b"", b"", b"", b"\r\n", b"\r\n\r\n", b"\n"))
    return before + b"\r\n".join((_with_an_octet_more(line, rng), *fields, b"", b"body"))


def some_chunks(rng: random.Random) -> bytes:
    """A chunked body with 0 to 5 trailers, often with a fault."""
    chunks = [_chunk(rng) for _ in range(rng.randrange(3))]
    last = rng.choice((b"0", b"0", b"0", b"00", b"0" * 12, b"0" * 13, b"0;" + b"x" * 10, b"0;" + b"x" * 11))
    names = (b"X-A", b"X_A", b"_", b"Y", b"Z-1", rng.choice(_NAMES))
    trailers = [
        _field(rng) if rng.random() < 0.2 else rng.choice(names) + b": v" for _ in range(rng.randrange(6))
    ]
    return b"".join(chunks) + b"\r\n".join((last, *trailers, b"", b""))


def _field(rng: random.Random) -> bytes:
    value = b"".join(rng.choice(_VALUES) for _ in range(rng.choice((1, 1, 1, 2))))
    if rng.random() < 0.1:
        value += bytes([rng.randrange(256)])
    line = rng.choice(_NAMES) + b":" + rng.choice(_BLANKS) + value + rng.choice(_BLANKS)
    if rng.random() < 0.25:
        line = _filled_up(line, rng.choice((b":", b":", b" ", b",", b";")), SMALL.max_field_line - 2, rng)
    return _with_an_octet_more(line, rng)


def _chunk(rng: random.Random) -> bytes:
    data = rng.choice((b"a", b"ab", b"\r\n", b"0123456789abcdef"))
    extension = rng.choice(
        (b"", b"", b"", b";a", b";a=b", b' ; a = "q"', b";", b";=x", b';a="\\\xe9"', b';a="')
    )
    line = b"%x" % len(data) + extension
    if rng.random() < 0.15:
        line = _filled_up(line, rng.choice((b";", b"=", b'"')), SMALL.max_chunk_line, rng)
    return _with_an_octet_more(line, rng) + b"\r\n" + data + rng.choice((b"\r\n",) * 30 + (b"\n", b"\r", b""))


def _filled_up(line: bytes, after: bytes, limit: int, rng: random.Random) -> bytes:
    """The line, filled up behind the first `after` or at its end to about the limit."""
    before, mark, rest = line.partition(after)
    return before + mark + rng.choice(_FILLERS) * (limit + rng.choice((-1, 0, 1, 2)) - len(line)) + rest


def _with_an_octet_more(line: bytes, rng: random.Random) -> bytes:
    """The line, rarely with one random octet more."""
    if rng.random() > 0.02:
        return line
    at = rng.randint(0, len(line))
    return line[:at] + bytes([rng.randrange(256)]) + line[at:]
