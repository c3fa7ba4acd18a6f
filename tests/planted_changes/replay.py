"""Sends generated requests to changes of a reading in this process, without a connection.

A change has a process of its own, into which its module is imported with the change. What it responds is
compared with what the unchanged code responds to the same bytes: every status, field and body but `detail`,
and the stored files. This takes a third of the processor time of a run against servers.
"""

import json
import pickle
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from .changed_server import ChangedModule
from .changes import Change

_REQUEST_SECONDS = 60
_Responses = tuple[list[tuple[int, tuple[tuple[str, str], ...], bytes, bool]], list[str]]


def replayed_differences(
    changes: Sequence[Change],
    backend: str,
    requests: int,
    seed: int,
    *,
    at_once: int,
    batch: int = 5000,
    on_change: Callable[[Change, str], object] = lambda change, found: None,
) -> dict[Change, str]:
    """The changes that generated requests show, each with the first request that gets another response.

    `backend` is `socket` or `gunicorn`.
    Each change gets the same `requests` requests, `batch` of them with one seed of the generator. `on_change`
    is called with each change that is done, and what was found or nothing.
    """
    found: dict[Change, str] = {}
    with tempfile.TemporaryDirectory(prefix="wireproof-replay-") as folder:
        expected = Path(folder, "expected")
        with ProcessPoolExecutor(at_once, get_context("spawn"), max_tasks_per_child=1) as pool:
            pool.submit(_record, backend, expected, requests, seed, batch).result()
            running = {
                pool.submit(_first_difference, backend, change.module, change.source(), expected): change
                for change in changes
            }
            for done in as_completed(running):
                if done.result():
                    found[running[done]] = done.result()
                on_change(running[done], done.result())
    return {change: found[change] for change in changes if change in found}


def _driver(backend: str) -> Callable[[Sequence[bytes]], _Responses]:
    """What reads requests as this backend does. It is imported late, so that it uses the change."""
    if backend == "gunicorn":
        from tests.flask_server.driving import responses_to
    else:
        from tests.routes.driving import responses_to
    return responses_to


def _record(backend: str, expected: Path, requests: int, seed: int, batch: int) -> None:
    """Write each request and the responses of the unchanged code to a file."""
    from clients.comparison.cases import load_cases
    from clients.fuzzing.generator import Generator

    responses_to = _driver(backend)
    cases = load_cases()
    with expected.open("wb") as file:
        for sent in range(0, requests, batch):
            for request in Generator(seed + sent, cases).requests(min(batch, requests - sent)):
                pickle.dump((request.pieces, responses_to(request.pieces)), file)


def _first_difference(backend: str, module: str, source: str, expected: Path) -> str:
    """The first request that gets another response with `source` in the place of `module`; empty if none."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "servers"]:
        del sys.modules[name]  # the drawing of changes has imported it, without the change
    sys.meta_path.insert(0, ChangedModule(module, source))
    signal.signal(signal.SIGALRM, _too_slow)
    try:
        responses_to = _driver(backend)
    except Exception as error:
        return f"the server does not start: {error!r}"
    for pieces, unchanged in _recorded(expected):
        signal.alarm(_REQUEST_SECONDS)
        try:
            changed = responses_to(pieces)
        except Exception as error:
            return f"{error!r} instead of {_short(unchanged)} for {_begin(pieces)}"
        if changed != unchanged and _compared(changed) != _compared(unchanged):
            return f"{_short(changed)} instead of {_short(unchanged)} for {_begin(pieces)}"
    return ""


def _too_slow(*_: object) -> None:
    raise TimeoutError(f"no response in {_REQUEST_SECONDS} s")


def _recorded(expected: Path) -> Iterator[tuple[list[bytes], _Responses]]:
    with expected.open("rb") as file:
        try:
            while True:
                yield pickle.load(file)
        except EOFError:
            return


def _compared(responses: _Responses) -> tuple[list[Any], list[str]]:
    """What is compared: all but the wording of a problem."""
    sent, names = responses
    return [
        (status, fields, _without_detail(status, body), head) for status, fields, body, head in sent
    ], names


def _without_detail(status: int, body: bytes) -> Any:
    if status < 400 or not body.startswith(b"{"):
        return body
    members = json.loads(body)
    members.pop("detail", None)
    members.get("error", {}).pop("message", None)
    return members


def _short(responses: _Responses) -> str:
    return " ".join(str(status) for status, *_ in responses[0]) or "nothing"


def _begin(pieces: Sequence[bytes]) -> str:
    return repr(b"".join(pieces)[:300])
