"""What an input reaches: steps from line to line in the parsers, about how often, and the result.

The engine counts on its own. This count is slower and needs nothing but Python, so a corpus is the same on
every machine.
"""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import werkzeug.sansio.multipart

import servers
from servers.contract import remembered

from .targets import Disagreement, Target, kind_of

_SERVERS = Path(servers.__file__).parent
_WATCHED = tuple(f"{_SERVERS / folder}/" for folder in ("sansio", "flask_reading", "contract"))
_WERKZEUG = werkzeug.sansio.multipart.__file__

Trace = Callable[[FrameType, str, Any], Any]


def forget_lines() -> None:
    """Parse every line anew. What is remembered of the input before would hide what an input reaches."""
    remembered.MOST_OF_A_LINE = -1


def reached(target: Target, data: bytes) -> frozenset[object] | None:
    """The steps that the input takes, and its result; None if the readings disagree.

    A step counts anew when it is taken 2, 4, 8 times and so on.
    """
    steps: Counter[object] = Counter()
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
    taken = {(step, count.bit_length()) for step, count in steps.items()}
    return frozenset({*taken, *map(kind_of, outcomes)})


def _tracer(steps: Counter[object]) -> Trace:
    def enter(frame: FrameType, event: str, argument: Any) -> Trace | None:
        file = frame.f_code.co_filename
        if not file.startswith(_WATCHED) and file != _WERKZEUG:
            return None
        last = frame.f_lineno

        def step(frame: FrameType, event: str, argument: Any) -> Trace:
            nonlocal last
            if event == "line":
                steps[file, last, frame.f_lineno] += 1
                last = frame.f_lineno
            return step

        return step

    return enter
