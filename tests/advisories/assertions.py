"""The assertions about attacks: an object is made with the attack and called with a server.

They assert exact codes, exact bytes, linear cost and bounded memory.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clients.http1.response_parser import Response
from tests.advisories.measures import TICK, Memory, cpu
from tests.advisories.messages import CANARY
from tests.advisories.target import Target
from tests.patience import eventually, patient

Bytes = bytes | Callable[[], bytes]
Pieces = Callable[[], Iterable[bytes]]

CLOSE_SECONDS = 5.0
LINEAR = 2.6
_ATTEMPTS = 8


def made(data: Bytes) -> bytes:
    """The bytes. Large requests are functions, so that they are made only when they are sent."""
    return data if isinstance(data, bytes) else data()


def accepted(target: Target, request: Bytes, see: Mapping[str, Any] | None = None) -> Response:
    """Send a request; the response must be a 200 whose description contains `see`."""
    response = target.talk(made(request), half_close=True).only()
    assert response.status == 200, f"{response.status}: {response.body[:400]!r}"
    fault = differs(response.json(), see or {})
    assert not fault, fault
    return response


def refused(response: Response, status: int, code: str) -> None:
    """The response is that problem."""
    seen = (response.status, response.json().get("code") if response.is_json and response.body else "")
    assert seen == (status, code), f"{seen[0]} {seen[1]}, not {status} {code}: {response.body[:300]!r}"
    assert response.header("content-type") in ("application/problem+json", "application/json")
    assert response.header("x-content-type-options") == "nosniff"


def differs(seen: Any, wanted: Any, where: str = "") -> str:
    """How `seen` is not `wanted`, or "": an object may have more members, a list must have as many items."""
    if isinstance(wanted, Mapping) and isinstance(seen, Mapping):
        missing = [name for name in wanted if name not in seen]
        faults = [differs(seen[name], wanted[name], f"{where}/{name}") for name in wanted if name in seen]
        return "; ".join([f"{where}/{name} is missing" for name in missing] + [f for f in faults if f])
    if isinstance(wanted, list) and isinstance(seen, list) and len(wanted) == len(seen):
        pairs = enumerate(zip(seen, wanted, strict=True))
        return "; ".join(filter(None, (differs(s, w, f"{where}/{at}") for at, (s, w) in pairs)))
    return "" if seen == wanted else f"{where or '/'}: {seen!r:.300}, not {wanted!r:.300}"


@dataclass(frozen=True, slots=True)
class Rejected:
    """REJ: a request whose end cannot be trusted is refused, and the connection is closed.

    The response has `Connection: close`, nothing is stored, the request behind it gets no response. The
    `twin`, a valid request of the same form, is accepted."""

    request: Bytes
    status: int
    code: str
    twin: Bytes

    def __call__(self, target: Target) -> Response:
        before = target.stored()
        request = made(self.request)
        reply = target.talk(request + CANARY)
        assert reply.ended, f"the connection was not closed: {reply.raw[:300]!r} ({reply.fault})"
        response = reply.only()
        refused(response, self.status, self.code)
        assert (response.header("connection") or "").lower() == "close"
        assert reply.seconds <= patient(CLOSE_SECONDS)
        nothing_stored(target, before)
        accepted(target, self.twin)
        return response


@dataclass(frozen=True, slots=True)
class Refused:
    """A complete request whose content is refused; the bytes behind it are the next request.

    Nothing is stored; the twin is accepted.
    """

    request: Bytes
    status: int
    code: str
    twin: Bytes

    def __call__(self, target: Target) -> Response:
        before = target.stored()
        reply = target.talk(made(self.request) + CANARY, half_close=True, expected=2)
        assert not reply.fault, reply.fault
        response, *after = reply.responses
        refused(response, self.status, self.code)
        assert [next_one.json()["target"] for next_one in after] in ([], ["/__canary"]), reply.raw
        nothing_stored(target, before)
        accepted(target, self.twin)
        return response


@dataclass(frozen=True, slots=True)
class CutOff:
    """A request that the client ends early is refused at once. Nothing is stored; the twin is accepted."""

    request: Bytes
    code: str
    twin: Bytes
    status: int = 400

    def __call__(self, target: Target) -> Response:
        before = target.stored()
        reply = target.talk(made(self.request), half_close=True)
        assert reply.ended and reply.seconds <= patient(CLOSE_SECONDS)
        response = reply.only()
        refused(response, self.status, self.code)
        nothing_stored(target, before)
        accepted(target, self.twin)
        return response


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that looks hostile and is legal: the response is a 200 whose description contains `see`."""

    request: Bytes
    see: Mapping[str, Any]

    def __call__(self, target: Target) -> Response:
        reply = target.talk(made(self.request) + CANARY, half_close=True, expected=2)
        assert not reply.fault, reply.fault
        response, *after = reply.responses
        assert response.status == 200, f"{response.status}: {response.body[:400]!r}"
        fault = differs(response.json(), self.see)
        assert not fault, fault
        assert [next_one.json()["target"] for next_one in after] in ([], ["/__canary"]), reply.raw
        return response


@dataclass(frozen=True, slots=True)
class Stored:
    """INT: the response has the hash and size of every file that was sent, and each can be read back."""

    request: Bytes
    contents: tuple[bytes, ...]

    def __call__(self, target: Target) -> Response:
        response = accepted(target, self.request)
        intact(target, response, *self.contents)
        return response


def intact(target: Target, response: Response, *contents: bytes) -> None:
    """INT for the response to an upload of these contents."""
    hashes = [hashlib.sha256(content).hexdigest() for content in contents]
    files = [(entry["sha256"], entry["size"]) for entry in response.json()["files"]]
    assert files == [(sha256, len(content)) for sha256, content in zip(hashes, contents, strict=True)]
    for sha256, content in zip(hashes, contents, strict=True):
        request = b"GET /files/%s HTTP/1.1\r\nHost: localhost:8000\r\n\r\n" % sha256.encode()
        stored = target.talk(request, half_close=True).only()
        assert stored.status == 200 and stored.body == content, f"{stored.status}, {len(stored.body)} bytes"


def nothing_stored(target: Target, before: frozenset[str]) -> None:
    """Nothing was stored since `before`, and the upload left nothing behind."""
    assert target.stored() == before, "something was stored"
    assert eventually(lambda: not target.temporary()), f"left behind: {target.temporary()}"


@dataclass(frozen=True, slots=True)
class Linear:
    """LIN: twice the input costs the server at most 2.6 times the CPU time, for each doubling of `size`.

    `make(n)` is a request of size n. It is sent `repeat` times, as the clock counts ticks; three ticks are
    allowed. The cheapest of several measurements counts, because noise only adds. Every response has
    `status`.
    """

    make: Callable[[int], bytes]
    size: int
    repeat: int = 1
    status: int = 200
    doublings: int = 3
    attempts: int = _ATTEMPTS

    def __call__(self, target: Target) -> None:
        sizes = [self.size << doubling for doubling in range(self.doublings + 1)]
        costs = [float("inf")] * len(sizes)
        for _ in range(self.attempts):
            costs = [min(cost, self._cost(target, size)) for cost, size in zip(costs, sizes, strict=True)]
            if all(twice <= LINEAR * once + 3 * TICK for once, twice in itertools.pairwise(costs)):
                return
        seconds = [round(cost, 2) for cost in costs]
        raise AssertionError(f"not linear: seconds of CPU for {sizes}: {seconds}")

    def _cost(self, target: Target, size: int) -> float:
        request = self.make(size)
        before = cpu(target.pid)
        for _ in range(self.repeat):
            reply = target.talk(request, half_close=True)
            response = reply.only()
            assert response.status == self.status, f"{response.status}: {response.body[:300]!r}"
        return cpu(target.pid) - before


@dataclass(frozen=True, slots=True)
class Bounded:
    """RSS: no process of the server grows by more than `mib` while it reads the stream.

    `code` is empty for a stream that is accepted. With `most`, the refusal comes before server and kernels
    have taken more than so many bytes.
    """

    pieces: Pieces
    mib: float
    status: int = 200
    code: str = ""
    most: int | None = None
    half_close: bool = True

    def __call__(self, target: Target) -> Response:
        before = target.stored()
        memory = Memory(target.pid)
        reply = target.talk(self.pieces(), half_close=self.half_close, methods=(b"POST",))
        response = reply.only()
        if self.code:
            refused(response, self.status, self.code)
            nothing_stored(target, before)
        assert response.status == self.status, f"{response.status}: {response.body[:300]!r}"
        assert memory.growth() <= self.mib, f"grew by {memory.growth():.1f} MiB"
        if self.most is not None:
            assert reply.sent <= self.most, f"{reply.sent} bytes were taken"
        return response
