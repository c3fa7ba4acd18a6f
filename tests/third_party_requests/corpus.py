"""The cases of other projects' tests, one JSON object a line: where they are, and what to do without them.

They are not part of this project. Without them their tests are skipped, and the summary says so loudly.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from clients.comparison.cases import PROJECT_ROOT

VARIABLE = "WIREPROOF_CORPUS"
CORPUS = Path(os.environ.get(VARIABLE) or PROJECT_ROOT.parent / "shared" / "corpus")
ABSENT = f"there is no corpus at {CORPUS}: set {VARIABLE} to its folder"

Record = dict[str, Any]


def corpus_is_here() -> bool:
    return CORPUS.is_dir()


@cache
def records(name: str) -> Sequence[Record]:
    """All cases of `NAME.jsonl`; empty without the corpus. Raises OSError when this file alone is missing."""
    if not corpus_is_here():
        return ()
    lines = (CORPUS / f"{name}.jsonl").read_text("utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


def every_case(name: str, where: Callable[[Record], bool] = lambda record: True) -> pytest.MarkDecorator:
    """Parametrize `record` with the cases of `NAME.jsonl`; without the corpus one skipped test tells why."""
    params = [pytest.param(record, id=record["id"]) for record in records(name) if where(record)]
    if not corpus_is_here():
        params = [pytest.param(None, id=f"{name}-is-absent", marks=pytest.mark.skip(reason=ABSENT))]
    return pytest.mark.parametrize("record", params)


def octets(record: Record, key: str) -> bytes:
    """The exact bytes of a `*_b64` member."""
    return base64.b64decode(record[key], validate=True)
