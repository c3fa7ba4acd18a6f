"""The requests that other projects test their parsers with: one JSON object a line, in a folder outside.

They are not part of this project. Without them their tests are skipped, and the summary says so.
"""

import base64
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from clients.comparison.cases import PROJECT_ROOT

VARIABLE = "WIREPROOF_CORPUS"
FOLDER = Path(os.environ.get(VARIABLE) or PROJECT_ROOT.parent / "shared" / "corpus")
ABSENT = f"there are no third-party requests at {FOLDER}: set {VARIABLE} to their folder"
_IN_FLIGHT = 8

Record = dict[str, Any]


def are_here() -> bool:
    """Whether the folder exists."""
    return FOLDER.is_dir()


@cache
def records(name: str) -> Sequence[Record]:
    """All requests of `NAME.jsonl`. Skips the test without the folder.

    Raises OSError when the folder is there and this file is missing.
    """
    if not are_here():
        pytest.skip(ABSENT)
    lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


def check_each(
    name: str, check: Callable[[Record], None], where: Callable[[Record], bool] = lambda record: True
) -> None:
    """Call `check` with each request of `NAME.jsonl` that `where` chooses, several at a time.

    Fails with the ids of all requests whose check fails, and why. One test for thousands of requests takes
    a fraction of the time of a test for each.
    """
    chosen = [record for record in records(name) if where(record)]
    assert chosen
    with ThreadPoolExecutor(_IN_FLIGHT) as pool:
        faults = [fault for fault in pool.map(lambda record: _fault(check, record), chosen) if fault]
    assert not faults, f"{len(faults)} of {len(chosen)} fail:\n" + "\n".join(faults)


def _fault(check: Callable[[Record], None], record: Record) -> str:
    try:
        check(record)
    except Exception as error:  # an unexpected one names its request too
        return f"{record['id']}: {type(error).__name__}: {error}"
    return ""


def octets(record: Record, key: str) -> bytes:
    """The exact bytes of a `*_b64` member."""
    return base64.b64decode(record[key], validate=True)
