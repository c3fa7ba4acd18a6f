"""An attack: what is sent, and what must hold."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clients.http1.response_parser import Response
from tests.advisories.assertions import Accepted, Linear
from tests.advisories.target import Target

Check = Callable[[Target], Response | None]
"""Attacks a server and fails unless everything holds. Its response is compared between backends."""

_TIERS: Mapping[int, tuple[str, ...]] = {
    1: ("socket", "gunicorn", "flask"),
    2: ("socket", "gunicorn"),
    3: ("socket",),
}


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack. `row` identifies the advisory (H001 to H180), `tier` says which backends get the attack.

    `variant` names the server's settings (`target.VARIANTS`). `soak`: it is slow.
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
    def is_slow(self) -> bool:
        """Whether the slow lane runs it: the growth of a cost is seen only in many large requests."""
        return self.soak or isinstance(self.check, Linear)

    @property
    def id(self) -> str:
        return f"{self.row}-{self.name}"


def each(row: str, checks: Mapping[str, Check], **settings: Any) -> Iterable[Attack]:
    """An attack for each check, all with the same settings."""
    return (Attack(row, name, check, **settings) for name, check in checks.items())


def seen(row: str, name: str, request: bytes, see: Mapping[str, Any], variant: str = "disk") -> Attack:
    """A request that every backend accepts, and what is seen in it."""
    return Attack(row, name, Accepted(request, see), tier=1, variant=variant)


def cost(
    row: str, name: str, make: Callable[[int], bytes], size: int, repeat: int, status: int = 200
) -> Attack:
    """Requests whose cost grows with their size, and no faster."""
    return Attack(row, f"cost-{name}", Linear(make, size, repeat, status), variant="memory")
