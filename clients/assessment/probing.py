"""Plain requests to an endpoint: what it takes, what its answers tell, and what stands in front of it.

From that follows the level at which it can be judged:

    bytes    it is ours: every byte is compared (`follows_our_contract`)
    parsed   its answers are JSON that tells fields, files, JSON or text: those are compared
    status   only whether it accepts or refuses is judged
"""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import or_

from ..http1.exchange import Exchange
from .endpoint import Endpoint
from .fitting import KINDS, fitted_request
from .told import Told, answer_of, told_in

_MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="b"\r\n\r\n2\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nx\r\n"
    b'--b\r\nContent-Disposition: form-data; name="g"; filename="b.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\ny\r\n"
    b"--b--\r\n"
)
_BODIES: Mapping[str, tuple[bytes, bytes]] = {
    "multipart": (b"multipart/form-data; boundary=b", _MULTIPART),
    "urlencoded": (b"application/x-www-form-urlencoded", b"a=1&b=2"),
    "json": (b"application/json", b'{"a":1}'),
    "text": (b"text/plain", b"text"),
    "bytes": (b"application/octet-stream", b"\x00\xff"),
}
# What tells that a body of a kind was read.
_TELLING: Mapping[str, frozenset[str]] = {
    "multipart": frozenset({"form", "files"}),
    "urlencoded": frozenset({"form"}),
    "json": frozenset({"json"}),
    "text": frozenset({"text"}),
}
_NOT_A_REQUEST = b"NOT A REQUEST\r\n\r\n"
_PROXY_FIELDS = ("via", "x-cache", "cf-ray", "x-envoy-upstream-service-time", "x-amz-cf-id", "x-varnish")
_PROXY_SERVERS = re.compile("nginx|openresty|haproxy|envoy|traefik|varnish|cloudflare", re.I)
_PROXY_PAGES = {b"<center>nginx": "nginx", b"Your browser sent an invalid request.": "haproxy"}


_MOVED = (301, 307, 308)
_ADVICE = {
    401: "it needs credentials: give them with --token or -H",
    403: "it refuses the sender: credentials are given with --token or -H",
    404: "there is nothing at this path: name the path of the endpoint in the URL",
    405: "it takes no POST: name the path of the upload endpoint in the URL",
    422: "it takes a plain form only with certain fields, so that no case fits",
    429: "it limits the rate",
}
_GET = "none"
# After so many requests without an answer the others are not sent.
_MOST_SILENT = 2


class Level(StrEnum):
    """How closely the answers are looked at."""

    BYTES = "bytes"
    PARSED = "parsed"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Probe:
    """What the plain requests found.

    `answers` has the status for each kind of body, 0 without an answer, `told_by_kind` what its answer tells.
    The cases of the `judged` kinds are sent; the `untold` kinds are accepted, but no answer tells them.
    `proxy` names what stands in front, or is empty. `trouble` says why nothing can be judged, or is empty.
    `slowest` is the longest time for an answer, in seconds.
    """

    level: Level
    answers: Mapping[str, int]
    told_by_kind: Mapping[str, Told]
    judged: tuple[str, ...]
    proxy: str = ""
    trouble: str = ""
    server: str = ""
    untold: tuple[str, ...] = ()
    slowest: float = 0.0

    @property
    def told(self) -> Told:
        """What is told of any body."""
        return reduce(or_, self.told_by_kind.values(), Told())


def probe(endpoint: Endpoint, level: Level | None = None) -> Probe:
    """Send one plain request of each kind. `level` is used instead of what the answers show."""
    timed: dict[str, tuple[Exchange, float]] = {}
    for kind in KINDS:
        timed[kind] = _timed(endpoint, plain_request(kind, endpoint))
        if len(timed) == _MOST_SILENT and not any(exchange.responses for exchange, _ in timed.values()):
            break  # it would take as long for each of the others
    exchanges = {kind: exchange for kind, (exchange, _) in timed.items()}
    answers = {kind: _status(exchanges[kind]) if kind in exchanges else 0 for kind in KINDS}
    told = {
        kind: told_in(kind, answer)
        for kind, exchange in exchanges.items()
        if (answer := answer_of(exchange)) is not None
    }
    level = level or _level(told)
    taken = [kind for kind in KINDS if 200 <= answers[kind] < 300]
    judged = [kind for kind in taken if level is not Level.PARSED or _tells(kind, told)]
    trouble = (
        "" if any(kind != _GET for kind in judged) else _trouble(list(exchanges.values()), answers, taken)
    )
    return Probe(
        level,
        answers,
        told,
        tuple(judged),
        _proxy(list(exchanges.values()), endpoint) if not trouble else "",
        trouble,
        _server(list(exchanges.values())),
        tuple(kind for kind in taken if kind not in judged),
        max((seconds for exchange, seconds in timed.values() if exchange.responses), default=0.0),
    )


def _timed(endpoint: Endpoint, request: bytes) -> tuple[Exchange, float]:
    """The answer, and how many seconds it took."""
    started = time.monotonic()
    return endpoint.send([request]), time.monotonic() - started


def follows_our_contract(endpoint: Endpoint) -> bool:
    """Whether a plain request is answered as our servers do."""
    responses = endpoint.send([plain_request(_GET, endpoint)]).responses
    return any(response.header("wireproof-contract") for response in responses)


def plain_request(kind: str, endpoint: Endpoint) -> bytes:
    """A plain request with a body of this kind, and a query field."""
    if kind == _GET:
        head, body = b"GET /?q=1 HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: wireproof\r\n\r\n", b""
    else:
        media_type, body = _BODIES[kind]
        head = (
            b"POST /?q=1 HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: wireproof\r\n"
            b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n" % (media_type, len(body))
        )
    request = fitted_request(head + body, endpoint)
    assert request is not None  # its fields are not among those that an endpoint may add (`options.py`)
    return request


def _status(exchange: Exchange) -> int:
    return exchange.responses[0].status if exchange.responses else 0


def _tells(kind: str, told: Mapping[str, Told]) -> bool:
    """Whether the answer to a plain request of this kind tells what was read."""
    if kind == _GET:
        return True  # its status is judged, and its query if it is told
    return kind in told and bool(_TELLING.get(kind, frozenset()) & told[kind].members)


def _level(told: Mapping[str, Told]) -> Level:
    tells = any(_tells(kind, told) for kind in KINDS if kind != _GET)
    return Level.PARSED if tells else Level.STATUS


def _server(exchanges: Sequence[Exchange]) -> str:
    """The first Server field."""
    responses = [response for exchange in exchanges for response in exchange.responses]
    return next(filter(None, (response.header("server") for response in responses)), "")


def _proxy(exchanges: Sequence[Exchange], endpoint: Endpoint) -> str:
    """What names itself as a proxy in the answers to plain requests, or to what is no request at all."""
    refused = endpoint.send([_NOT_A_REQUEST])
    responses = [response for exchange in (*exchanges, refused) for response in exchange.responses]
    for response in responses:
        named = next((name for name in _PROXY_FIELDS if response.header(name)), "")
        if named:
            return f"{named}: {response.header(named)}"
        page = next((name for text, name in _PROXY_PAGES.items() if text in response.body), "")
        if page:
            return page
    servers = (response.header("server") or "" for response in responses)
    return next((f"perhaps {server}" for server in servers if _PROXY_SERVERS.search(server)), "")


def _trouble(exchanges: Sequence[Exchange], answers: Mapping[str, int], taken: Sequence[str]) -> str:
    """Why no upload can be judged."""
    posted = [answers[kind] for kind in KINDS if kind != _GET]
    if not any(posted):
        why = exchanges[0].failure or ("it closes the connection" if exchanges[0].closed else "")
        return f"no answer to a POST: {why}"
    if any(kind != _GET for kind in taken):
        return "the answers tell nothing that was sent; --level status judges only what is accepted"
    common = max(filter(None, posted), key=posted.count)
    if common in _MOVED and (where := _location(exchanges)):
        return f"it has moved ({common}): use the URL {where}"
    if 300 <= common < 400:
        return f"it answers every upload with a redirect ({common}), so that nothing can be told apart"
    return f"it refuses every kind of body ({common}): {_ADVICE.get(common, 'no case fits')}"


def _location(exchanges: Sequence[Exchange]) -> str:
    responses = [response for exchange in exchanges for response in exchange.responses]
    return next(filter(None, (response.header("location") for response in responses)), "")
