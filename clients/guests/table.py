"""The guests of `guests.toml`: how each is served, and what it needs."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..programs import Program

SCRIPTS = Path(__file__).parent / "scripts"
_TABLE = Path(__file__).with_name("guests.toml")


@dataclass(frozen=True, slots=True)
class Guest(Program):
    """An entry of the table. The comment at the top of `guests.toml` explains the fields."""

    kinds: tuple[str, ...] = ()
    by_design: tuple[str, ...] = ()


@cache
def load_guests() -> Mapping[str, Guest]:
    """The guests by name."""
    rows = tomllib.loads(_TABLE.read_text("utf-8"))
    return {
        name: Guest(name, **{key: _frozen(value) for key, value in row.items()}) for name, row in rows.items()
    }


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
