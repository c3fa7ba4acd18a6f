"""Runs the cases against backends: compare prints the results, the tests assert them.

A raw case is sent three times to each backend: whole, in random pieces, and with up to 300 of its bytes sent
one byte at a time. A case with `splits` is also sent in those pieces. The responses must be equal (M89). If
one is missing, the rest is not sent. Files that the first response calls stored are read back. When a backend
can no longer be reached, no further case is sent.

A case that counts interim responses is sent once, its head first: a server need not send 100 (Continue) when
the body is already there (RFC 9110 10.1.1). A call of the blog post is sent once by our socket client and
once by requests. Both stream clients read a live stream.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from ..http1.exchange import (
    Exchange,
    bytewise,
    exchange,
    random_pieces,
    request_methods,
    split_at,
    whole,
)
from ..http1.sent_request import is_whole
from .cases import SAMPLE_FILES, Case, backend_tier, load_cases
from .known_differences import KnownDifferences
from .projection import EVERY_BYTE, Projection
from .reachability import Reachability
from .read_back import unreadable_file
from .requests_calls import load_post_calls, send_call
from .socket_calls import load_socket_calls, send_socket_call
from .stream_cases import load_stream_cases, send_stream, with_gaps
from .verdicts import Result, Sending, evaluate, not_sent

CLIENTS = ("raw", "socket", "requests", "stream")
IN_FLIGHT = 8
# How long to wait between pieces: so that a server reads them one by one; for a 1xx that is expected to come;
# for one that must not come. Bytes from the server end each wait.
_SPLIT_SECONDS = 0.05
_CONTINUE_SECONDS = 5.0
_NO_CONTINUE_SECONDS = 0.3
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Backend:
    """A server to compare. Its name decides which tiers it gets and which known differences hold for it."""

    name: str
    host: str
    port: int

    @property
    def tier(self) -> int:
        """The highest tier of the cases that it gets."""
        return backend_tier(self.name)


def load_all_cases(clients: Sequence[str] = CLIENTS, pattern: str = "*") -> list[Case]:
    """The cases of the named clients whose name matches the glob `pattern`. Raises CaseError."""
    loaders = {
        "raw": lambda pattern: load_cases(pattern=pattern),
        "socket": load_socket_calls,
        "requests": load_post_calls,
        "stream": load_stream_cases,
    }
    return [case for client in CLIENTS if client in clients for case in loaders[client](pattern)]


def run_cases(
    cases: Iterable[Case],
    backends: Sequence[Backend],
    *,
    known_differences: KnownDifferences,
    seed: int = 0,
    projection: Projection = EVERY_BYTE,
    byte_by_byte: bool = True,
    fail_fast: bool = False,
    on_case: Callable[[Case], object] = lambda case: None,
    reachability: Reachability | None = None,
) -> list[Result]:
    """Run the cases, several at a time, and return their results in the order of the cases.

    A case is sent to all backends that get it, and has one result for each backend, in their order. The same
    `seed` splits a case in the same way, on every backend and in every run. `projection` says which parts of
    the responses are compared. Without `byte_by_byte` the split is left out that takes most of the time. With
    `fail_fast` the first case that fails is the last one in the results. `on_case` is called with each case
    that is done, in this thread. `reachability` gets the backends that can no longer be reached; the results
    end with the cases that were under way when that was found.
    """
    reachability = reachability or Reachability()

    def run_case(case: Case) -> list[Result]:
        if reachability.gone:
            return []
        getting = [backend for backend in backends if case.tier <= backend.tier]
        timed = {backend.name: _timed(case, backend, seed, byte_by_byte) for backend in getting}
        sent = {name: of_one for name, (of_one, _) in timed.items()}
        case, sendings = projection.project(case, sent)
        results = {
            result.backend: replace(
                with_gaps(result, sendings[result.backend]), seconds=timed[result.backend][1]
            )
            for result in evaluate(case, sendings, known_differences)
        }
        for one in getting:
            if results[one.name].failed:
                reachability.check(one.name, one.host, one.port, (each.exchange for each in sent[one.name]))
        return [results.get(backend.name) or not_sent(case, backend.name) for backend in backends]

    cases = list(cases)
    results: list[Result] = []
    with ThreadPoolExecutor(IN_FLIGHT, "case") as pool:
        running = [pool.submit(run_case, case) for case in cases]
        try:
            for case, run in zip(cases, running, strict=True):
                of_case = run.result()
                results += of_case
                on_case(case)
                if not of_case or (fail_fast and any(result.failed for result in of_case)):
                    pool.shutdown(cancel_futures=True)
                    break
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def _timed(case: Case, backend: Backend, seed: int, byte_by_byte: bool) -> tuple[list[Sending], float]:
    """What came back for a case, and how many seconds that took."""
    started = time.monotonic()
    return send_case(case, backend, seed, byte_by_byte=byte_by_byte), time.monotonic() - started


def send_case(case: Case, backend: Backend, seed: int, *, byte_by_byte: bool = True) -> list[Sending]:
    """Store the files of the case on the backend, then send the case in every split."""
    for name in case.store:
        problem = store_sample(name, backend)
        if problem:
            return [Sending("whole", problem)]
    if case.client == "socket":
        return [Sending("by the socket client", send_socket_call(case.name, backend.host, backend.port))]
    if case.client == "stream":
        return send_stream(case.name, backend.host, backend.port)
    if case.client == "requests":
        return [Sending("with requests", send_call(case.name, backend.host, backend.port))]
    expected = max(1, len(case.expect.responses))
    methods = request_methods(case.request, expected)
    complete = is_whole(case.request)
    sendings: list[Sending] = []
    for split, pieces, pause in _splits(case, seed, byte_by_byte):
        received = exchange(
            backend.host,
            backend.port,
            pieces,
            methods=methods,
            expected_responses=expected,
            pause=pause,
            is_whole=complete,
        )
        unreadable = "" if sendings else unreadable_file(received, backend.host, backend.port)
        sendings.append(Sending(split, received, unreadable))
        if received.failure:
            break  # this decides the verdict, and the next split would wait as long
    return sendings


def _splits(case: Case, seed: int, byte_by_byte: bool) -> Iterator[tuple[str, list[bytes], float]]:
    """Each way to send a recorded case: its name, the pieces, and the longest wait between two of them."""
    continues = case.expect.continues
    if continues is not None:
        end_of_head = case.request.index(_END_OF_HEAD) + len(_END_OF_HEAD)
        pieces = [piece for piece in split_at(case.request, [end_of_head]) if piece]
        yield "head first", pieces, _CONTINUE_SECONDS if continues else _NO_CONTINUE_SECONDS
        return
    rng = random.Random(f"{seed} {case.name}")
    yield "whole", whole(case.request), 0.0
    yield "in pieces", random_pieces(case.request, rng), 0.0
    if byte_by_byte:
        yield "byte by byte", bytewise(case.request, rng), 0.0
    if case.splits:
        yield "split as recorded", split_at(case.request, case.splits), _SPLIT_SECONDS


def store_sample(name: str, backend: Backend) -> Exchange | None:
    """Upload a sample file. None when it is stored, else an exchange whose `failure` says why it is not."""
    data = (SAMPLE_FILES / name).read_bytes()
    head = f"PUT /upload/{name} HTTP/1.1\r\nHost: localhost:8000\r\nContent-Length: {len(data)}\r\n\r\n"
    stored = exchange(backend.host, backend.port, [head.encode() + data], is_whole=True)
    if stored.responses and stored.responses[0].status == 200:
        return None
    what = f"{name} could not be stored first"
    if stored.no_response:
        return Exchange(no_response=f"{what}: {stored.no_response}")
    got = stored.responses[0].status if stored.responses else stored.bad_response or "closed"
    return Exchange(bad_response=f"{what}: {got}")
