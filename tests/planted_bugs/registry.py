"""What a planted bug is, and how it gets into a backend."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Patch = Callable[[], None]


@dataclass(frozen=True, slots=True)
class PlantedBug:
    """One bug in `backend`. It breaks `rule`, and compare must report the cases `caught_by` as different.

    `cases` is a glob for compare that matches these cases and similar ones. `fuzzed` says whether fuzz can
    see it too: fuzz reads no file back and counts no interim responses.
    """

    name: str
    backend: str
    rule: str
    cases: str
    caught_by: frozenset[str]
    patch: Patch
    fuzzed: bool


PLANTED_BUGS: dict[str, PlantedBug] = {}


def planted_bug(
    backend: str, rule: str, cases: str, *caught_by: str, fuzzed: bool = True
) -> Callable[[Patch], Patch]:
    """Register a patch under the name of its function."""

    def register(patch: Patch) -> Patch:
        name = patch.__name__.replace("_", "-")
        PLANTED_BUGS[name] = PlantedBug(name, backend, rule, cases, frozenset(caught_by), patch, fuzzed)
        return patch

    return register


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace an attribute by `make(original)`. Raises AttributeError when there is none."""
    setattr(owner, name, make(getattr(owner, name)))


def in_place_of(*places: tuple[Any, str]) -> Callable[[Callable[..., Any]], Patch]:
    """Make a patch of a function: it is called in those places, with the original as its first argument."""

    def patch_of(wrong: Callable[..., Any]) -> Patch:
        def patch() -> None:
            for owner, name in places:
                replace(owner, name, lambda right: lambda *given, **named: wrong(right, *given, **named))

        patch.__name__ = wrong.__name__
        return patch

    return patch_of
