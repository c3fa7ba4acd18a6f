"""Productions of body framing: lengths, codings, chunks, trailers (RFC 9112, sections 6 and 7): rules B."""

from . import limit_grammar
from .draft import Draft, Place, Production, Rng, fault, valid

_LONGEST_LENGTH = limit_grammar.LINE - len("Content-Length: \r\n")
LENGTHS = (
    valid("B1", b"@N"),
    valid("B6", b"000@N", b"0@N"),
    valid("H11 B1", b" \t@N\t "),
    valid("H30 B6", b"@L", tier=1),
)
"""Content-Length values; `@N` is the length, `@L` too, with zeros that make the line as long as it may be."""

CODINGS = (
    valid("B15", b"chunked", b"Chunked", b"CHUNKED", b"\tchunked", b"  chunked \t"),
    valid("B15", b"chunked"),
    *limit_grammar.CODINGS,
)
SIZES = (
    valid("B32", b"000@X", b"@X", b"@x"),
    valid("B26", b"@x;a=b", b'@x ; a = "q;\\"" ;b', b"@x;@w", b'@x;a="\xe9"'),
    *limit_grammar.CHUNK_LINES,
)
"""Chunk-size lines; `@x` and `@X` are the size, `@Z` is the size in 16 digits."""

LAST_CHUNKS = (
    valid("B32", b"0", b"00", b"0000"),
    valid("B26", b"0;last", b"0 ; a=b"),
    *limit_grammar.CHUNK_LINES,
)
TRAILERS = (
    valid("B28", b"X-A: 1\r\n", b"Expires: 0\r\nx-b:\r\n", b"X_A: 1\r\n", b"X-A: \xe9@w\r\n"),
    valid("B28 H14", b"X-A: @v@v\r\n", b"X-A:@v\r\nCookie:@v\r\n"),
    *limit_grammar.TRAILERS,
)


def _around(before: bytes, production: Production, after: bytes) -> Production:
    """The production with the same bytes before and after each of its samples."""
    samples = tuple(before + sample + after for sample in production.samples)
    return Production(production.rules, samples, production.own_tier, production.faults)


# Lines in the place of the correct Content-Length (RFC 9112, section 6.3).
LINE_FAULTS = (
    fault(
        "B5", b"Content-Length: -1", b"Content-Length: +@N", b"Content-Length: 0x3", b"Content-Length: 1 0"
    ),
    fault(
        "B5", b"Content-Length: 1_0", b"Content-Length: 3.0", b"Content-Length:", b"Content-Length: \xd9\xa3"
    ),
    fault("B5", b"Content-Length: \xb2", b"Content-Length: a", b"Content-Length: 3\x0b"),
    fault("B7", b"Content-Length: " + b"9" * 23, b"Content-Length: " + b"7" * 5000),
    fault("B8", b"Content-Length: @N\r\nContent-Length: @N"),
    fault("B9", b"Content-Length: @N\r\nContent-Length: 0", b"Content-Length: 1\r\ncontent-length: @N"),
    fault("B10", b"Content-Length: @N, @N", b"Content-Length: @N,0", b"Content-Length: ,@N"),
    fault(
        "B16",
        b"Content-Length: @N\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 0",
    ),
    fault("B17", b"Transfer-Encoding: identity", b"Transfer-Encoding: Identity "),
    fault("B18", b"Transfer-Encoding: gzip", b"Transfer-Encoding: @w"),
    fault("B19", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: identity,@w\t,chunked"),
    fault(
        "B20",
        b"Transfer-Encoding: chunked, gzip",
        b"Transfer-Encoding: chunked, chunked",
        b"Transfer-Encoding: chunked,",
    ),
    fault("B20", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", tier=2),
    fault(
        "B21",
        b"Transfer-Encoding: xchunked",
        b'Transfer-Encoding: "chunked"',
        b"Transfer-Encoding: chunked;x=1",
    ),
    fault("B21", b"Transfer-Encoding:", b"Transfer-Encoding: ,chunked", b"Transfer-Encoding: chunked\xa0"),
    fault("B22", b"Transfer-Encoding: \x0bchunked", b"Transfer-Encoding: chunked\x0c"),
    fault(
        "B41",
        b"Content-Length: 17179869185",
        b"Content-Length: 99999999999",
        b"Content-Length: 00018000000000",
    ),
    fault("B39", b"Expect: 100-continue\r\nContent-Length: 99999999999", tier=2),
    fault("H12", b"Content-Length: 1\x00"),
)

# In the place of one chunk; `@x` is its size, `@D` its data.
CHUNK_FAULTS = (
    fault(
        "B27",
        b"@x;\r\n@D\r\n",
        b"@x;=x\r\n@D\r\n",
        b"@x;a=\r\n@D\r\n",
        b'@x;a="b\r\n@D\r\n',
        b"@x;a b\r\n@D\r\n",
    ),
    *(_around(b"", production, b"\r\n@D\r\n") for production in limit_grammar.CHUNK_LINE_FAULTS),
    fault("B27", b"@x;" + b"e" * 300 + b"\r\n@D\r\n", b"@x;a\rb\r\n@D\r\n", b"@x;a\nb\r\n@D\r\n"),
    fault("B30", b"0x@x\r\n@D\r\n", b"+@x\r\n@D\r\n", b"0_@x\r\n@D\r\n", b"@x \r\n@D\r\n", b" @x\r\n@D\r\n"),
    fault("B31", b"-@x\r\n@D\r\n", b"zz\r\n@D\r\n", b"\r\n@D\r\n", b"g@x\r\n@D\r\n"),
    fault(
        "B33", b"0000000000000000@x\r\n@D\r\n", b"fffffffffffffffff\r\n@D\r\n", b"ffffffffffffffff\r\n@D\r\n"
    ),
    # Refused before its data arrive: only a server that reads the chunks itself can do so (B33).
    fault("B43 B33", b"400000001\r\n@D\r\n", b"FFFFFFFFFF\r\n@D\r\n"),
    fault("B34", b"@x\r\n@Dx\r\n", b"@x\r\n@D\n\n", b"@x\r\n@Dxx", b"@x\r\n@D\r\r\n"),
    fault("B35", b"@x\n@D\r\n", b"@x\r\n@D\n", b"@x\n@D\n"),
)
LAST_CHUNK_FAULTS = (
    fault("B35", b"0\n\r\n", b"0\r\n\n", b"0\r\nX: 1\n\r\n"),
    fault("B36", b"", b"0", b"0\r\n", b"0\r", b"0\r\nX-A: 1\r\n", b"0\r\nX-A", b"1\r\n"),
    fault(
        "B29",
        b"0\r\nHost: h\r\n\r\n",
        b"0\r\nContent-Length: 0\r\n\r\n",
        b"0\r\ntransfer-encoding: x\r\n\r\n",
    ),
    fault("B29", b"0\r\nTrailer: X\r\n\r\n", b"0\r\nTE: trailers\r\n\r\n", b"0\r\nAuthorization: a\r\n\r\n"),
    fault("B29", b"0\r\nX-A : 1\r\n\r\n", b"0\r\nX-A\r\n\r\n", b"0\r\n X-A: 1\r\n\r\n", b"0\r\n: 1\r\n\r\n"),
    fault("B29", b"0\r\nX-A: \x00\r\n\r\n", b"0\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\n"),
    *(_around(b"0\r\n", production, b"\r\n") for production in limit_grammar.TRAILER_FAULTS),
    *(_around(b"", production, b"\r\n\r\n") for production in limit_grammar.CHUNK_LINE_FAULTS),
    fault("B29", b"0\r\nX-A: 1\r\n f\r\n\r\n", tier=2),
    fault("B31", b"zero\r\n\r\n", b"-0\r\n\r\n"),
)


def frame_by_length(draft: Draft, rng: Rng) -> None:
    """Content-Length in one of its spellings; half of the requests without a body have none."""
    if draft.framing is not None:
        return
    if not draft.body and rng.random() < 0.5:
        draft.framing = []
        draft.covers("B11")
        return
    value = draft.use(rng.choice(LENGTHS), rng).replace(b"@N", b"%d" % len(draft.body))
    value = value.replace(b"@L", b"%0*d" % (_LONGEST_LENGTH, len(draft.body)))
    draft.framing = [b"Content-Length: " + value]


def frame_by_chunks(
    draft: Draft, rng: Rng, chunk_fault: Production | None = None, last_fault: Production | None = None
) -> None:
    """Chunks of random sizes, the last chunk, and sometimes trailers; at most one of them has a fault."""
    draft.framing = [b"Transfer-Encoding: " + draft.use(rng.choice(CODINGS), rng)]
    if draft.method == b"GET":
        draft.covers("B24")
    if draft.multipart:
        draft.covers("M90")
    pieces = _split(draft.body or (b"data" if chunk_fault else b""), rng)
    faulty = rng.randrange(len(pieces)) if chunk_fault else -1
    encoded = []
    for position, piece in enumerate(pieces):
        if position == faulty and chunk_fault:
            encoded.append(_sized(draft.use(chunk_fault, rng), piece).replace(b"@D", piece))
            continue
        # Extensions raise the tier above that of a development server, so most chunks have none.
        line = draft.use(rng.choice(SIZES), rng) if rng.random() < 0.2 else b"@x"
        encoded += [_sized(line, piece), b"\r\n", piece, b"\r\n"]
    encoded.append(_sized(draft.use(last_fault, rng), b"") if last_fault else _last_chunk(draft, rng))
    draft.body = b"".join(encoded)


def _last_chunk(draft: Draft, rng: Rng) -> bytes:
    line = _sized(draft.use(rng.choice(LAST_CHUNKS), rng), b"") if rng.random() < 0.2 else b"0"
    trailers = draft.use(rng.choice(TRAILERS), rng) if rng.random() < 0.2 else b""
    return line + b"\r\n" + trailers + b"\r\n"


def _sized(line: bytes, piece: bytes) -> bytes:
    for placeholder, size in ((b"@x", b"%x"), (b"@X", b"%X"), (b"@Z", b"%016x")):
        line = line.replace(placeholder, size % len(piece))
    return line


def _split(body: bytes, rng: Rng) -> list[bytes]:
    """The body in 1 to 8 pieces. None is empty, because a chunk of size zero ends the body."""
    if not body:
        return []
    edges = sorted({rng.randrange(1, len(body)) for _ in range(rng.randrange(8))}) if len(body) > 1 else []
    return [body[start:end] for start, end in zip([0, *edges], [*edges, len(body)], strict=True)]


def place_line_fault(draft: Draft, rng: Rng, production: Production) -> None:
    """Framing lines with a fault."""
    lines = draft.use(production, rng).replace(b"@N", b"%d" % len(draft.body))
    draft.framing = [lines]


def place_short_body(draft: Draft, rng: Rng, production: Production) -> None:
    """Fewer bytes than Content-Length says, then the end (B2)."""
    draft.note(production)
    body = draft.body or b"x"
    draft.framing = [b"Content-Length: %d" % (len(body) + rng.choice((0, 1, 2, 7, 100_000)))]
    draft.body = body[: rng.randrange(len(body))]


def place_chunk_fault(draft: Draft, rng: Rng, production: Production) -> None:
    """One chunk with a fault among correct chunks."""
    frame_by_chunks(draft, rng, chunk_fault=production)


def place_last_chunk_fault(draft: Draft, rng: Rng, production: Production) -> None:
    """A last chunk, or trailers, with a fault after correct chunks."""
    frame_by_chunks(draft, rng, last_fault=production)


def place_chunked_1_0(draft: Draft, rng: Rng, production: Production) -> None:
    """Chunks in HTTP/1.0 (B23)."""
    frame_by_chunks(draft, rng)
    draft.note(production)
    draft.version = b"HTTP/1.0"


FRAMING_FAULTS: tuple[tuple[Place, tuple[Production, ...]], ...] = (
    (place_line_fault, LINE_FAULTS),
    (place_short_body, (fault("B2", b""),)),
    (place_chunk_fault, CHUNK_FAULTS),
    (place_last_chunk_fault, LAST_CHUNK_FAULTS),
    (place_chunked_1_0, (fault("B23", b""),)),
)
"""Faults of the framing: the function that places each production after the body, and the productions."""
