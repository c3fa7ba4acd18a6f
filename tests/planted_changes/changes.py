"""The possible changes of the servers' code, those that a seed draws, and those that change nothing."""

import ast
import random
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .alternatives import Kind
from .places import parsed

PROJECT = Path(__file__).resolve().parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
COUNTS = {"sansio": 120, "flask_reading": 80, "contract": 60}
"""How many changes are drawn in each folder of `servers`."""

_ALTERNATIVES_OF_A_PLACE = 4
_FOR_LOGS_ONLY = {"error_log.py", "log_writer.py", "redaction.py", "request_log.py"}


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `file` is relative to the project, `function` is the qualified name, "" outside of any.

    `before` and `after` are the expression or statement around the place. `place` and `number` find the
    change again: the place in its file, and the alternative at this place.
    """

    file: str
    function: str
    line: int
    kind: Kind
    before: str
    after: str
    place: int
    number: int

    @property
    def folder(self) -> str:
        """The folder of `servers` that it is in."""
        return self.file.split("/")[1]

    @property
    def module(self) -> str:
        """The dotted name of the changed module."""
        return _module_of(self.file)

    def source(self) -> str:
        """The text of the whole module with the change."""
        tree, places = parsed(PROJECT / self.file)
        return places[self.place].text_with(self.number, tree)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line} {self.function}".rstrip()
        return f"{where} ({self.kind})\n    {self.before}\n -> {self.after}"


def _module_of(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def unchanged(file: str) -> tuple[str, str]:
    """The dotted name of a module, and its text as `Change.source` would give it without a change."""
    return _module_of(file), ast.unparse(parsed(PROJECT / file)[0])


@cache
def changes_in(file: str) -> list[Change]:
    """All possible changes of a file, in the order of its text."""
    changes = []
    for at, place in enumerate(parsed(PROJECT / file)[1]):
        for number in range(len(place.alternatives)):
            before, after = place.texts(number)
            if after != before:
                shown = (place.kind, before, after)
                changes.append(Change(file, place.function, place.line, *shown, at, number))
    return changes


def files_of(folder: str) -> list[str]:
    """The files of a folder of `servers` that can be changed, relative to the project."""
    paths = sorted((PROJECT / "servers" / folder).glob("*.py"))
    return [str(path.relative_to(PROJECT)) for path in paths if path.name not in _FOR_LOGS_ONLY]


def draw(folder: str, count: int, seed: int) -> list[Change]:
    """`count` changes, each at a place of its own; all places if there are fewer. A seed draws the same.

    A pattern has many places: some of its alternatives count as one.
    """
    by_place: dict[tuple[str, int, int], list[Change]] = {}
    for file in files_of(folder):
        for change in changes_in(file):
            part = change.number // _ALTERNATIVES_OF_A_PLACE if change.kind is Kind.PATTERN else 0
            by_place.setdefault((file, change.place, part), []).append(change)
    rng = random.Random(f"{seed} {folder}")
    places = rng.sample(sorted(by_place), min(count, len(by_place)))
    return [rng.choice(by_place[place]) for place in places]


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A change after which the code means the same, and why it does."""

    file: str
    function: str
    before: str
    after: str
    reason: str

    def is_of(self, change: Change) -> bool:
        """Whether it describes the change."""
        described = (self.file, self.function, self.before, self.after)
        return described == (change.file, change.function, change.before, change.after)


def load_equivalents(path: Path = EQUIVALENT) -> list[Equivalent]:
    """The entries of the file. Raises TypeError for an entry with other keys than those of `Equivalent`."""
    return [Equivalent(**entry) for entry in tomllib.loads(path.read_text("utf-8")).get("equivalent", [])]


def stale(entries: Iterable[Equivalent]) -> list[Equivalent]:
    """The entries that describe no possible change of today's source, or more than one."""
    possible = {file: changes_in(file) for file in {entry.file for entry in entries}}
    return [entry for entry in entries if sum(map(entry.is_of, possible[entry.file])) != 1]
