"""Runs the cases against backends and judges them: what compare prints and what the tests assert.

A raw case is sent three times to each backend, and must be answered alike however its bytes were cut (M89):
whole, in random pieces, and with 300 bytes of it one a segment. A call of the post is sent once by our socket
client and once by requests. A live stream is read by both stream clients.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..http1.exchange import Exchange, bytewise, exchange, random_pieces, request_methods, whole
from .cases import SAMPLE_FILES, Case, backend_tier, load_cases
from .known_differences import Known
from .projection import View
from .requests_calls import load_post_calls, send_call
from .socket_calls import load_socket_calls, send_socket_call
from .stream_cases import load_stream_cases, send_stream, with_gaps
from .verdicts import Result, Sending, judge, not_sent

CLIENTS = ("raw", "socket", "requests", "stream")
IN_FLIGHT = 8
WHOLE_VIEW = View()


@dataclass(frozen=True, slots=True)
class Backend:
    """A server to compare. Its name decides which tiers it gets and which known differences hold for it."""

    name: str
    host: str
    port: int

    @property
    def tier(self) -> int:
        return backend_tier(self.name)


def load_all_cases(clients: Sequence[str] = CLIENTS, pattern: str = "*") -> list[Case]:
    """The cases of the named clients whose name matches the glob `pattern`. Raises CaseError."""
    loaders = {
        "raw": load_recorded_cases,
        "socket": load_socket_calls,
        "requests": load_post_calls,
        "stream": load_stream_cases,
    }
    return [case for client in CLIENTS if client in clients for case in loaders[client](pattern)]


def load_recorded_cases(pattern: str) -> list[Case]:
    """The recorded requests whose name matches `pattern`. Raises CaseError."""
    return load_cases(pattern=pattern)


def run_case(
    case: Case, backends: Sequence[Backend], *, known: Known, seed: int = 0, view: View = WHOLE_VIEW
) -> list[Result]:
    """Send one case to all backends that get it; one result for each backend, in their order.

    The same `seed` cuts a case in the same way, on every backend and in every run. `view` says what of the
    answers is looked at.
    """
    sendings = {
        backend.name: send_case(case, backend, seed) for backend in backends if case.tier <= backend.tier
    }
    viewed, seen = view.of(case, sendings)
    judged = {
        result.backend: with_gaps(result, seen[result.backend]) for result in judge(viewed, seen, known)
    }
    return [judged.get(backend.name) or not_sent(case, backend.name) for backend in backends]


def run_cases(
    cases: Iterable[Case],
    backends: Sequence[Backend],
    *,
    known: Known,
    seed: int = 0,
    view: View = WHOLE_VIEW,
    on_case: Callable[[Case], object] = lambda case: None,
) -> list[Result]:
    """Run the cases, several at a time, and return their results in the order of the cases.

    `on_case` is called with each case that is done, one call at a time.
    """
    cases = list(cases)
    results = []
    with ThreadPoolExecutor(IN_FLIGHT, "case") as pool:
        running = [pool.submit(run_case, case, backends, known=known, seed=seed, view=view) for case in cases]
        try:
            for case, run in zip(cases, running, strict=True):
                results += run.result()
                on_case(case)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def send_case(case: Case, backend: Backend, seed: int) -> list[Sending]:
    """Send one case to one backend in every cut; its stored files first."""
    for name in case.store:
        problem = _store(name, backend)
        if problem:
            return [Sending("whole", Exchange(no_response=problem))]
    if case.client == "socket":
        return [Sending("by the socket client", send_socket_call(case.name, backend.host, backend.port))]
    if case.client == "stream":
        return send_stream(case.name, backend.host, backend.port)
    if case.client == "requests":
        return [Sending("with requests", send_call(case.name, backend.host, backend.port))]
    rng = random.Random(f"{seed} {case.name}")
    cuts = {
        "whole": whole(case.request),
        "in pieces": random_pieces(case.request, rng),
        "byte by byte": bytewise(case.request, rng),
    }
    expected = max(1, len(case.expect.responses))
    methods = request_methods(case.request, expected)
    return [
        Sending(
            cut,
            exchange(backend.host, backend.port, pieces, methods=methods, expected_answers=expected),
        )
        for cut, pieces in cuts.items()
    ]


def _store(name: str, backend: Backend) -> str:
    """Upload a sample file; return why it could not be stored, or ""."""
    data = (SAMPLE_FILES / name).read_bytes()
    head = f"PUT /upload/{name} HTTP/1.1\r\nHost: localhost:8000\r\nContent-Length: {len(data)}\r\n\r\n"
    answered = exchange(backend.host, backend.port, [head.encode() + data])
    if answered.responses and answered.responses[0].status == 200:
        return ""
    status = answered.responses[0].status if answered.responses else answered.no_response or "closed"
    return f"{name} could not be stored first: {status}"
