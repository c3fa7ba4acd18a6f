"""JSON in a few short rows: long strings, lists and objects are cut, and a count says by how much."""

import json
from collections.abc import Iterator
from typing import Any

_LONGEST_STRING = 80  # characters
_KEPT_CHARACTERS = 40
_MOST_ITEMS = 10  # of a list
_MOST_MEMBERS = 24  # of an object
_INDENT = "  "
_ROOM_FOR_COUNT = len('"" … 1,000 more,')


def folded_json(data: bytes, columns: int) -> list[str]:
    """The rows for a JSON text, each of at most so many columns if strings can be cut to that.

    Raises ValueError if it is not JSON.
    """
    return list(_rows("", json.loads(data), "", columns, ""))


def _rows(name: str, value: Any, behind: str, columns: int, indent: str) -> Iterator[str]:
    """`name` and `behind` come in front of the value and behind it."""
    begin = indent + name
    row = f"{begin}{_in_one_row(value)}{behind}"
    if len(row) <= columns or not value or not isinstance(value, dict | list | str):
        yield row
    elif isinstance(value, str):
        yield f"{begin}{_cut(value, columns - len(begin) - _ROOM_FOR_COUNT)}{behind}"
    else:
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        yield begin + opening
        yield from _packed(value, columns, indent + _INDENT)
        yield indent + closing + behind


def _packed(value: dict[str, Any] | list[Any], columns: int, indent: str) -> Iterator[str]:
    """The entries of an object or a list. Those that are no lists or objects share rows."""
    entries, left_out = _entries(value)
    shared = ""
    for number, (name, item) in enumerate(entries, 1):
        comma = "," if number < len(entries) or left_out else ""
        entry = f"{name}{_in_one_row(item)}{comma}"
        is_small = not (item and isinstance(item, dict | list)) and len(indent + entry) <= columns
        if shared and is_small and len(f"{shared} {entry}") <= columns:
            shared += f" {entry}"
            continue
        if shared:
            yield shared
        shared = indent + entry if is_small else ""
        if not is_small:
            yield from _rows(name, item, comma, columns, indent)
    if shared:
        yield shared
    if left_out:
        yield indent + left_out


def _in_one_row(value: Any) -> str:
    if isinstance(value, str):
        return _cut(value, _KEPT_CHARACTERS) if len(value) > _LONGEST_STRING else _quoted(value)
    if not isinstance(value, dict | list):
        return json.dumps(value)
    entries, left_out = _entries(value)
    items = [f"{name}{_in_one_row(item)}" for name, item in entries]
    inside = ", ".join([*items, left_out] if left_out else items)
    return f"{{{inside}}}" if isinstance(value, dict) else f"[{inside}]"


def _entries(value: dict[str, Any] | list[Any]) -> tuple[list[tuple[str, Any]], str]:
    """The entries that are shown, each with its name and colon if it has one, and how many are left out."""
    most = _MOST_MEMBERS if isinstance(value, dict) else _MOST_ITEMS
    left_out = f"… {len(value) - most:,} more" if len(value) > most else ""
    if isinstance(value, dict):
        return [(f"{_quoted(name)}: ", item) for name, item in list(value.items())[:most]], left_out
    return [("", item) for item in value[:most]], left_out


def _cut(text: str, size: int) -> str:
    kept = text[: max(size, 8)]
    return f"{_quoted(kept)} … {len(text) - len(kept):,} more" if len(kept) < len(text) else _quoted(kept)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
