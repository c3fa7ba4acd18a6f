"""Where the text of a request comes back: answers, their heads, and the log (H056 to H059)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from clients.http1.response_parser import Response
from tests.advisories.assertions import Refused, Rejected, refused
from tests.advisories.attacks import Attack
from tests.advisories.messages import AGENT, HOST, file, form, get, head, part, sized
from tests.advisories.target import Target

# Every field name that an answer of these routes may have.
_FIELDS = {
    *("allow", "cache-control", "connection", "content-length", "content-type", "date", "server"),
    *("wireproof-contract", "x-content-type-options"),
}
_PHRASES = re.compile(rb"HTTP/1\.[01] [1-5][0-9][0-9] [A-Za-z -]+\r\n")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
# What Werkzeug's development server paints its own log lines with.
_COLOUR = re.compile(r"\x1b\[[0-9]{1,2}m")
_GOOD = get()
_ESC = b"\x1b[2J\nFAKE"


@dataclass(frozen=True, slots=True)
class NotInjected:
    """The answer, whatever it says, has a fixed reason phrase and none but our fields; `text` is in none."""

    request: bytes
    status: int
    text: bytes = b"evil"

    def __call__(self, target: Target) -> Response:
        reply = target.talk(self.request, half_close=True)
        response = reply.only()
        assert response.status == self.status, response.body
        assert _PHRASES.match(reply.raw), reply.raw[:80]
        assert {name for name, _ in response.headers} <= _FIELDS
        assert self.text not in reply.raw.partition(b"\r\n\r\n")[0]
        assert response.is_json and response.header("x-content-type-options") == "nosniff"
        return response


@dataclass(frozen=True, slots=True)
class Logged:
    """The requests are answered, and the log has at most `lines` more lines, without a control character."""

    requests: tuple[bytes, ...]
    lines: int

    def __call__(self, target: Target) -> None:
        before = len(target.log())
        for request in self.requests:
            target.talk(request, half_close=True).only()
        logged = _COLOUR.sub("", target.log()[before:])
        assert not _CONTROL.search(logged), repr(logged)
        lines = logged.splitlines()
        assert len(lines) <= self.lines, logged
        assert not [line for line in lines if line.startswith("FAKE")]


def _injections() -> Iterable[Attack]:
    crlf = b"%0d%0aX-Evil:%20evil"
    path = Refused(get(b"/a" + crlf), 400, "bad_percent", get(b"/a"))
    yield Attack("H056", "path", path, tier=1)
    filename = Refused(sized(b"/upload/a" + crlf, b"x", method=b"PUT"), 400, "bad_percent", get())
    yield Attack("H056", "put-filename", filename, tier=1)
    yield Attack("H056", "query", NotInjected(get(b"/a?b=" + crlf), 200), tier=1)
    name = form(file(b"evil%0d%0aX: evil", b"evil%0d%0aX: evil", b"x"))
    yield Attack("H056", "filename", NotInjected(name, 200), tier=1)
    for label, byte in (("cr", b"\r"), ("nul", b"\0")):
        cookie = get(b"/", b"Cookie: a=1%sX: evil" % byte)
        tier = 1 if byte == b"\0" else 2
        yield Attack("H056", f"cookie-{label}", Rejected(cookie, 400, "bad_header", _GOOD), tier)
    cookie = get(b"/", b"Cookie: a=%0d%0aSet-Cookie:evil=1")
    yield Attack("H056", "cookie-escaped", NotInjected(cookie, 200), tier=1)
    lost = get(b"/problems/evil%22%3e")
    yield Attack("H056", "not-found", NotInjected(lost, 404), tier=1)


def _reason_phrases() -> Iterable[Attack]:
    version = head(b"GET /<script>evil HTTP/9.9", HOST, AGENT)
    yield Attack("H057", "version", Rejected(version, 505, "unsupported_version", _GOOD))
    yield Attack("H057", "version-phrase", NotInjected(version, 505))
    method = head(b"<evil> / HTTP/1.1", HOST, AGENT)
    yield Attack("H057", "method", Rejected(method, 400, "request_line", _GOOD))
    yield Attack("H057", "method-phrase", NotInjected(method, 400))
    unknown = head(b"EVIL / HTTP/1.1", HOST, AGENT)
    yield Attack("H057", "unknown-method", NotInjected(unknown, 501, b"EVIL"))


def _log_lines() -> Iterable[Attack]:
    requests = {
        "path": get(b"/%1b[2J%0aFAKE"),
        "query": get(b"/?%1b[2J%0aFAKE"),
        "raw-c1": get(b"/", b"X: \x9b2JFAKE"),
        "filename": form(file(b"f", _ESC.replace(b"\n", b""), b"x")),
        "filename-c1": form(file(b"f", "\x9b2J\x85FAKE".encode(), b"x")),
        "bad-header": get(b"/", b"X: \x1b[2J"),
        "basic-user": get(b"/", b"Authorization: Basic G1sySgpGQUtFOng="),
    }
    for name, request in requests.items():
        yield Attack("H058", name, Logged((request,), 1), tier=1)
    yield Attack("H058", "method", Logged((head(b"GE\x1b[2JT / HTTP/1.1", HOST),), 1))
    no_disposition = form(*[b"--B\r\nX: y\r\n\r\nv\r\n"] * 1000)
    yield Attack("H088", "log", Logged((no_disposition,), 1), tier=1)
    cookies = get(b"/", b"Cookie: " + b"\x01=1;" * 2000)
    yield Attack("H125", "log", Logged((cookies,), 1))
    cookies = get(b"/", b"Cookie: " + b"\x01=1;" * 1500)
    yield Attack("H125", "refused", Rejected(cookies, 400, "bad_header", get(b"/", b"Cookie: a=1")), tier=1)
    epilogue = form(file(b"f", b"a", b"x"), end=b"--B--\r\n" + b"\r\n" * (1 << 20))
    yield Attack("H087", "log", Logged((epilogue,), 1), tier=1)


def length_in_bytes(target: Target) -> None:
    """H059: Content-Length counts bytes: `Reply.only` fails for an answer with a byte too many or too few."""
    for path in (b"/upload/%E2%82%AC/x", b"/problems/%E2%82%AC", b"/files/%E2%82%AC"):
        refused(target.talk(get(path), half_close=True).only(), 404, "not_found")
    requests = (
        get(b"/%E2%82%AC?%E2%82%AC"),
        form(part('form-data; name="€"'.encode(), "€".encode())),
        sized(b"/page", "€".encode()),
    )
    for request in requests:
        response = target.talk(request, half_close=True).only()
        assert response.status == 200
        assert response.header("content-length") == str(len(response.body))


ECHOES: tuple[Attack, ...] = (
    *_injections(),
    *_reason_phrases(),
    *_log_lines(),
    Attack("H059", "bytes", length_in_bytes, tier=1),
)
