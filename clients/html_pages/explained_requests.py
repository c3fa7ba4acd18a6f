"""What each byte of a request is, as our own server explains it.

A socket server with a history gets the requests. Its history has their bytes with credentials hidden, and
their spans. So the spans of a report are those of the parser itself.
"""

import base64
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..http1.exchange import exchange, request_methods, whole
from ..http1.response_parser import Response
from ..http1.sent_request import is_whole
from ..launch import RunningBackend, start
from .wire_component import WireComponent, wire_component

MOST_REQUESTS = 300
"""So many requests are explained at most. The history keeps 500."""

MOST_PAGES = 5
"""A request with more than so many pages of spans, 2,000 each, is not explained."""

_HISTORY = "500"
# One process writes the history in the order in which the requests came.
_ONE_PROCESS = {"WIREPROOF_WORKERS": "1"}
_LAST = b"GET /behind-all-others HTTP/1.1\r\nHost: localhost\r\n\r\n"
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_HIDDEN = 0x2A  # the history writes `*` for each byte of a credential


class NotExplained(Exception):
    """The server does not give what it must; the message says what."""


@dataclass(frozen=True, slots=True)
class ExplainedRequest:
    """`described` is what `/requests/{id}` tells, `pages` are the answers of `/requests/{id}/spans`."""

    described: Mapping[str, Any]
    pages: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Explained:
    """The requests by their bytes, the texts of the rules by their ids, and the component that shows them."""

    requests: Mapping[bytes, ExplainedRequest]
    rules: Mapping[str, str]
    component: WireComponent


def explained(requests: Sequence[bytes]) -> Explained:
    """The first requests, each different, explained by a server that is started for it.

    A request of which the history keeps nothing is not among them. Raises LaunchError, NotExplained and
    NotBundled.
    """
    different = list(dict.fromkeys(requests))[:MOST_REQUESTS]
    env = {"WIREPROOF_QUIET": "1", "WIREPROOF_DURABILITY": "fast", "WIREPROOF_HISTORY": _HISTORY}
    with start("socket", env={**env, **_ONE_PROCESS}) as server:
        for request in (*different, _LAST):
            _send(server, request)
        found = dict(_found(server, different))
        component = wire_component(lambda name: _get(server, f"/ui/{name}").body.decode("utf-8"))
        return Explained(found, _json(server, "/ui/rules"), component)


def _send(server: RunningBackend, request: bytes) -> None:
    """Send it; the answer is in the history, too."""
    exchange(
        server.host, server.port, whole(request), methods=request_methods(request), is_whole=is_whole(request)
    )


def _found(server: RunningBackend, requests: Sequence[bytes]) -> Iterator[tuple[bytes, ExplainedRequest]]:
    """Each request that the history has. `_LAST` was sent behind them, so they are written when it is."""
    until = time.monotonic() + _PATIENCE_SECONDS
    missing, seen = [*requests, _LAST], set[int]()
    while _LAST in missing:
        rows = _json(server, "/requests/?limit=500")["requests"]
        new = [row["id"] for row in reversed(rows) if row["arriving"] is None and row["id"] not in seen]
        if not new and time.monotonic() > until:
            raise NotExplained("our own server writes no history")
        if not new:
            time.sleep(_LOOK_SECONDS)
        for number in new:
            seen.add(number)
            described = _json(server, f"/requests/{number}")
            kept = base64.b64decode(described["bytes"])
            request = next((each for each in missing if _is_of(kept, each)), None)
            if request is None:
                continue  # a second request, which our server read behind the first one
            missing.remove(request)
            pages = _pages(server, described)
            if pages:
                yield request, ExplainedRequest(described, pages)


def _is_of(kept: bytes, request: bytes) -> bool:
    """Whether these bytes of the history are the first bytes of the request."""
    if not kept or len(kept) > len(request):
        return False
    if request.startswith(kept):
        return True
    return _HIDDEN in kept and all(one in (other, _HIDDEN) for one, other in zip(kept, request, strict=False))


def _pages(server: RunningBackend, described: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All spans of a request; none if they are too many."""
    pages: list[Mapping[str, Any]] = []
    end, total = 0, described["total"]
    while end < total:
        if len(pages) == MOST_PAGES:
            return []
        page = _json(server, f"/requests/{described['id']}/spans?from={end}")
        if not page["spans"]:
            return []
        pages.append(page)
        end = page["spans"][-1][0] + page["spans"][-1][1]
    return pages


def _json(server: RunningBackend, path: str) -> dict[str, Any]:
    value = _get(server, path).json_object()
    if value is None:
        raise NotExplained(f"{path} of our own server is no JSON")
    return value


def _get(server: RunningBackend, path: str) -> Response:
    request = f"GET {path} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nConnection: close\r\n\r\n"
    got = exchange(server.host, server.port, [request.encode("ascii")], is_whole=True)
    if len(got.responses) != 1 or got.responses[0].status != 200:
        status = got.responses[0].status if got.responses else "none"
        why = got.failure or f"its status is {status}"
        raise NotExplained(f"our own server gives no {path}: {why}")
    return got.responses[0]
