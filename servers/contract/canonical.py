"""Canonical JSON: equal values give equal bytes (contract section 3, S11)."""

import json
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .request import Pair

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False)


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, no blanks, ASCII only and a final LF."""
    return text_of(value).encode("ascii") + b"\n"


def text_of(value: Any) -> str:
    """The same as text, to stand inside of other JSON: without the final LF."""
    return _ENCODER.encode(value)


def string_text(value: str | None) -> str:
    """A string, or null."""
    return "null" if value is None else encode_basestring_ascii(value)


def pairs_text(pairs: "Iterable[Pair]") -> str:
    """A list of objects with the members `name` and `value`."""
    items = [
        f'{{"name":{encode_basestring_ascii(name)},"value":{encode_basestring_ascii(value)}}}'
        for name, value in pairs
    ]
    return f"[{','.join(items)}]"
