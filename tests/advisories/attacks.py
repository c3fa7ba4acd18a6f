"""What a row of the hall is made of: shots, each one attack with all that must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clients.http1.response_parser import Response
from tests.advisories.target import Target

Check = Callable[[Target], Response | None]
"""Makes the attack on a server and fails unless all holds; the answer is compared between backends."""

_TIERS: Mapping[int, tuple[str, ...]] = {
    1: ("socket", "gunicorn", "flask"),
    2: ("socket", "gunicorn"),
    3: ("socket",),
}


@dataclass(frozen=True, slots=True)
class Shot:
    """One attack: `row` is its identifier in the hall, `tier` says which backends get it.

    `variant` names the server that it needs (`target.VARIANTS`). `soak`: the heavy form of another shot.
    """

    row: str
    name: str
    check: Check
    tier: int = 2
    variant: str = "disk"
    soak: bool = False

    @property
    def backends(self) -> tuple[str, ...]:
        return _TIERS[self.tier]

    @property
    def id(self) -> str:
        return f"{self.row}-{self.name}"


def each(row: str, checks: Mapping[str, Check], **settings: Any) -> Iterable[Shot]:
    """One shot a check, all with the same settings."""
    return (Shot(row, name, check, **settings) for name, check in checks.items())
