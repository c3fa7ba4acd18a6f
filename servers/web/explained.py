"""What is worked out of a kept request when somebody looks: its spans, its strip, where and why it ended."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from ..contract.limits import Limits
from ..contract.problems import PROBLEMS, Problem
from .coarse_spans import unpack

STRIP = 64
"""A row of the list has a strip of so many runs at most."""


@dataclass(frozen=True, slots=True)
class Explained:
    """The spans of a request, and how it ended: `end` if it is complete, `stop` if it was refused."""

    spans: list[Any]
    end: dict[str, Any] | None
    stop: dict[str, Any] | None

    def strip(self, most: int = STRIP) -> list[Any]:
        """The bytes as at most `most` runs."""
        from .explanation import strip_of

        return [list(run) for run in strip_of(self.spans, most)]


def explain_row(request: sqlite3.Row, runs: list[sqlite3.Row], limits: Limits) -> Explained | None:
    """Parse the kept bytes again. None if no backend saw them."""
    if request["kept"] is None:
        return None
    from .explanation import Wire, explain  # loads the parsers of `sansio`, which not every backend needs

    behind = () if request["behind"] is None else tuple(_known(request["behind"]))
    refused = [run for run in runs if run["wire"] and run["code"]]
    run = next((run for run in refused if _knows_where(run)), refused[0] if refused else None)
    problem = None if run is None else _problem_of(run)
    was_cut = not request["is_complete"] and problem is None
    wire = Wire(request["kept"], request["total"], behind, was_cut, request["seen"] is not None)
    found = explain(wire, problem, limits)
    stop = None if problem is None or run is None else _stop(found.stop, problem)
    return Explained(found.spans, None if stop is not None else _end(request), stop)


def _knows_where(run: sqlite3.Row) -> bool:
    kept = json.loads(run["problem"] or "{}")
    return any(kept.get(name) is not None for name in ("offset", "fault", "field"))


def _known(blob: bytes) -> list[tuple[int, int, str]]:
    return list(unpack(blob))


def _problem_of(run: sqlite3.Row) -> Problem:
    kept = json.loads(run["problem"] or "{}")
    fault = kept.get("fault")
    return Problem(
        run["code"],
        kept.get("detail", ""),
        rule=kept.get("rule"),
        offset=kept.get("offset"),
        fault=None if fault is None else range(*fault),
        field=kept.get("field"),
    )


def _stop(stop: Any, problem: Problem) -> dict[str, Any]:
    kind = PROBLEMS[problem.code]
    return {
        "at": None if stop is None else stop.at,
        "len": 0 if stop is None else stop.length,
        "code": kind.code,
        "title": kind.title,
        "detail": problem.detail,
        "rule": problem.rule,
        "rules": list(kind.rules),
        "reference": kind.reference,
    }


def _end(request: sqlite3.Row) -> dict[str, Any] | None:
    """Why the request is complete."""
    if not request["is_complete"]:
        return None
    if request["chunked"]:
        text = "The chunk of size 0 and the empty line behind it came"
        return {"text": text, "how": "Transfer-Encoding: chunked", "rule": "B26", "ref": "RFC 9112 7.1"}
    if request["total"] > request["head"] or b"ontent-" in request["kept"][: request["head"]].lower():
        text = f"All {request['size']:,} bytes that Content-Length announces are here"
        return {"text": text, "how": "Content-Length", "rule": "B1", "ref": "RFC 9112 6.2"}
    text = "Neither Content-Length nor Transfer-Encoding: such a request has no body"
    return {"text": text, "how": "no framing", "rule": "B11", "ref": "RFC 9112 6.3"}
