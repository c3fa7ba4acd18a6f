"""Attacks in request lines and field lines."""

from collections.abc import Iterable

from tests.advisories.assertions import Accepted, Bounded, Linear, Rejected
from tests.advisories.attacks import Attack, each
from tests.advisories.measures import MIB
from tests.advisories.messages import AGENT, HOST, chunked, chunks, get, head, segments, sized

_GOOD = get()


def _line(row: str, name: str, line: bytes, code: str = "request_line", status: int = 400) -> Attack:
    """A request line that is refused."""
    return Attack(row, name, Rejected(head(line, HOST, AGENT), status, code, _GOOD))


def _field(row: str, name: str, line: bytes, twin: bytes, tier: int = 2, code: str = "bad_header") -> Attack:
    """A field line that is refused, and what it might have been meant to be."""
    return Attack(row, name, Rejected(get(b"/page", line), 400, code, get(b"/page", twin)), tier=tier)


def _host(row: str, name: str, *lines: bytes, tier: int = 1) -> Attack:
    """Host fields that are refused."""
    return Attack(row, name, Rejected(head(b"GET / HTTP/1.1", AGENT, *lines), 400, "bad_host", _GOOD), tier)


def _bare_lf() -> Iterable[Attack]:
    lines = _GOOD.replace(b" HTTP/1.1\r\n", b" HTTP/1.1\n")
    field = get(b"/page", b"X: a\nY: b")
    return each(
        "H001",
        {
            "all-lines": Rejected(b"GET / HTTP/1.1\nHost: x\n\n", 400, "request_line", _GOOD),
            "request-line": Rejected(lines, 400, "request_line", _GOOD),
            "field-line": Rejected(field, 400, "bad_header", get(b"/page", b"X: a", b"Y: b")),
            "empty-line": Rejected(_GOOD[:-2] + b"\n", 400, "bad_header", _GOOD),
        },
    )


def _after_a_bad_head() -> Iterable[Attack]:
    """H007: the good request behind a bad one, in its segment, and where a read of that size begins."""
    for name, edge in (("same-segment", 0), ("at-4096", 4096), ("at-8192", 8192), ("at-65536", 65536)):
        bad = get(b"/page", b"Bad : 1", *_padding(edge))
        yield Attack("H007", name, Rejected(bad, 400, "bad_header", get(b"/page", *_padding(edge))))


def _padding(edge: int) -> tuple[bytes, ...]:
    """Field lines that make a head of `get(b"/page", b"Bad : 1", ...)` end at `edge`."""
    room = edge - len(get(b"/page", b"Bad : 1"))
    lines = []
    while room > 0:
        size = min(room, 8000) if room - 8000 > 100 or room <= 8000 else room // 2
        lines.append(b"P: ".ljust(size - 2, b"p"))
        room -= size
    return tuple(lines)


def _target_forms() -> Iterable[Attack]:
    for name, target in (("at", b"@evil"), ("no-slash", b"evil"), ("asterisk", b"*"), ("authority", b"a:1")):
        request = head(b"GET %s HTTP/1.1" % target, HOST, AGENT)
        yield Attack("H043", name, Rejected(request, 400, "request_line", _GOOD), tier=1)


def _versions() -> Iterable[Attack]:
    yield _line("H034", "version-dot", "GET / HTTP/1ö1".encode())
    yield _line("H034", "version-digit", "GET / HTTP/1.𝟙".encode())
    yield _line("H034", "no-target", b"GET/: HTTP/1.1")
    yield _field("H034", "name", b"Content-Encoding?: x", b"Content-Encoding: x")
    yield _line("H038", "version-junk", b"GET / HTTP/1.1x")
    yield _line("H038", "version-two-digits", b"GET / HTTP/1.10")
    yield _line("H038", "version-long", b"GET / HTTP/257.1")
    yield _line("H038", "method-control", b"GE\x01T / HTTP/1.1")
    yield _line("H038", "method-lf", b"GET\n/ HTTP/1.1")
    yield Attack("H044", "get", Rejected(b"GET /\r\n", 400, "request_line", _GOOD))
    yield Attack("H044", "head", Rejected(b"HEAD /\r\n", 400, "request_line", _GOOD))
    yield _line("H054", "connect", b"CONNECT x:1 HTTP/1.1", "method_not_implemented", 501)


def _names_and_values() -> Iterable[Attack]:
    good = b"X: a"
    yield _field("H010", "control-at-the-end", b"Bad-header: " + b"x" * 8000 + b"\x10", good, tier=1)
    long = Linear(lambda n: get(b"/page", b"Bad-header: " + b"x" * n + b"\x10"), 1000, repeat=20, status=400)
    yield Attack("H010", "cost", long)
    twin = chunked(chunks(b"a"), b"/page")
    bad = twin.replace(b"Encoding:", b"Encoding :")
    yield Attack("H030", "before-colon", Rejected(bad, 400, "bad_header", twin))
    yield _field("H031", "second-line", b" Content-Length: 5", good)
    folded_first = head(b"GET / HTTP/1.1", b" Content-Length: 5", HOST, AGENT)
    yield Attack("H031", "first-line", Rejected(folded_first, 400, "bad_header", _GOOD))
    yield _field("H032", "bare-cr", b"X: a\rTransfer-Encoding: chunked", good)
    yield Attack("H033", "head", Rejected(_GOOD[:-2] + b"\rX", 400, "bad_header", _GOOD))
    yield _field("H036", "nul-in-value", b"X: a\x00b", good, tier=1)
    yield _field("H036", "nul-in-name", b"X\x00: a", good)
    for byte in (0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x1F):
        yield _field("H037", f"value-{byte:02x}", b"X: %ca" % byte, good, tier=1)
    for byte in (0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x1F, 0x85, 0xA0):
        yield _field("H037", f"before-name-{byte:02x}", b"%cX: a" % byte, good)
        yield _field("H037", f"after-name-{byte:02x}", b"X%c: a" % byte, good)
    for byte in (0x85, 0xA0):
        value = b"%ca%c" % (byte, byte)
        see = {"headers": _headers(("x", value.decode("latin-1")))}
        yield Attack("H037", f"verbatim-{byte:02x}", Accepted(get(b"/page", b"X: " + value), see), tier=1)
    yield _field("H039", "empty-name", b": v", good)
    yield _field("H039", "no-colon", b"NoColon", good)
    yield _field("H039", "blank-in-name", b"A b: v", good)


def _headers(*more: tuple[str, str]) -> list[dict[str, str]]:
    """The headers of `get` with these further ones, as they are described."""
    pairs = sorted((("host", "localhost:8000"), ("user-agent", "wireproof"), *more))
    return [{"name": name, "value": value} for name, value in pairs]


def _hosts() -> Iterable[Attack]:
    yield _host("H040", "equal", HOST, HOST)
    yield _host("H040", "different", HOST, b"Host: evil.example")
    two = (b"Content-Type: text/plain", b"Content-Type: text/html")
    twin = sized(b"/page", b"x", two[0])
    yield Attack("H040", "content-type", Rejected(sized(b"/page", b"x", *two), 400, "bad_header", twin))
    yield _host("H041", "none")
    yield _host("H041", "empty", b"Host:")
    old = head(b"GET / HTTP/1.0", AGENT)
    yield Attack("H041", "none-in-1.0", Accepted(old, {"host": None, "path": "/"}), tier=1)
    hosts = {
        "userinfo": b"a@b",
        "path": b"a/b",
        "query": b"a?b#c",
        "blank": b"a b",
        "open-bracket": b"[::1",
        "port": b"x:99999",
        "suffix": b"evil.com/localhost",
    }
    for name, host in hosts.items():
        yield _host("H042", name, b"Host: " + host)


def _sizes() -> Iterable[Attack]:
    fields = [b"A: " + b"a" * 8185] * 99
    yield Attack(
        "H045", "many", Rejected(get(b"/", *fields), 431, "headers_too_large", get(b"/", *fields[2:]))
    )
    flood = get(b"/", *[b"A: b"] * 50_000)
    yield Attack("H045", "flood", Rejected(flood, 431, "headers_too_large", get(b"/", *[b"A: b"] * 98)))
    yield Attack("H045", "joined", Linear(lambda n: get(b"/", *[b"A: " + b"a" * 8000] * n), 12, repeat=5))
    yield Attack("H046", "one-field", Bounded(_endless_field, 16, 431, "headers_too_large", most=8 * MIB))
    for size in (255, 256, 270, 4000):
        request = sized(b"/page", b"abc", b"N" * size + b": v")
        see = {"body": {"size": 3}, "text": "abc"}
        yield Attack("H047", f"name-{size}", Accepted(request, see), tier=1)
    wrap = sized(b"/page", b"abc", b"N" * 65_535 + b": v")
    yield Attack("H047", "name-65535", Rejected(wrap, 431, "headers_too_large", sized(b"/page", b"abc")))


def _endless_field() -> Iterable[bytes]:
    yield b"GET / HTTP/1.1\r\nHost: localhost:8000\r\nX: "
    yield from segments(b"x" * (64 * MIB), 64 * 1024)


def _underscores() -> Iterable[Attack]:
    """H048: names with `_` are dropped (contract section 3), so they can neither act nor shadow."""
    lines = (b"Content_Length: 1", b"Transfer_Encoding: chunked", b"X_Forwarded-For: 1.2.3.4")
    see = {
        "body": {"size": 3, "kind": "text"},
        "text": "abc",
        "headers": _headers(("content-length", "3")),
    }
    yield Attack("H048", "dropped", Accepted(sized(b"/page", b"abc", *lines), see), tier=1)
    see = {"headers": _headers(("proxy", "http://127.0.0.1:1"))}
    proxy = get(b"/page", b"Proxy: http://127.0.0.1:1")
    yield Attack("H049", "shown", Accepted(proxy, see), tier=1)


HEADS: tuple[Attack, ...] = (
    *_bare_lf(),
    *_after_a_bad_head(),
    *_target_forms(),
    *_versions(),
    *_names_and_values(),
    *_hosts(),
    *_sizes(),
    *_underscores(),
)
