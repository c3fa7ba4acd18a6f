"""Who may do what, and what others may read of it: Host, Origin, tokens, secrets (H170 to H180, H134)."""

import base64
import math
import re
import socket
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import pytest

from clients.http1.response_parser import Response
from tests.advisories.assertions import Accepted, Refused, Rejected, accepted, refused
from tests.advisories.attacks import Attack
from tests.advisories.messages import (
    AGENT,
    HOST,
    OPAQUE,
    file,
    form,
    get,
    head,
    multipart,
    post,
    sized,
    text,
    typed,
)
from tests.advisories.target import TOKEN, Target

_EVIL = b"Origin: https://evil.example"
_OURS = b"Origin: http://localhost:8000"
_CROSS = b"Sec-Fetch-Site: cross-site"
_REBOUND = b"Host: attacker.example:8000"
_BEARER = b"Authorization: Bearer " + TOKEN.encode()
_BODY = multipart(file(b"f", b"a", b"x"))
_FORM = b"Content-Type: multipart/form-data; boundary=B"
_SECRET = "s3cr3t-of-the-tests"


def _upload(*fields: bytes, target: bytes = b"/upload/") -> bytes:
    return sized(target, _BODY, _FORM, *fields)


def _credentials() -> Iterable[Attack]:
    """H171: what is no token is 401, one line in the log, and no trace."""
    wrong = {
        "none": (),
        "basic-alone": (b"Authorization: Basic",),
        "no-base64": (b"Authorization: Basic !!!",),
        "colon-alone": (b"Authorization: Basic Og==",),
        "non-utf8": (b"Authorization: Bearer \xff\xfe",),
        "non-utf8-basic": (b"Authorization: Basic //46//4=",),
        "8-kib": (b"Authorization: Bearer " + b"a" * 8000,),
        "prefix": (_BEARER[:-1],),
        "longer": (_BEARER + b"x",),
        "empty": (b"Authorization:",),
        "other-scheme": (b"Authorization: Digest " + TOKEN.encode(),),
    }
    twin = _upload(_BEARER)
    for name, fields in wrong.items():
        yield Attack("H171", name, Unauthorized(_upload(*fields), twin), variant="token")
    for name, second in (("two-fields", b"Authorization: Basic dTpw"), ("bearer-twice", _BEARER)):
        refused = Rejected(_upload(_BEARER, second), 400, "bad_header", twin)
        yield Attack("H171", name, refused, variant="token")
    basic = b"Authorization: Basic " + base64.b64encode(b"anyone:" + TOKEN.encode())
    yield Attack("H171", "basic-password", partial(accepted, request=_upload(basic)), variant="token")
    for name, value, seen in (
        ("shown-malformed", "Basic !!!", {"scheme": "basic", "credentials": "!!!"}),
        ("shown-empty", "Basic", {"scheme": "basic", "credentials": ""}),
        ("shown-bytes", "Bearer ÿþ", {"scheme": "bearer", "credentials": "ÿþ"}),
    ):
        request = get(b"/page", b"Authorization: " + value.encode("latin-1"))
        yield Attack("H171", name, Accepted(request, {"auth": seen}), tier=1)


@dataclass(frozen=True, slots=True)
class Unauthorized:
    """401 with a challenge, one line in the log for it and one for its twin, which is let in."""

    request: bytes
    twin: bytes

    def __call__(self, target: Target) -> Response | None:
        logged = len(target.log())
        response = Refused(self.request, 401, "token_required", self.twin)(target)
        assert response.header("www-authenticate")
        lines = target.log()[logged:].splitlines()
        assert len(lines) <= 2, lines
        return response


def _rebinding() -> Iterable[Attack]:
    lines = (_REBOUND, AGENT)
    sha256 = b"a" * 64
    private = head(b"GET /files/%s HTTP/1.1" % sha256, *lines)
    ours = get(b"/page", _OURS)
    yield Attack("H172", "files", Refused(private, 421, "misdirected_host", ours), tier=1)
    browser = {
        "origin": b"Origin: http://attacker.example:8000",
        "same-origin": b"Sec-Fetch-Site: same-origin",
        "typed": b"Sec-Fetch-Site: none",
    }
    for name, line in browser.items():
        request = head(b"GET /page HTTP/1.1", *lines, line)
        yield Attack("H172", f"get-{name}", Refused(request, 421, "misdirected_host", ours), tier=1)
        request = _upload(line).replace(HOST, _REBOUND)
        twin = _upload(line if b"Sec" in line else _OURS)
        yield Attack("H172", f"post-{name}", Refused(request, 421, "misdirected_host", twin), tier=1)
    stream = typed(b"application/json", b'{"query":""}', b"/stream_echo").replace(HOST, _REBOUND)
    stream = stream.replace(AGENT, AGENT + b"\r\n" + browser["same-origin"])
    yield Attack("H172", "stream", Refused(stream, 421, "misdirected_host", ours), tier=1)
    others = {"suffix": b"localhost.attacker.example", "prefix": b"xlocalhost", "dot": b"localhost."}
    for name, host in others.items():
        request = head(b"GET /page HTTP/1.1", b"Host: " + host, AGENT, b"Sec-Fetch-Site: none")
        yield Attack("H172", f"host-{name}", Refused(request, 421, "misdirected_host", ours), tier=1)
    script = head(b"GET /page HTTP/1.1", *lines)
    see = {"host": "attacker.example:8000"}
    yield Attack("H172", "script", Accepted(script, see), tier=1)
    for name, host in (("upper-case", b"LOCALHOST"), ("ipv6", b"[::1]:1"), ("address", b"127.0.0.1:80")):
        request = head(b"GET /page HTTP/1.1", b"Host: " + host, AGENT, b"Sec-Fetch-Site: none")
        yield Attack("H172", f"ours-{name}", Accepted(request, {"host": host.decode()}), tier=1)


def _cross_site() -> Iterable[Attack]:
    twin = _upload(_OURS)
    browsers = {
        "origin": (_EVIL,),
        "fetch-site": (_CROSS,),
        "same-site": (b"Sec-Fetch-Site: same-site",),
        "null": (b"Origin: null",),
        "both": (_EVIL, _CROSS),
        "origin-suffix": (b"Origin: http://localhost:8000.evil.example",),
        "other-port": (b"Origin: http://localhost:9000",),
    }
    for name, fields in browsers.items():
        check = Refused(_upload(*fields), 403, "forbidden_origin", twin)
        yield Attack("H173", name, check, tier=1)
    early = post(b"/upload/", _FORM, _EVIL, b"Content-Length: 1000000")
    yield Attack("H173", "before-the-body", BeforeTheBody(early, 403, "forbidden_origin"))
    referer = _upload(b"Referer: https://evil.example/")
    yield Attack("H173", "referer-of-a-script", Accepted(referer, {"files": [{}]}), tier=1)
    plain = sized(b"/page", b'{"a":1}', b"Content-Type: text/plain", _EVIL)
    good = sized(b"/page", b'{"a":1}', b"Content-Type: text/plain", _OURS)
    yield Attack("H134", "text-plain", Refused(plain, 403, "forbidden_origin", good), tier=1)
    for method in (b"PUT", b"PATCH", b"DELETE"):
        request = sized(b"/page", b"x", OPAQUE, _EVIL, method=method)
        twin = sized(b"/page", b"x", OPAQUE, _OURS, method=method)
        yield Attack("H134", method.decode().lower(), Refused(request, 403, "forbidden_origin", twin), tier=1)
    for name, target in (
        ("slashes", b"//upload/"),
        ("percent", b"/%75pload/"),
        ("parameter", b"/upload;x"),
        ("no-slash", b"/upload"),
        ("inner-slashes", b"/upload//"),
        ("dots", b"/x/../upload/"),
    ):
        yield Attack("H175", name, _SameDecision(target), tier=1)


@dataclass(frozen=True, slots=True)
class BeforeTheBody:
    """Refused on the head: the answer comes while none of the body was sent, and the connection ends."""

    request: bytes
    status: int
    code: str

    def __call__(self, target: Target) -> Response:
        reply = target.talk(self.request)
        response = reply.only()
        refused(response, self.status, self.code)
        assert reply.ended
        return response


@dataclass(frozen=True, slots=True)
class _SameDecision:
    """H175: another spelling of the path is decided upon like the path itself, or there is nothing there."""

    target: bytes

    def __call__(self, target: Target) -> Response:
        before = target.stored()
        response = target.talk(_upload(_EVIL, target=self.target), half_close=True).only()
        assert (response.status, response.json()["code"]) in ((403, "forbidden_origin"), (404, "not_found"))
        assert target.stored() == before
        accepted(target, _upload(_OURS))
        return response


def no_cors(target: Target) -> Response:
    """H174: a preflight from elsewhere gets no permission, neither by origin nor for the private network."""
    preflight = head(
        b"OPTIONS /page HTTP/1.1",
        *(HOST, AGENT, _EVIL, b"Access-Control-Request-Method: POST"),
        b"Access-Control-Request-Private-Network: true",
    )
    response = target.talk(preflight, half_close=True).only()
    allowed = [name for name, _ in response.headers if name.startswith("access-control-")]
    assert not allowed, allowed
    for request in (get(b"/page", _EVIL), get(b"/files/" + b"a" * 64, _EVIL)):
        other = target.talk(request, half_close=True).only()
        assert not [name for name, _ in other.headers if name.startswith("access-control-")]
    return response


def no_timing_trend(target: Target) -> None:
    """H170: a token that is right but for its end takes no longer to refuse than one that is all wrong."""
    guesses = (b"x" * len(TOKEN), TOKEN[:-1].encode() + b"x")
    requests = [get(b"/page", b"Authorization: Bearer " + guess) for guess in guesses]
    times: list[list[float]] = [[], []]
    with target.connect() as connection:
        for count in range(8000):
            started = time.perf_counter()
            connection.sendall(requests[count % 2])
            received = b""
            while not received.endswith(b"}\n"):
                received += connection.recv(4096)
            assert received.startswith(b"HTTP/1.1 401 ")
            times[count % 2].append(time.perf_counter() - started)
    # Welch's t over the faster half of each: what the machine does besides only makes a sample slower.
    wrong, nearly = (sorted(each)[: len(each) // 2] for each in times)
    spread = statistics.variance(wrong) / len(wrong) + statistics.variance(nearly) / len(nearly)
    t = (statistics.mean(nearly) - statistics.mean(wrong)) / math.sqrt(spread)
    assert abs(t) < 5, f"t = {t:.1f}"


class NoSecretsInLog:
    """H176: what is secret in a request is in no log, whether it is answered or refused."""

    def __init__(self, *requests: bytes) -> None:
        self._requests = requests

    def __call__(self, target: Target) -> None:
        for request in self._requests:
            target.talk(request, half_close=True).only()
        log = target.log()
        basic = base64.b64encode(f"user:{_SECRET}".encode()).decode()
        assert _SECRET not in log and basic not in log, "a secret is in the log"


def _secrets() -> Iterable[Attack]:
    secret = _SECRET.encode()
    basic = base64.b64encode(b"user:" + secret)
    fields = (
        b"Authorization: Bearer " + secret,
        b"Authorization: Basic " + basic,
        b"Cookie: session=" + secret,
        b"Proxy-Authorization: Bearer " + secret,
        b"X-Api-Key: " + secret,
    )
    answered = NoSecretsInLog(*(get(b"/page", field) for field in fields))
    yield Attack("H176", "answered", answered, tier=1)
    bad = NoSecretsInLog(*(get(b"/page", field, b"Content-Length: x") for field in fields))
    yield Attack("H176", "refused", bad, tier=1)
    broken = NoSecretsInLog(*(get(b"/page", field + b"\x01") for field in fields))
    yield Attack("H176", "malformed", broken)
    unauthorized = NoSecretsInLog(*(_upload(field) for field in fields))
    yield Attack("H176", "unauthorized", unauthorized, variant="token")
    query = NoSecretsInLog(get(b"/page?token=%s&key=%s" % (secret, secret)), get(b"/files/x?token=" + secret))
    yield Attack("H176", "query", query, tier=1)


def no_debugger(target: Target) -> None:
    """H177: there is no console: these paths are echoed or unknown, like any other."""
    script = b"/?__debugger__=yes&cmd=resource&f=debugger.js"
    for path in (b"/console", script, b"/page?__debugger__=yes&cmd=1"):
        response = target.talk(get(path), half_close=True).only()
        assert response.status == 200 and response.header("content-type") == "application/json"
        assert response.json()["target"] == path.decode()
        assert response.json().keys() >= {"args", "body", "headers"}


def never_fetches(target: Target) -> None:
    """H178: nothing in a request makes the server open a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        url = b"http://127.0.0.1:%d/x" % listener.getsockname()[1]
        names = (b"url", b"forward_url", b"callback", b"webhook", b"src")
        fields = (b"Referer: ", b"Forwarded: for=", b"X-Forwarded-Host: ", b"Proxy: ", b"Location: ")
        requests = (
            *(get(b"/page?%s=%s" % (name, url)) for name in names),
            *(get(b"/page", field + url) for field in fields),
            form(*(text(name, url) for name in names)),
            typed(b"application/json", b'{"$ref":"%s","url":"%s"}' % (url, url)),
            typed(b"application/xml", b'<!DOCTYPE a SYSTEM "%s"><a/>' % url),
            head(b"GET %s HTTP/1.1" % url, HOST, AGENT),
        )
        for request in requests:
            assert target.talk(request, half_close=True).only().status == 200
        with pytest.raises(TimeoutError):
            listener.accept()[0].close()


def _spoofed() -> Iterable[Attack]:
    """H179: what a peer says of where it comes from is shown and not used."""
    fields = {
        "x-forwarded-for": "1.2.3.4",
        "x-forwarded-proto": "https",
        "x-forwarded-ssl": "off",
        "x-forwarded-host": "evil.example",
        "x-forwarded-prefix": "/evil",
        "forwarded": "for=1.2.3.4;host=evil.example;proto=https",
        "x-real-ip": "1.2.3.4",
        "x-script-name": "/evil",
    }
    lines = [f"{name}: {value}".encode() for name, value in fields.items()]
    seen = sorted({**fields, "host": "localhost:8000", "user-agent": "wireproof"}.items())
    see = {
        "host": "localhost:8000",
        "path": "/page",
        "target": "/page",
        "headers": [{"name": name, "value": value} for name, value in seen],
    }
    yield Attack("H179", "forwarded", Accepted(get(b"/page", *lines), see), tier=1)
    dropped = get(b"/page", b"SCRIPT_NAME: /evil", b"PATH_INFO: /evil", b"REMOTE_USER: root")
    see = {"path": "/page", "target": "/page", "headers": [{"name": "host"}, {"name": "user-agent"}]}
    yield Attack("H179", "script-name", Accepted(dropped, see), tier=1)
    rebound = head(b"GET /files/x HTTP/1.1", _REBOUND, AGENT, b"X-Forwarded-Host: localhost")
    yield Attack("H179", "host", Refused(rebound, 421, "misdirected_host", get()), tier=1)
    for at, line in enumerate((b"X-Forwarded-For: 127.0.0.1", b"X-Forwarded-User: root")):
        yield Attack("H179", f"no-token-{at}", Unauthorized(_upload(line), _upload(_BEARER)), variant="token")


def no_write_routes(target: Target) -> None:
    """H180: nothing that another site could send changes what was received; the page's routes are to come."""
    for method in (b"DELETE", b"POST", b"PUT"):
        for path in (b"/requests/1", b"/requests/clear", b"/requests/1/replay", b"/ui/x"):
            response = target.talk(sized(path, b"x", OPAQUE, _EVIL, method=method), half_close=True).only()
            assert response.status in (403, 404, 405), response.status
            assert re.search("forbidden_origin|not_found|method_not_allowed", response.json()["code"])


ACCESS: tuple[Attack, ...] = (
    *_credentials(),
    Attack("H170", "timing", no_timing_trend, variant="token", soak=True),
    *_rebinding(),
    *_cross_site(),
    Attack("H174", "preflight", no_cors, tier=1),
    *_secrets(),
    Attack("H177", "console", no_debugger, tier=1),
    Attack("H178", "urls", never_fetches, tier=1),
    *_spoofed(),
    Attack("H180", "cross-site", no_write_routes, tier=1),
)
