"""The findings that a team knows already: a TOML file with a reason and a date for each kind.

    [[known]]
    group = "silent loss"
    kind = "The whole form is empty."
    reason = "..."
    expires = 2027-03-31
    cases = ["multipart-cut", ...]

An entry needs a reason, and a date after which it no longer holds. A case that is right by now, and an entry
that has expired, are reported: the file gets shorter, and nothing hides in it.
"""

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from .findings import Finding
from .report import grouped

_KEYS = {"group", "kind", "reason", "expires", "cases"}


class BaselineError(Exception):
    """The file cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The known findings of one kind."""

    group: str
    kind: str
    reason: str
    expires: date
    cases: frozenset[str]


def write_baseline(path: Path, findings: Sequence[Finding], known: Sequence[Entry] = ()) -> None:
    """Write an entry for each kind of finding. Reason and date are those of a `known` entry, or empty.

    Raises OSError.
    """
    filled = {(entry.group, entry.kind): entry for entry in known}
    lines = ["# Known findings of `wireproof compare`. Fill in each reason, and a date like 2027-03-31."]
    for group, kinds in grouped(findings):
        for one in kinds:
            lines += ["", "[[known]]", f"group = {_text(group.title)}", f"kind = {_text(one.kind)}"]
            entry = filled.get((group.title, one.kind))
            lines.append(f"reason = {_text(entry.reason if entry else '')}")
            lines += [f"expires = {entry.expires}" if entry else 'expires = ""', "cases = ["]
            lines += [f"    {_text(case)}," for case in sorted({finding.case for finding in one.findings})]
            lines.append("]")
    path.write_text("\n".join(lines) + "\n", "utf-8")


def load_baseline(path: Path) -> list[Entry]:
    """The entries. Raises BaselineError for a file that is not as above, and for what is not filled in."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BaselineError(f"{path}: {error}") from None
    entries = table.get("known", [])
    if not table.keys() <= {"known"} or not isinstance(entries, list):
        raise BaselineError(f"{path}: only [[known]] entries are allowed")
    return [_entry(path, number, entry) for number, entry in enumerate(entries, 1)]


def divide(
    findings: Sequence[Finding], judged: Sequence[str], entries: Sequence[Entry], today: date
) -> tuple[list[Finding], list[Finding], list[str]]:
    """The new findings, the known ones, and what is wrong with the entries.

    `judged` are the names of all cases that were sent: an entry is not judged by cases that were left out.
    """
    valid = [entry for entry in entries if entry.expires >= today]
    listed = {(entry.group, entry.kind, case) for entry in valid for case in entry.cases}
    new = [finding for finding in findings if finding.key not in listed]
    known = [finding for finding in findings if finding.key in listed]
    return new, known, list(_complaints(findings, judged, entries, today))


def _complaints(
    findings: Sequence[Finding], judged: Sequence[str], entries: Sequence[Entry], today: date
) -> Iterator[str]:
    keys, sent = {finding.key for finding in findings}, set(judged)
    for entry in entries:
        where = f"{entry.group}: {entry.kind}"
        if entry.expires < today:
            yield f"expired on {entry.expires}: {where} ({entry.reason})"
            continue
        gone = [case for case in sorted(entry.cases & sent) if (entry.group, entry.kind, case) not in keys]
        if gone:
            more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
            yield f"remove {gone[0]}{more} from {where} That is no longer so."


def _entry(path: Path, number: int, entry: Any) -> Entry:
    where = f"{path}: entry {number}"
    if not isinstance(entry, dict) or entry.keys() != _KEYS:
        raise BaselineError(f"{where}: the keys must be {', '.join(sorted(_KEYS))}")
    cases, expires = entry["cases"], _date(entry["expires"])
    if not isinstance(cases, list) or not all(isinstance(case, str) for case in cases):
        raise BaselineError(f"{where}: cases must be a list of names")
    if not isinstance(entry["reason"], str) or not entry["reason"].strip():
        raise BaselineError(f"{where} ({entry['kind']}): fill in the reason")
    if expires is None:
        raise BaselineError(f"{where} ({entry['kind']}): fill in the date on which it expires, as 2027-03-31")
    return Entry(str(entry["group"]), str(entry["kind"]), entry["reason"], expires, frozenset(cases))


def _date(value: Any) -> date | None:
    """A date of TOML, or one in a string."""
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _text(value: str) -> str:
    """A basic string of TOML. JSON escapes all that TOML has to."""
    return json.dumps(value, ensure_ascii=False)
