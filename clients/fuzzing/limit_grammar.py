"""Lines and counts at the limits of heads and of chunked framing: one below, at the limit, and one over it.

A *way* is a line that is filled up: the octet in angle brackets is repeated until the line has its size. So a
limit is reached through names, values, blanks, separators and octets beyond ASCII alike. Each limit is on the
bytes as sent, and a backend that counts anything else differs in one of the ways.
"""

from .draft import Draft, Place, Production, Rng, fault, valid

LINE = 8190
"""Bytes of the longest request line without its CRLF, and of the longest field line with it (R41, H30)."""

_CRLF = 2
_CHUNK_LINE = 256
_COUNT = 100

_FIELD_WAYS = (
    *(b"X-A: <v>", b"X-A:<v>", b"X-A:  \t<v>", b"X-A:<v> \t", b"X-A:< >", b"X-A:<\t>v", b"X-A: v< >"),
    *(b"<x>: v", b"<x>:", b"X_A:<v>", b"<_>: v", b"X-A:<\xe9>", b"X-A: <\x80>", b"X-A:<,>", b"X-A: a,<b>,"),
)
_COOKIE_WAYS = (b"Cookie:<a>", b"Cookie: a=<b>; c=d", b"Cookie:<;>", b"cookie: a<;> b", b"Cookie: a=1<,>")
_CHUNK_WAYS = (
    *(b"@Z;<e>", b"@Z;a=<v>", b'@Z;a="<q>"', b'@Z;a="<\xe9>"', b"@Z< >;a", b"@Z;<\t>a", b"@Z;a< >=b"),
    b'@Z;a;b="<;>"',
)
"""`@Z` is the size of the chunk, in 16 digits."""


def filled(way: bytes, size: int) -> bytes:
    """`way` with the octet in angle brackets repeated, so that the line has `size` bytes."""
    before, _, rest = way.partition(b"<")
    octet, after = rest[:1], rest[2:]
    return before + octet * (size - len(before + after)) + after


def _lines(ways: tuple[bytes, ...], *excesses: int, end: bytes = b"") -> tuple[bytes, ...]:
    """Each way as a field line of the limit and so many bytes more."""
    return tuple(filled(way, LINE - _CRLF + excess) + end for way in ways for excess in excesses)


def _values(way: bytes, *excesses: int) -> tuple[bytes, ...]:
    """The value of such a field line, which is written with one blank after the colon."""
    return tuple(line.partition(b": ")[2] for line in _lines((way,), *excesses))


def _chunk_lines(*excesses: int) -> tuple[bytes, ...]:
    sizes = [_CHUNK_LINE - 16 + len(b"@Z") + excess for excess in excesses]
    return tuple(filled(way, size) for way in _CHUNK_WAYS for size in sizes)


def _numbered(line: bytes, count: int) -> bytes:
    """So many lines, with their number in the place of `#`."""
    return b"".join(line.replace(b"#", b"%d" % number) for number in range(count))


# A development server reads what is within a limit. It hides blanks and joins lines, so what is over is T2.
FIELDS = (
    valid("H30", *_lines(_FIELD_WAYS, -1, 0), tier=1),
    valid("H30 K15", *_lines(_COOKIE_WAYS, -1, 0), tier=1),
    valid("H20 H30", *(b"\r\n".join([line] * 2) for line in _lines((b"X-A:<v>", b"Accept:<,>"), 0)), tier=1),
    valid(
        "H21 K15",
        b"\r\n".join(_lines(_COOKIE_WAYS, 0)),
        b"\r\n".join([b"Cookie: a=" + b"x" * 4988] * 2),
        b"\r\n".join([b"Cookie: a=" + b"x" * 988] * 10),
    ),
    valid("H30 B37", *_lines((b"Expect:< >100-continue", b"expect: 100-Continue<\t>"), -1, 0), tier=2),
)
FIELD_FAULTS = (
    fault("H30", *_lines(_FIELD_WAYS, 1)),
    fault("H30", *_lines(_COOKIE_WAYS, 1)),
    fault(
        "H30", *_lines((b"Authorization: Basic <A>", b"Expect: 100-continue< >", b"Content-Length: <0>"), 1)
    ),
    fault("H30 H21", *(b"Cookie: a=1\r\n" + line for line in _lines(_COOKIE_WAYS, 1))),
)
HOSTS = (valid("H30 H28", *_values(b"Host: <a>", -1, 0), *_values(b"Host: h:<0>80", 0), tier=1),)
HOST_FAULTS = (fault("H30", *_values(b"Host: <a>", 1), *_values(b"Host: h< >", 1)),)
CREDENTIALS = (valid("H30 A8", *_values(b"Authorization: Basic <A>", -1, 0), tier=1),)
TYPES = (
    valid("H30 C3", *_values(b"Content-Type: text/csv<;>", -1, 0), tier=1),
    valid(
        "H30 C1",
        *_values(b"Content-Type: a/b;x=<y>", 0),
        *_values(b'Content-Type: a/b;x="<\xe9>"', 0),
        tier=1,
    ),
)
TYPE_FAULTS = (fault("H30", *_values(b"Content-Type: text/csv<;>", 1), *_values(b"Content-Type: a/b< >", 1)),)
CODINGS = (
    valid(
        "H30 B15",
        *(_values(b"Transfer-Encoding: %s" % way, 0)[0] for way in (b"< >chunked", b"chunked<\t>")),
        tier=1,
    ),
)
TRAILERS = (
    valid("B28", *_lines(_FIELD_WAYS, -1, 0, end=b"\r\n")),
    valid("B28", *(_numbered(line, _COUNT) for line in (b"X-#: 1\r\n", b"X-A: #\r\n", b"X-A:\r\n"))),
    valid("B28 H17", _numbered(b"X_#: 1\r\n", _COUNT + 1), _numbered(b"_:\r\n", _COUNT + 1)),
    valid("B28 H17", _numbered(b"_:\r\nX-A: #\r\n", _COUNT), _numbered(b"X_#:\r\nX-#:\r\n", _COUNT)),
)
TRAILER_FAULTS = (
    fault("B29", *_lines(_FIELD_WAYS, 1, end=b"\r\n")),
    fault("B29", *(_numbered(line, _COUNT + 1) for line in (b"X-#: 1\r\n", b"X-A: #\r\n", b"X-A:\r\n"))),
    fault("B29 H17", _numbered(b"X-#: 1\r\n", _COUNT) + b"X_A: 1\r\n"),
)
CHUNK_LINES = (valid("B26 B32", *_chunk_lines(-1, 0)),)
CHUNK_LINE_FAULTS = (fault("B27", *_chunk_lines(1)),)

_TARGETS = (
    valid("R41", b"/<x>", b"/?a=<x>", b"/?<&>", b"/<%>", b"/a?<+>", b"http://h/<x>", b"http://<h>", tier=1),
    valid("R41 R31", b"</>"),
)
_TARGET_FAULTS = (fault("R41", b"/<x>", b"/?a=<x>", b"/<%>", b"http://h/<x>", b"http://<h>"),)
METHOD_LINES = tuple(
    fault(rules, *(filled(b"<G> / HTTP/1.1", LINE + excess) + b"\r\n" for excess in excesses))
    for rules, excesses in (("R40", (-1, 0)), ("R41", (1,)))
)
_FIELDS = (
    valid("H29", b"X-#: #", b"X-A: #", b"X-A:", b"Cookie: c#=#", b"Cookie:", b"Accept: #, #"),
    valid("H29 H17", b"X_#: 1\r\nX-#: 1", b"_: #\r\nX_#: 1\r\nX-A: #"),
)
_FIELD_COUNT_FAULTS = (fault("H29", *(sample for production in _FIELDS for sample in production.samples)),)


def _excess(production: Production, rng: Rng) -> int:
    return 1 if production.faults else rng.choice((-1, 0))


def place_target(draft: Draft, rng: Rng, production: Production) -> None:
    """A request line at its limit, or over it."""
    size = LINE + _excess(production, rng) - len(b"%s  %s" % (draft.method, draft.version))
    draft.target = filled(draft.use(production, rng), size)
    if draft.host is None:
        draft.tier = 2  # a development server takes the Host from an absolute-form target


def place_fields(draft: Draft, rng: Rng, production: Production) -> None:
    """As many fields as are allowed, or one more.

    Host, Content-Type and framing are fields. A name with an underscore does not count, but after the
    hundredth counted field no other line is allowed (H29).
    """
    count = _COUNT - 3 + _excess(production, rng)
    way = draft.use(production, rng)
    draft.lines = [way.replace(b"#", b"%d" % number) for number in range(count)]
    draft.content_type, draft.host, draft.framing, draft.body = (
        b"text/plain",
        b"h",
        [b"Content-Length: 0"],
        b"",
    )


def place_cookies(draft: Draft, rng: Rng, production: Production) -> None:
    """Many cookies in one line (K15)."""
    count = int(draft.use(production, rng))
    draft.lines.append(b"Cookie: " + b"; ".join(b"c%d=%d" % (number, number) for number in range(count)))


LIMITS: tuple[tuple[Place, tuple[Production, ...]], ...] = (
    (place_target, _TARGETS),
    (place_fields, _FIELDS),
    (place_cookies, (valid("K15", b"300"),)),
)
"""Heads at a limit: the function that places each production, and the productions."""

LIMIT_FAULTS: tuple[tuple[Place, tuple[Production, ...]], ...] = (
    (place_target, _TARGET_FAULTS),
    (place_fields, _FIELD_COUNT_FAULTS),
)
"""Heads that are over a limit by one."""
