"""The clients of `table.toml`: the command of each, what it needs, and which uploads it can make."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parent / "scripts"
_TABLE = Path(__file__).with_name("table.toml")
KINDS = ("form", "chunked", "expect")


@dataclass(frozen=True, slots=True)
class Client:
    """An entry of the table. The comment at the top of `table.toml` explains the fields."""

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


@cache
def load_clients() -> Mapping[str, Client]:
    """The clients by name."""
    rows = tomllib.loads(_TABLE.read_text("utf-8"))
    return {
        name: Client(name, **{key: _frozen(value) for key, value in row.items()})
        for name, row in rows.items()
    }


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
