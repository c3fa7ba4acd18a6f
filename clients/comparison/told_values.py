"""The members of a result of another server, in the shapes of ours.

A server may tell fields and files as a list of entries with a `name`, as ours do, or as an object by name:

    {"form": {"a": "v", "b": ["v", "w"]}, "files": {"f": {"filename": "a.txt", "size": 3}}}

An object does not tell the order of different names. The entries are then compared name by name.
"""

from collections.abc import Iterable, Mapping
from typing import Any

LISTED = ("args", "cookies", "files", "form")
"""The members that are lists of entries in our results."""


def is_by_name(member: str, value: Any) -> bool:
    """Whether a member of a result is an object by name, so that it does not tell an order."""
    return member in LISTED and isinstance(value, dict)


def as_entries(member: str, value: Any) -> Any:
    """The member as a list of entries. What has another shape is returned as it is."""
    if member not in LISTED:
        return value
    if value is None:
        return []
    if not isinstance(value, dict):
        return value
    return [
        _entry(member, name, item)
        for name, items in value.items()
        for item in (items if isinstance(items, list) else [items])
    ]


def by_name(entries: Any) -> Any:
    """The entries sorted by name. The order within a name stays."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return entries
    return sorted(entries, key=lambda entry: str(entry.get("name")))


def _entry(member: str, name: str, item: Any) -> Mapping[str, Any]:
    if member != "files":
        return {"name": name, "value": item}
    return {"name": name, **item} if isinstance(item, dict) else {"name": name}


def unordered_among(results: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The members whose order at least one of the results does not tell."""
    return frozenset(
        member for result in results for member, value in result.items() if is_by_name(member, value)
    )
