"""What a guest made of an input, in a form in which two guests can be compared."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..assessment.told import answer_of
from ..comparison.told_values import as_entries
from ..http1.exchange import Exchange

_SHOWN_CHARACTERS = 40
_SHOWN_PARTS = 6
_REFUSALS_OVER_500 = (501, 505)


class Outcome(StrEnum):
    """Whether a guest took the input."""

    READ = "read"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. Equal readings have the same `outcome` and, when the input was read, the same values.

    `fields` are pairs of name and value, `files` have name, filename, size and SHA-256; both are ordered by
    name, because many parsers do not tell the order of different names. `value` is a JSON body as text.
    """

    outcome: Outcome
    fields: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str, int, str], ...] = ()
    value: str = ""

    @property
    def passes(self) -> bool:
        """Whether the input was accepted."""
        return self.outcome is Outcome.READ

    @property
    def line(self) -> str:
        """The reading in one line."""
        if self.outcome is not Outcome.READ:
            return self.outcome.value
        parts = [f"{_shown(name)} = {_shown(value)}" for name, value in self.fields]
        parts += [
            f"{_shown(name)}: file {_shown(filename)}, {size} bytes" for name, filename, size, _ in self.files
        ]
        if self.value:
            parts.append(f"JSON {_cut(self.value)}")
        if len(parts) > _SHOWN_PARTS:
            parts[_SHOWN_PARTS - 1 :] = [f"{len(parts) - _SHOWN_PARTS + 1} more"]
        return "; ".join(parts) or "nothing"


def reading_of(exchange: Exchange) -> Reading:
    """The reading that an answer tells. No answer, and an error of the server, are failures."""
    if exchange.failure or not exchange.responses:
        return Reading(Outcome.FAILED)
    status = exchange.responses[0].status
    if status >= 400:
        failed = status >= 500 and status not in _REFUSALS_OVER_500
        return Reading(Outcome.FAILED if failed else Outcome.REFUSED)
    answer = answer_of(exchange)
    if answer is None:
        return Reading(Outcome.FAILED)
    value = "" if answer.get("json") is None else json.dumps(answer["json"], sort_keys=True)
    return Reading(Outcome.READ, _fields(answer), _files(answer), value)


def _fields(answer: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    pairs = [(str(entry.get("name")), _text(entry.get("value"))) for entry in _entries(answer, "form")]
    return tuple(sorted(pairs, key=lambda pair: pair[0]))


def _files(answer: Mapping[str, Any]) -> tuple[tuple[str, str, int, str], ...]:
    files = [
        (str(one.get("name")), one.get("filename") or "", one.get("size") or 0, one.get("sha256") or "")
        for one in _entries(answer, "files")
        if one.get("name") is not None  # our servers list a body that is no form as a file without a name
    ]
    return tuple(sorted(files, key=lambda file: file[0]))


def _entries(answer: Mapping[str, Any], member: str) -> Sequence[Mapping[str, Any]]:
    entries = as_entries(member, answer.get(member))
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _shown(text: str) -> str:
    return _cut(json.dumps(text, ensure_ascii=False))


def _cut(text: str) -> str:
    printable = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
    return printable if len(printable) <= _SHOWN_CHARACTERS else f"{printable[: _SHOWN_CHARACTERS - 1]}…"
