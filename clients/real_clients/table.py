"""The clients of `table.toml`: how each is called, what it needs, and which uploads it can do."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parent / "scripts"
_TABLE = Path(__file__).with_name("table.toml")
KINDS = ("form", "chunked", "expect")


@dataclass(frozen=True, slots=True)
class Client:
    """A row of the table; the head of `table.toml` says what its fields mean."""

    name: str
    command: tuple[str, ...]
    version: tuple[str, ...]
    kinds: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    apt: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    ci: bool = False
    odd_name: str | None = None
    absent: str = ""
    fails: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def _clients() -> dict[str, Client]:
    rows = tomllib.loads(_TABLE.read_text("utf-8"))
    return {
        name: Client(name, **{key: _frozen(value) for key, value in row.items()})
        for name, row in rows.items()
    }


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


CLIENTS = _clients()
