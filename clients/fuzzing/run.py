"""A fuzz run: generates and sends requests, evaluates the responses, and shrinks and saves what differs."""

import dataclasses
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from ..comparison.cases import load_cases
from ..comparison.known_differences import KnownDifferences
from ..comparison.projection import EVERY_BYTE, Projection
from ..comparison.reachability import Reachability
from ..comparison.runner import Backend, store_sample
from ..comparison.verdicts import Result
from ..http1.exchange import Exchange, exchange, request_methods
from .draft import FuzzRequest
from .evaluation import evaluate_request
from .generator import Generator
from .multiplex import SECONDS, Received, converse
from .report import Example, FuzzReport
from .routes_grammar import STORED
from .shrink import shrink


class NotStored(Exception):
    """A backend does not store the sample files that some requests ask for; the message says which.

    `responded`: it could be reached.
    """

    def __init__(self, message: str, *, responded: bool) -> None:
        super().__init__(message)
        self.responded = responded


def fuzz(
    backends: Sequence[Backend],
    *,
    seed: int,
    known_differences: KnownDifferences,
    projection: Projection = EVERY_BYTE,
    seconds: float = float("inf"),
    count: int | None = None,
    on_request: Callable[[FuzzReport], object] = lambda report: None,
) -> FuzzReport:
    """Send generated requests until `count` were sent or `seconds` have passed. Raises NotStored.

    It also ends when a backend can no longer be reached, which is then in `gone` of the report.

    The same seed sends the same requests, in the same order. A backend with a known difference for a recorded
    case is not compared when the case is sent unchanged. `projection` says which parts of the responses are
    compared; requests for routes that it excludes are not sent.
    """
    cases = [case for case in load_cases() if projection.includes(case)]
    if not projection.parsed:
        store_samples(backends, {*STORED, *(name for case in cases for name in case.store)})
    generator = Generator(seed, cases)
    report = FuzzReport(seed, [backend.name for backend in backends])
    started = time.monotonic()

    def requests() -> Iterator[FuzzRequest]:
        for request in generator.requests(count):
            if time.monotonic() - started > seconds:
                return
            if projection.includes_request(request.data):
                yield request

    reachability = Reachability()
    report.gone = reachability.gone
    for request, exchanges in _while_reachable(converse(requests(), backends), backends, reachability):
        compared = {
            name: one for name, one in exchanges.items() if (request.origin, name) not in known_differences
        }
        if compared:
            report.count(_example(request, compared, projection))
        report.seconds = time.monotonic() - started
        on_request(report)
    return report


def _while_reachable(
    received: Iterable[Received], backends: Sequence[Backend], reachability: Reachability
) -> Iterator[Received]:
    """What was received, until a backend is gone.

    A thread asks the backends: one that serves a single connection may wait for bytes that this thread sends.
    """
    with ThreadPoolExecutor(1, "probe") as pool:
        probe: Future[None] | None = None
        for request, exchanges in received:
            yield request, exchanges
            for backend in backends:
                one = exchanges.get(backend.name, Exchange())
                if (one.closed or one.no_response) and (probe is None or probe.done()):
                    probe = pool.submit(reachability.check, backend.name, backend.host, backend.port, [one])
            if reachability.gone:
                return


def shrunk(example: Example, backends: Sequence[Backend], projection: Projection = EVERY_BYTE) -> Example:
    """The smallest request found that differs in the same way.

    It is the example itself if the example no longer differs.
    """
    request, kind = example.request, example.evaluation.kind
    concerned = [backend for backend in backends if backend.name in example.exchanges]

    def send(data: bytes) -> Example:
        methods = request_methods(data)
        exchanges = {
            backend.name: exchange(backend.host, backend.port, [data], methods=methods, seconds=SECONDS)
            for backend in concerned
        }
        smaller = dataclasses.replace(request, data=data, splits=(), rules=frozenset(), fault_rules=())
        return _example(smaller, exchanges, projection)

    def shows(data: bytes) -> bool:
        evaluation = send(data).evaluation
        return evaluation.difference is not None and evaluation.kind == kind

    if send(request.data).evaluation.kind != kind:
        return example
    # A backend that gets only T1 must not get a new head or new chunks: it cannot read them by the rules.
    return send(shrink(request.data, shows, whole_lines=request.tier == 1))


def save(folder: Path, example: Example, found: Example, seed: int) -> Path:
    """Write NAME.http, the minimal request, and NAME.json with the responses. Raises OSError.

    `found` is the example before it was shrunk.
    """
    result = result_of(example, seed)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.case}.http"
    path.write_bytes(example.request.data)
    document = {
        "title": result.detail,
        "seed": seed,
        "index": example.request.index,
        "origin": found.request.origin,
        "rules": sorted(found.request.fault_rules or found.request.rules),
        "bytes_before": len(found.request.data),
        "responses": {name: _as_json(one) for name, one in example.exchanges.items()},
    }
    path.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    return path


def result_of(example: Example, seed: int) -> Result:
    """The difference as compare reports it. The seed and the index in its name make the request again."""
    assert example.evaluation.difference is not None
    name = f"fuzz-{seed}-{example.request.index}"
    return dataclasses.replace(example.evaluation.difference, case=name)


def _example(request: FuzzRequest, exchanges: Mapping[str, Exchange], projection: Projection) -> Example:
    return Example(request, exchanges, evaluate_request(request, projection.project_exchanges(exchanges)))


def _as_json(shown: Exchange) -> dict[str, object]:
    return {
        "no_response": shown.no_response,
        "bad_response": shown.bad_response,
        "closed": shown.closed,
        "responses": [
            {"status": one.status, "headers": list(one.headers), "body": one.body.decode("utf-8", "replace")}
            for one in shown.responses
        ],
    }


def store_samples(backends: Sequence[Backend], names: Iterable[str]) -> None:
    """Upload the named sample files, which generated requests ask for, to each backend. Raises NotStored."""
    for backend, name in itertools.product(backends, sorted(names)):
        if problem := store_sample(name, backend):
            raise NotStored(f"{backend.name}: {problem.failure}", responded=not problem.no_response)
