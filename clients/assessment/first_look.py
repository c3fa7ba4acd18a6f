"""Where a reader of a finding looks first: the path of a value that the endpoint tells otherwise."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..comparison.told_values import as_entries
from .told import Told

_OF_A_FILE = ("filename", "content_type", "sha256", "size")


def first_look(right: Mapping[str, Any], answer: Mapping[str, Any], told: Told) -> str:
    """The path in the `right` reading of the first value that the answer has not, or "" without one.

    Only what is told is looked at. The judgement is that of `told.differences`; this is but a place to begin.
    """
    return next(_paths(right, answer, told), "")


def _paths(right: Mapping[str, Any], answer: Mapping[str, Any], told: Told) -> Iterator[str]:
    for member in ("args", "form"):
        if member in told.members:
            for number, sent, read in _pairs(member, right, answer):
                if read is None or read.get("value") != sent.get("value"):
                    yield f"{member}[{number}].value"
    if "files" in told.members:
        for number, sent, read in _pairs("files", right, answer):
            yield from (f"files[{number}].{name}" for name in _OF_A_FILE if _is_other(name, sent, read, told))
    for member in ("json", "text"):
        if member in told.members and right.get(member) not in (None, answer.get(member)):
            yield member


def _is_other(name: str, sent: Mapping[str, Any], read: Mapping[str, Any] | None, told: Told) -> bool:
    if read is None:
        return True
    return name in told.of_a_file and (read.get(name) or None) != (sent.get(name) or None)


def _pairs(
    member: str, right: Mapping[str, Any], answer: Mapping[str, Any]
) -> Iterator[tuple[int, Mapping[str, Any], Mapping[str, Any] | None]]:
    """Each named entry of the right reading with its number, and the entry of that name in the answer."""
    read: dict[Any, list[Mapping[str, Any]]] = {}
    for entry in _entries(member, answer):
        read.setdefault(entry.get("name"), []).append(entry)
    for number, sent in enumerate(_entries(member, right)):
        if sent.get("name") is not None:
            of_name = read.get(sent["name"])
            yield number, sent, of_name.pop(0) if of_name else None


def _entries(member: str, value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = as_entries(member, value.get(member))
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
