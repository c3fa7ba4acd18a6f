"""The history as JSON: a row of the list, and everything that is kept of one request."""

import base64
import hashlib
import json
import sqlite3
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .agreement import Answer, differences
from .explained import Explained
from .history_database import MOST_RUNS
from .same_request import digest_of

SMALL = (
    "id, change, at, is_complete, runs, agreement, is_refused, method, target, kind, agent, size,"
    " total, head, chunked, redacted, expected, received, rate, seen"
)
"""The columns of `requests` without the large ones."""

_RUN = "id, backend, wire, status, code, ms"
_WHOLE_RUN = f"{_RUN}, redacted, content_type, answer_size, problem, environ, events, answer"


class Worked(NamedTuple):
    """What is worked out of a row when somebody looks. `hashes` are those of the answers, run by run."""

    digest: str | None
    hashes: tuple[str | None, ...]
    strip: list[Any]
    stop: dict[str, Any] | None


def work_out(request: sqlite3.Row, runs: list[sqlite3.Row], explained: Explained | None, most: int) -> Worked:
    """Work it out of a row and its runs with all columns. The strip has at most `most` runs."""
    digest = None
    if request["kept"] is not None:
        digest = digest_of(request["kept"], request["total"], request["key"])
    strip = [] if explained is None else explained.strip(most)
    stop = None if explained is None else explained.stop
    return Worked(digest, tuple(_sha256(run) for run in runs), strip, stop)


def rough_strip(request: sqlite3.Row) -> list[Any]:
    """A strip that costs nothing: the head and the body."""
    head, total = request["head"], request["total"]
    if not total:
        return []
    body = "part data" if request["kind"] == "multipart" else "body"
    runs = [[0, head, "field value"], [head, total - head, body if head else "undecided"]]
    return [run for run in runs if run[1]]


def _sha256(run: sqlite3.Row) -> str | None:
    """The hash of an answer if every byte of it is kept as it was sent."""
    answer = run["answer"]
    if answer is None or run["redacted"] or len(answer) != run["answer_size"]:
        return None
    return hashlib.sha256(answer).hexdigest()


def list_row(request: sqlite3.Row, runs: list[sqlite3.Row], worked: Worked) -> dict[str, Any]:
    """A row of the list."""
    hashes = (*worked.hashes, *[None] * len(runs))
    return {
        "id": request["id"],
        "at": timestamp(request["at"]),
        "digest": worked.digest,
        "method": request["method"],
        "target": request["target"],
        "kind": request["kind"],
        "size": request["size"],
        "total": request["total"],
        "agent": request["agent"],
        "agreement": request["agreement"],
        "complete": bool(request["is_complete"]),
        "arriving": _arriving(request),
        "strip": worked.strip,
        "runs": [_run(run, sha256) for run, sha256 in zip(runs, hashes, strict=False)],
        "stop": None if worked.stop is None else {"at": worked.stop["at"]},
    }


def whole_row(
    request: sqlite3.Row, runs: list[sqlite3.Row], worked: Worked, explained: Explained | None
) -> dict[str, Any]:
    """Everything that is kept of one request."""
    kept, tail = request["kept"] or b"", request["tail"] or b""
    reads = [0] if request["reads"] is None else [int(read) for read in request["reads"].split(",") if read]
    return {
        **list_row(request, runs, worked),
        "stop": worked.stop,
        "head": request["head"],
        "chunked": bool(request["chunked"]),
        "redacted": bool(request["redacted"]),
        "reads": reads if request["total"] else [],
        "end": None if explained is None else explained.end,
        "diffs": _diffs(runs),
        "kept": len(kept),
        "tail": len(tail),
        "bytes": base64.b64encode(kept).decode("ascii"),
        "tail_bytes": base64.b64encode(tail).decode("ascii"),
        "runs": [
            {**_run(run, sha256), **_more(run)} for run, sha256 in zip(runs, worked.hashes, strict=True)
        ],
    }


def timestamp(seconds: float) -> str:
    """A time in UTC, as RFC 3339 writes it, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _arriving(request: sqlite3.Row) -> dict[str, Any] | None:
    if request["seen"] is None:
        return None
    return {
        "received": request["received"] or 0,
        "expected": request["expected"],
        "rate": round(request["rate"] or 0),
    }


def _run(run: sqlite3.Row, sha256: str | None) -> dict[str, Any]:
    return {
        "backend": run["backend"],
        "status": run["status"],
        "code": run["code"],
        "ms": None if run["ms"] is None else round(run["ms"], 2),
        "sha256": sha256,
        "wire": bool(run["wire"]),
    }


def _more(run: sqlite3.Row) -> dict[str, Any]:
    answer = run["answer"]
    problem = None if run["problem"] is None else json.loads(run["problem"])
    return {
        "content_type": run["content_type"],
        "answer_size": run["answer_size"],
        "answer": None if answer is None else answer.decode("utf-8", "replace"),
        "detail": None if problem is None else problem["detail"],
        "environ": None if run["environ"] is None else json.loads(run["environ"]),
        "events": None if run["events"] is None else json.loads(run["events"]),
    }


def _diffs(runs: list[sqlite3.Row]) -> list[tuple[str, Any, Any]]:
    """In which values the first two runs that differ do so."""
    answers = [Answer(run["status"], run["content_type"], run["answer_size"], run["answer"]) for run in runs]
    found = (differences(answers[0], other) for other in answers[1:])
    return next((each for each in found if each), [])


def runs_of(
    connection: sqlite3.Connection, ids: list[int], *, whole: bool = False
) -> dict[int, list[sqlite3.Row]]:
    """The runs of these requests."""
    found: dict[int, list[sqlite3.Row]] = {number: [] for number in ids}
    if not ids:
        return found
    columns = _WHOLE_RUN if whole else _RUN
    rows = connection.execute(
        f"SELECT {columns} FROM runs WHERE id >= ? AND id < ? ORDER BY id",
        (min(ids) * MOST_RUNS, (max(ids) + 1) * MOST_RUNS),
    )
    for row in rows:
        if row["id"] // MOST_RUNS in found:
            found[row["id"] // MOST_RUNS].append(row)
    return found
