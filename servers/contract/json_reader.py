"""The strict JSON reader of all backends: the parser of the standard library with hooks (J1 to J16)."""

import json
import re
from typing import Any, NoReturn

from .limits import MAX_JSON_INTEGER_DIGITS
from .problems import Problem

_BOM = b"\xef\xbb\xbf"
# A whole string (or one without its closing quote), or one bracket outside of strings.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


def read_json(data: bytes, max_depth: int) -> Any:
    """The value of a JSON text in UTF-8 (RFC 8259). One leading BOM is ignored (J6).

    Raises Problem `json_invalid`, `json_duplicate_key` or `json_too_deep`.
    """
    utf8 = data.removeprefix(_BOM)
    begin = len(data) - len(utf8)
    try:
        text = utf8.decode("utf-8")
    except UnicodeDecodeError as error:
        offset = begin + error.start
        what = f"byte {offset} of the body is not UTF-8"
        raise Problem("json_invalid", what, fault=range(offset, begin + error.end)) from None
    _check_depth(text, max_depth)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_bounded_int,
        )
    except json.JSONDecodeError as error:
        offset = begin + len(text[: error.pos].encode("utf-8"))
        what = f"{error.msg} at byte {offset} of the body"
        raise Problem("json_invalid", what, fault=range(offset, offset + 1)) from None
    except RecursionError:  # only if max_depth is set higher than the interpreter's own limit
        raise Problem("json_too_deep", "the JSON body is nested too deep for this server") from None
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _check_depth(text: str, max_depth: int) -> None:
    # Check before parsing: the parser is recursive and must not see deep nesting (J15).
    if text.count("[") + text.count("{") <= max_depth:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        token = match[0]
        if token in "[{":
            depth += 1
            if depth > max_depth:
                raise Problem(
                    "json_too_deep",
                    f"the JSON body is nested deeper than {max_depth} at character {match.start()}",
                )
        elif token in "]}":
            depth -= 1


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Problem("json_duplicate_key", f"one object has the key {repeated!a} twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise Problem("json_invalid", f"{name} is not valid JSON")


def _finite_float(literal: str) -> float:
    value = float(literal)
    if value in (float("inf"), float("-inf")):
        raise Problem("json_invalid", f"the number {literal[:40]} is too large for a double")
    return value


def _bounded_int(literal: str) -> int:
    if len(literal.lstrip("-")) > MAX_JSON_INTEGER_DIGITS:
        raise Problem("json_invalid", f"an integer has more than {MAX_JSON_INTEGER_DIGITS} digits")
    return int(literal)


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise Problem("json_invalid", "a string has an escaped surrogate without its pair") from None
