"""A fuzz run: generates, sends, judges, shrinks what differs, and saves it for whoever has to look at it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from ..comparison.cases import SAMPLE_FILES, load_cases
from ..comparison.known_differences import Known
from ..comparison.projection import View
from ..comparison.rendering import show_exchange, show_request
from ..comparison.runner import WHOLE_VIEW, Backend
from ..comparison.verdicts import Result, Verdict
from ..http1.exchange import Exchange, exchange, request_methods
from .draft import FuzzRequest
from .generator import Generator
from .judgement import Judgement, judge
from .multiplex import SECONDS, converse
from .report import Example, FuzzReport
from .routes_grammar import STORED
from .shrink import shrink

MOST_SHRUNK = 20
"""Kinds of difference that are made small; of more, the first requests are kept as they are."""


class NotStored(Exception):
    """A backend would not store the sample files that some requests ask for; the message says which."""


def fuzz(
    backends: Sequence[Backend],
    *,
    seed: int,
    known: Known,
    view: View = WHOLE_VIEW,
    seconds: float = float("inf"),
    count: int | None = None,
    on_request: Callable[[FuzzReport], object] = lambda report: None,
) -> FuzzReport:
    """Send generated requests until `count` were sent or `seconds` are over. Raises NotStored.

    The same seed sends the same requests, in the same order. A recorded case that is sent as it is has the
    known differences of that case. `view` says what of the answers is looked at, and leaves out requests for
    routes that a server looked at in this way does not have.
    """
    cases = [case for case in load_cases() if view.wants(case)]
    if not view.parsed:
        _store_samples(backends, {*STORED, *(name for case in cases for name in case.store)})
    generator = Generator(seed, cases)
    report = FuzzReport(seed, [backend.name for backend in backends])
    started = time.monotonic()

    def requests() -> Iterator[FuzzRequest]:
        for request in generator.requests(count):
            if time.monotonic() - started > seconds:
                return
            if view.wants_request(request.data):
                yield request

    for request, exchanges in converse(requests(), backends):
        # One that is known to differ is no measure for the others.
        compared = {name: one for name, one in exchanges.items() if (request.origin, name) not in known}
        report.count(request, compared, judge(request, view.exchanges(compared)))
        report.seconds = time.monotonic() - started
        on_request(report)
    return report


def shrunk(example: Example, backends: Sequence[Backend], view: View = WHOLE_VIEW) -> Example:
    """The smallest request found that differs in the same way; the example itself if it no longer differs."""
    request = example.request
    concerned = [backend for backend in backends if backend.name in example.exchanges]
    again = _ask(request.data, request, concerned, view)
    if again.judgement.kind != example.judgement.kind:
        return example

    def shows(data: bytes) -> bool:
        judgement = _ask(data, request, concerned, view).judgement
        return judgement.failed and judgement.kind == example.judgement.kind

    # Backends that get T1 alone must not be shown a head, or chunks, that only others can judge.
    smaller = shrink(request.data, shows, whole_lines=request.tier == 1)
    return _ask(smaller, request, concerned, view)


def _ask(data: bytes, request: FuzzRequest, backends: Sequence[Backend], view: View) -> Example:
    exchanges: dict[str, Exchange] = {}
    for backend in backends:
        exchanges[backend.name] = exchange(
            backend.host, backend.port, [data], methods=request_methods(data), seconds=SECONDS
        )
    changed = FuzzRequest(
        request.index,
        data,
        alone=request.alone,
        tier=request.tier,
        multipart=request.multipart,
        origin=request.origin,
    )
    return Example(changed, exchanges, judge(changed, view.exchanges(exchanges)))


def name_of(example: Example, seed: int) -> str:
    """What a difference is called: the seed and the index make its request again."""
    return f"fuzz-{seed}-{example.request.index}"


def save(folder: Path, example: Example, found: Example, seed: int) -> Path:
    """Write NAME.http, the minimal request, and NAME.json with all answers to it. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name_of(example, seed)}.http"
    path.write_bytes(example.request.data)
    document = {
        "title": example.judgement.detail,
        "seed": seed,
        "index": example.request.index,
        "origin": found.request.origin,
        "rules": sorted(found.request.fault_rules or found.request.rules),
        "bytes_before": len(found.request.data),
        "answers": {name: _answers(one) for name, one in example.exchanges.items()},
    }
    path.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    return path


def result_of(example: Example, seed: int) -> Result:
    """The difference as compare reports any other."""
    shown = example.exchanges.get(example.judgement.backend)
    responses = shown.responses if shown is not None else ()
    blocks = [f"request ({len(example.request.data)} bytes):", show_request(example.request.data)]
    for name, one in example.exchanges.items():
        blocks += [f"{name}:", show_exchange(one)]
    return Result(
        case=name_of(example, seed),
        backend=example.judgement.backend,
        client="raw",
        verdict=_verdict(example.judgement, shown),
        status=responses[0].status if responses else None,
        detail=example.judgement.detail,
        evidence="\n".join(blocks),
    )


def _verdict(judgement: Judgement, shown: Exchange | None) -> Verdict:
    unanswered = shown is not None and bool(shown.no_response)
    return Verdict.NO_ANSWER if judgement.failed and unanswered else Verdict.DIFFERENT


def _answers(shown: Exchange) -> dict[str, object]:
    return {
        "no_answer": shown.no_response,
        "closed": shown.closed,
        "answers": [
            {"status": one.status, "headers": list(one.headers), "body": one.body.decode("utf-8", "replace")}
            for one in shown.responses
        ],
    }


def _store_samples(backends: Sequence[Backend], names: Iterable[str]) -> None:
    for backend, name in itertools.product(backends, sorted(names)):
        data = (SAMPLE_FILES / name).read_bytes()
        head = f"PUT /upload/{name} HTTP/1.1\r\nHost: localhost:8000\r\nContent-Length: {len(data)}\r\n\r\n"
        stored = exchange(backend.host, backend.port, [head.encode() + data])
        if not stored.responses or stored.responses[0].status != 200:
            why = stored.responses[0].status if stored.responses else stored.no_response or "closed"
            raise NotStored(f"{backend.name} does not store {name}: {why}")
