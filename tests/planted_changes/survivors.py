"""Generated requests for the changes that compare did not find, to all changed servers in one run.

Each response is compared with that of an unchanged server of the same backend. A changed server that differs
gets no more requests.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from clients import launch
from clients.comparison.cases import backend_tier, load_cases
from clients.comparison.runner import Backend
from clients.fuzzing.evaluation import Outcome, evaluate_request
from clients.fuzzing.generator import Generator
from clients.fuzzing.multiplex import Received, converse
from clients.fuzzing.routes_grammar import STORED
from clients.fuzzing.run import NotStored, store_samples
from clients.launch import RunningBackend

from .changes import Change
from .judging import BACKENDS, ENVIRONMENT, START_SECONDS, changed_backend

# gunicorn's worker reads heads itself.
_ONLY_FLASK_RUN = {"servers/flask_reading/environ.py"}
# A server that shares its processors with so many others may be slow.
_SECONDS = 60.0


def backend_of(change: Change) -> str:
    """The backend that reads requests with the changed code."""
    return "flask" if change.file in _ONLY_FLASK_RUN else BACKENDS[change.folder][0]


class NumberedBackend(Backend):
    """One of several servers of one backend: NAME and NUMBER."""

    @property
    def tier(self) -> int:
        return backend_tier(self.name.partition(" ")[0])


def fuzzed_differences(
    changes: Sequence[Change], backend: str, requests: int, seed: int, *, batch: int = 5000
) -> dict[Change, str]:
    """The changes that generated requests show, each with its first difference to an unchanged server.

    Each change gets `requests` requests, `batch` of them with one seed of the generator.
    """
    cases = load_cases()
    names = {*STORED, *(name for case in cases for name in case.store)}
    found: dict[Change, str] = {}
    with ExitStack() as servers:
        one_worker = ENVIRONMENT | {"WIREPROOF_WORKERS": "1"}
        unchanged = servers.enter_context(launch.start(backend, env=one_worker, seconds=START_SECONDS))
        reference = _numbered(unchanged, 0)
        left: dict[str, tuple[Change, Backend]] = {}
        for number, change in enumerate(changes, 1):
            context = changed_backend(backend, change.module, change.source(), one_worker)
            one = _numbered(servers.enter_context(context), number)
            left[one.name] = change, one
        store_samples([reference], names)
        for name, (change, one) in list(left.items()):
            try:
                store_samples([one], names)
            except NotStored as error:
                found[change] = str(error)
                del left[name]
        sent = 0
        while sent < requests and left:
            generated = Generator(seed + sent, cases).requests(min(batch, requests - sent))
            compared = [reference, *(one for _, one in left.values())]
            for request in converse(generated, compared, seconds=_SECONDS):
                sent += 1
                differing = dict(_differing(request, reference.name))
                found |= {left.pop(name)[0]: shown for name, shown in differing.items()}
                if differing:
                    break
    return found


def _numbered(running: RunningBackend, number: int) -> Backend:
    return NumberedBackend(f"{running.name} {number}", running.host, running.port)


def _differing(received: Received, reference: str) -> Iterator[tuple[str, str]]:
    """The names of the servers that differ, and how."""
    request, exchanges = received
    for name, exchange in exchanges.items():
        pair = {reference: exchanges[reference], name: exchange}
        evaluation = evaluate_request(request, pair)
        if name != reference and evaluation.outcome is Outcome.DIFFERENT:
            yield name, evaluation.kind
