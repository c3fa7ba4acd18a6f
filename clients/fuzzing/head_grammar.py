"""Productions of the request line and of the field lines (RFC 9112, sections 2 to 5): rules R and H."""

from . import limit_grammar
from .draft import Draft, Place, Production, Rng, fault, valid

METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS")

TARGETS = (
    valid("R1", b"/a?b=c", b"/", b"/@w/@w?@w=@n"),
    valid("R20", b"/%41%20b", b"/@w%2e@w", b"/%C3%A9"),
    valid("R21", b"/a%2Fb", b"/a%2fb/@w", b"/%2F%2f"),
    valid("R22", b"/%zz", b"/100%", b"/%4", b"/@w%%20"),
    valid("R25", b"/%2525", b"/%252F", b"/%25"),
    valid("R28", b"/a[]{}|", b'/"<>^`\\', b"/@w[0]?@w[]={@n}"),
    valid("R30", b"/a/../b", b"/%2e%2e/@w", b"/./@w/.", b"/..", b"/@w/../@w"),
    valid("R31", b"//a//b", b"///", b"//@w/?@w"),
    valid("R32", b"/a;p=1?x=1;y=2", b"/;@w"),
    valid("R33", b"/a??x=1?2", b"/???@w"),
    valid("R34", b"/a?", b"/?"),
    valid("R35 U3 U5", b"/?a&b=&=c&&d=1&d=2", b"/?&&@w=@n&", b"/?=&@w&@w"),
    valid("R36", b"/?a=%zz&%&%4", b"/?@w=100%&@w=%G0"),
    valid("R23", b"/?a=%00%0d%0a", b"/?@w=%7f%1F"),
    valid("R37", b"/?a=%c3%a9", b"/@w?%E6%96%87=%f0%9f%98%80"),
    valid("U1", b"/a+b?c+d=e+f%2B", b"/?+=+"),
)
ABSOLUTE = (
    valid("R2", b"http://o.example:81/p?q=1", b"HTTP://@w/@w", b"http://[::1]:8000/@w?@w=@n"),
    valid("R3", b"http://h", b"http://h?q=1", b"http://@w:80"),
)

# Whole request lines with their line ends; each has exactly one fault.
LINE_FAULTS = (
    fault(
        "R2", b"GET http://u@@h/ HTTP/1.1\r\n", b"GET http:///p HTTP/1.1\r\n", b"GET ftp://h/p HTTP/1.1\r\n"
    ),
    fault("R2", b"GET https://h/@w HTTP/1.1\r\n", b"POST HTTPS://localhost:8000/ HTTP/1.1\r\n"),
    fault(
        "R4",
        b"GET http://[x/ HTTP/1.1\r\n",
        b"GET http://h:x/ HTTP/1.1\r\n",
        b"GET http://a%zz/ HTTP/1.1\r\n",
    ),
    fault(
        "R6",
        b"GET * HTTP/1.1\r\n",
        b"GET foo HTTP/1.1\r\n",
        b"GET h:80 HTTP/1.1\r\n",
        b"POST ?a HTTP/1.1\r\n",
    ),
    fault("R7", b"CONNECT h:80 HTTP/1.1\r\n", b"CONNECT / HTTP/1.1\r\n"),
    fault("R10", b"GET / HTTP/2.0\r\n", b"POST / HTTP/3.0\r\n", b"GET / HTTP/0.9\r\n", b"PRI * HTTP/2.0\r\n"),
    fault(
        "R11",
        b"GET / http/1.1\r\n",
        b"GET / HTTP/1\r\n",
        b"GET / HTTPS/1.1\r\n",
        b"GET / HTTP/1.1.1\r\n",
        b"GET / HTTP/11.1\r\n",
    ),
    fault("R12", b"GET / HTTP/01.1\r\n", b"GET / HTTP/1.10\r\n"),
    fault("R13", b"GET /\r\n", b"GET\r\n", b"GET / \r\n"),
    fault(
        "R14", b"GET  / HTTP/1.1\r\n", b"GET\t/ HTTP/1.1\r\n", b" GET / HTTP/1.1\r\n", b"GET / HTTP/1.1 \r\n"
    ),
    fault("R15", b"GET /a b HTTP/1.1\r\n", b"POST /@w @w?@n HTTP/1.1\r\n", tier=2),
    fault("R17", b"\r\n\r\nGET / HTTP/1.1\r\n", b"\nGET / HTTP/1.1\r\n", b"\rGET / HTTP/1.1\r\n"),
    fault("R18", b"GET / HTTP/1.1\n", b"POST /@w HTTP/1.1\n"),
    fault("R19", b"GET /\r HTTP/1.1\r\n", b"GET / HTTP/1.1\r\r\n", b"GET\r / HTTP/1.1\r\n"),
    fault("R23", b"GET /%00 HTTP/1.1\r\n", b"GET /a%0d%0ab HTTP/1.1\r\n", b"POST /%7F?a HTTP/1.1\r\n"),
    fault("R24", b"GET /%ff%fe HTTP/1.1\r\n", b"GET /%c3/%a9 HTTP/1.1\r\n", b"GET /%ed%a0%80 HTTP/1.1\r\n"),
    fault("R26", b"GET /\xc3\xa9 HTTP/1.1\r\n", b"GET /?q=\xff HTTP/1.1\r\n"),
    fault("R27", b"GET /\x00 HTTP/1.1\r\n", b"GET /a\x7f HTTP/1.1\r\n", b"GET /\x0b HTTP/1.1\r\n", tier=2),
    fault("R29", b"GET /a?x=1#frag HTTP/1.1\r\n", b"POST /# HTTP/1.1\r\n"),
    fault("R37", b"GET /?a=%ff HTTP/1.1\r\n", b"GET /?%c3=%a9 HTTP/1.1\r\n", b"POST /a?%c0%af HTTP/1.1\r\n"),
    fault("R38", b"get / HTTP/1.1\r\n", b"Post /@w HTTP/1.1\r\n"),
    fault("R39", b"BREW / HTTP/1.1\r\n", b"TRACE /@w HTTP/1.1\r\n", b"QUERY /upload/ HTTP/1.1\r\n"),
    fault("R40", b"GO / HTTP/1.1\r\n", b"GE(T / HTTP/1.1\r\n", b"!#$%&'*+-.^`|~ / HTTP/1.1\r\n"),
    fault("R41", b"GET /" + b"y" * 20000 + b" HTTP/1.1\r\n", b"G" * 9000 + b" / HTTP/1.1\r\n"),
    *limit_grammar.METHOD_LINES,
    fault("R42", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", b"\x80.\x01\x00\x02\r\n"),
    fault("S3", b"GET /files/x HTTP/1.1\r\n", b"PUT /upload/a/b HTTP/1.1\r\n", b"GET /v1/@w HTTP/1.1\r\n"),
    fault(
        "S4",
        b"GET /upload/ HTTP/1.1\r\n",
        b"PUT /healthz HTTP/1.1\r\n",
        b"DELETE /v1/models HTTP/1.1\r\n",
    ),
)

FIELDS = (
    valid("H11", b"X-A: \t @w \t", b"X-A:", b"X-A:@w", b"X-B:\t"),
    valid("H14", b"X-A: \xe9\xff", b"X-A: \xc3\xa9 \x80"),
    valid("H14 H11", b"X-A:@v", b"X-A: @v@v@v", b"Accept: @v, @v", b"Range:@v", b"Connection: @v", b"@w: @v"),
    valid("H20 H14", b"X-A:@v\r\nX-A:@v", b"Accept: @v,@v\r\naccept:@v", b"@w:\r\n@w:@v"),
    valid("H21 K6", b"Cookie:@v\r\nCookie:@v", b"cookie:\r\nCookie: @v;@v\r\nCookie: @v"),
    valid("H16", b"!#$%&'*+-.^`|~1: @w"),
    valid("H17", b"X_A: @w", b"Content_Length: 3", b"_: @t"),
    valid("H18", b"X_A: 1\r\nX-A: 2", b"X-A: 2\r\nX_A: 1"),
    valid("H19", b"X-aBC: @w", b"USER-AGENT: @w"),
    valid("H20", b"X-A: 1\r\nX-A: @w", b"x-a:\r\nX-A: 2", b"Accept: @w\r\naccept: */*"),
    valid("H21", b"Cookie: a=1\r\nCookie: b=2", b"cookie: @w=@n\r\nCOOKIE: @w"),
    valid("H31", b"SCRIPT_NAME: /a", b"PATH_INFO: /x\r\nREMOTE_ADDR: @w"),
    valid(
        "H32",
        b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off",
        b"X-Forwarded-For: @w\r\nForwarded: for=@w",
    ),
    valid("H33", b"Proxy: @w", b"Proxy: http://@w:80"),
    valid("H34", b"Upgrade: h2c", b"Connection: upgrade\r\nUpgrade: websocket"),
    valid("B25 H17", b"Transfer_Encoding: chunked", b"CONTENT_TYPE: text/plain"),
    valid("B37", b"Expect: 100-continue", b"Expect:100-Continue ", tier=2),
    valid("B45", b"Connection: foo, close", b"Connection: keep-alive", b"Connection: close", tier=2),
    valid("D2", b"Content-Digest: md5=:YWJj:", b"Repr-Digest: crc32c=:AAAAAA==:, unixsum=:AA==:"),
    valid("D5", b"Content-Digest: md5=:YWJj:;a=1;b, md5=:YQ==:", b"Repr-Digest: sha=:YQ==:;a=@n"),
    valid("D6", b"Content-Digest: md5=:YQ:", b"Repr-Digest: crc32c=:YWI:, unixsum=::"),
    valid(
        "D7",
        b"Want-Repr-Digest: sha-256=1",
        b"Want-Repr-Digest: sha-512=3, sha-256=9",
        b"Want-Repr-Digest: @v",
    ),
    valid("D8", b"Content-Digest:", b"Repr-Digest: \t"),
    *limit_grammar.FIELDS,
)

# Each is one or more whole lines with exactly one fault.
FIELD_FAULTS = (
    fault("H1", b"X-A: @w\r\n @w", b"X-A: @w\r\n\t@w", b"X-A:\r\n "),
    fault("H3", b" ", b"X-A: 1\r\n\t \t"),
    fault("H4", b"X-A: @w\r@w", b"X-A: \r", b"X-A: 1\rX-B: 2"),
    fault("H5", b"X-A: @w\nX-B: 1", b"X-A: 1\n", b"X-A: 1\n\n"),
    fault("H6", b"X-A: @w\r", b"X-A: 1\r\r"),
    fault("H7", b"X-A : 1", b"X-A\t: @w"),
    fault("H8", b"Content-Length : 3", b"Content-Length\t: 0", b"Transfer-Encoding : chunked"),
    fault("H9", b"X A: 1", b"X-A", b"X-A @w", b"GET / HTTP/1.1"),
    fault("H10", b": 1", b":"),
    fault("H12", b"X-A: \x00", b"X-A: a\x00@w", b"X\x00A: 1", tier=2),
    fault("H13", b"X-A: \x01", b"X-A: @w\x7f", b"X-A: a\x0bb", b"X-A: \x0c", b"X-A: \x1b[0m"),
    fault("H15", b"X(A): 1", b"X[A: @w", b"X-\xe9: 1", b'"X": 1', b"X/A: 1", b"X@@A: @n"),
    fault(
        "H23",
        b"Authorization: Basic dTpw\r\nAuthorization: Basic dTpw",
        b"Authorization: a\r\nauthorization: b",
    ),
    fault(
        "H22",
        b"Content-Type: text/plain\r\nContent-Type: text/plain",
        b"Content-Type: a/b\r\ncontent-type: a/c",
    ),
    fault("H30", b"X-A: " + b"y" * 20000, b"Cookie: " + b"a=1; " * 2000),
    fault("D3", b"Content-Digest: sha-256", b"Repr-Digest: sha-256=abc", b"Content-Digest: sha-512=:=:"),
    fault(
        "D4", b"Repr-Digest: sha-256=:YWJj:", b"Content-Digest: sha-512=:AAAA:", b"Content-Digest: sha-256=::"
    ),
    *limit_grammar.FIELD_FAULTS,
    fault("H35", b"Expect: foo", b"Expect: 100-continue, 100-continue", b"Expect:", tier=2),
    fault("H35", b"Expect: @w"),
    fault("K14", b"Cookie: a=\x00", b"Cookie: a=1\x7f; b=2", b"Cookie: \x1b"),
    fault("B39", b"Expect: 100-continue\r\nX-A: \x02", tier=2),
    fault("S3", b"Origin: http://evil.example", b"Sec-Fetch-Site: cross-site", b"Origin: null"),
)

HOSTS = (
    valid("H28", b"[::1]:80", b"[::ffff:1.2.3.4]", b"127.0.0.1:8000", b"LOCALHOST"),
    valid("H27", b"a_b:80", b"h:", b"@w", b"a%41!$&'()*+;=", b"0.0.0.0=5000", b"h:65535"),
    *limit_grammar.HOSTS,
)
HOST_FAULTS = (
    fault(
        "H27", b"", b"a b", b"a/b?c", b"a,b", b"u@@h", b"h:99999", b"h:x", b"[::1", b"[v1.a]", b"a%4", b":80"
    ),
    fault("H12", b"h\x00", b"\x00"),
    fault("H13", b"h\x7f", b"a\x0bb"),
    *limit_grammar.HOST_FAULTS,
)


def place_target(draft: Draft, rng: Rng, production: Production) -> None:
    """A request target."""
    draft.target = draft.use(production, rng)


def place_line_fault(draft: Draft, rng: Rng, production: Production) -> None:
    """A whole request line. The body is framed as for any other request line."""
    draft.request_line = draft.use(production, rng)


def place_field(draft: Draft, rng: Rng, production: Production) -> None:
    """Whole field lines."""
    draft.lines.append(draft.use(production, rng))


def place_first_field(draft: Draft, rng: Rng, production: Production) -> None:
    """A field line directly after the request line (H2)."""
    draft.request_line = b"POST / HTTP/1.1\r\n" + draft.use(production, rng) + b"\r\n"


def place_host(draft: Draft, rng: Rng, production: Production) -> None:
    """A Host value."""
    draft.host = draft.use(production, rng)


def place_second_host(draft: Draft, rng: Rng, production: Production) -> None:
    """A second Host line (H26)."""
    draft.lines.append(b"Host: " + draft.use(production, rng))


def place_no_host(draft: Draft, rng: Rng, production: Production) -> None:
    """HTTP/1.1 without Host (H24)."""
    draft.note(production)
    _leave_out_host(draft)


def place_http_1_0(draft: Draft, rng: Rng, production: Production) -> None:
    """HTTP/1.0, with or without Host."""
    draft.version = draft.use(production, rng)
    if draft.version == b"HTTP/1.0" and rng.random() < 0.3:
        _leave_out_host(draft)
        draft.covers("H25")
    if draft.version == b"HTTP/1.0" and any(line.startswith(b"Expect") for line in draft.lines):
        draft.covers("B38", tier=2)


def _leave_out_host(draft: Draft) -> None:
    draft.host = None
    if not draft.target.startswith(b"/"):
        draft.tier = max(draft.tier, 2)  # a development server takes the Host from an absolute-form target


def place_empty_line(draft: Draft, rng: Rng, production: Production) -> None:
    """One empty line before the request line (R16)."""
    draft.before = draft.use(production, rng)


def place_asterisk(draft: Draft, rng: Rng, production: Production) -> None:
    """OPTIONS * (R5)."""
    draft.method, draft.target = b"OPTIONS", draft.use(production, rng)


EMPTY_LINES = (valid("R16", b"\r\n"),)
ASTERISKS = (valid("R5", b"*"),)
VERSIONS = (valid("R8 B14", b"HTTP/1.0"), valid("R9", b"HTTP/1.2", b"HTTP/1.9"))

HEAD_FAULTS: tuple[tuple[Place, tuple[Production, ...]], ...] = (
    (place_line_fault, LINE_FAULTS),
    (place_field, FIELD_FAULTS),
    (place_first_field, (fault("H2", b" X-A: 1", b"\tX-A: @w"),)),
    (place_host, HOST_FAULTS),
    (place_second_host, (fault("H26", b"localhost:8000", b"@w"),)),
    (place_no_host, (fault("H24", b""),)),
    *limit_grammar.LIMIT_FAULTS,
)
"""Faults of the head: the function that places each production, and the productions."""
