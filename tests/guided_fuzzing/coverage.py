"""What an input reaches: steps from line to line in the parsers of both readings, and the result.

The engine counts on its own. This count is slower and needs nothing but Python, so a corpus is the same on
every machine.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import werkzeug.sansio.multipart

import servers
from servers.contract import remembered
from servers.contract.request import RequestHead

from .targets import Disagreement, Target

_SERVERS = Path(servers.__file__).parent
_WATCHED = tuple(f"{_SERVERS / folder}/" for folder in ("sansio", "flask_reading", "contract"))
_WERKZEUG = werkzeug.sansio.multipart.__file__

Trace = Callable[[FrameType, str, Any], Any]


def forget_lines() -> None:
    """Parse every line anew. What is remembered of the input before would hide what an input reaches."""
    remembered.MOST_OF_A_LINE = -1


def reached(target: Target, data: bytes) -> frozenset[object] | None:
    """The steps that the input takes, and its result; None if the readings disagree."""
    steps: set[object] = set()
    longest, before = remembered.MOST_OF_A_LINE, sys.gettrace()
    forget_lines()
    sys.settrace(_tracer(steps))
    try:
        outcomes = target.outcomes(data)
    except Disagreement:
        return None
    finally:
        sys.settrace(before)
        remembered.MOST_OF_A_LINE = longest
    return frozenset(steps | {_kind(outcome) for outcome in outcomes})


def _tracer(steps: set[object]) -> Trace:
    def enter(frame: FrameType, event: str, argument: Any) -> Trace | None:
        file = frame.f_code.co_filename
        if not file.startswith(_WATCHED) and file != _WERKZEUG:
            return None
        last = frame.f_lineno

        def step(frame: FrameType, event: str, argument: Any) -> Trace:
            nonlocal last
            if event == "line":
                steps.add((file, last, frame.f_lineno))
                last = frame.f_lineno
            return step

        return step

    return enter


def _kind(outcome: object) -> str:
    """The code of a refusal, or that the input is accepted. Only the code is worth an input of its own."""
    result = outcome[-1] if isinstance(outcome, tuple) and isinstance(outcome[-1], str) else outcome
    if isinstance(result, tuple) and not isinstance(result[0], RequestHead):
        result = result[0]
    return result if isinstance(result, str) else "accepted"
