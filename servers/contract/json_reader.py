"""The strict JSON reader of all backends: the parser of the standard library with hooks (J1 to J16)."""

import json
import re
from typing import Any, NoReturn

from .limits import MAX_JSON_INTEGER_DIGITS
from .problems import Problem

_BOM = b"\xef\xbb\xbf"
# A whole string (or one without its closing quote), or one bracket outside of strings.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
_STRING_OR_WORD = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[^\s\[\]{},:"]+', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|.)", re.DOTALL)
_IN_A_STRING = ("Invalid control character", "Invalid \\")  # the messages of Python's parser begin so


class _BadWord(Exception):
    """A number or name that Python's parser takes. `what` says why it is refused, by which `rule`."""

    def __init__(self, word: str, what: str, rule: str) -> None:
        super().__init__(word, what, rule)
        self.word = word
        self.what = what
        self.rule = rule


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
        rule, fault = _rule_of_octets(utf8, error.start), range(offset, begin + error.end)
        raise Problem("json_invalid", what, rule=rule, fault=fault) from None
    try:
        return _read_text(text, begin, max_depth)
    except Problem as problem:
        raise problem.behind(begin) from None


def _read_text(text: str, begin: int, max_depth: int) -> Any:
    """The value of a text with `begin` bytes before it. A Problem has its place in the text alone."""
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
        fault = _bytes_of(text, error.pos)
        what = f"{error.msg} at byte {begin + fault.start} of the body"
        raise Problem("json_invalid", what, rule=_rule_of_syntax(text, error), fault=fault) from None
    except _BadWord as bad:
        place = _place_of(bad.word, text)
        raise Problem("json_invalid", bad.what, rule=bad.rule, fault=place) from None
    except RecursionError:  # only if max_depth is set higher than the interpreter's own limit
        what = "the JSON body is nested too deep for this server"
        raise Problem("json_too_deep", what, rule="J15") from None
    if "\\u" in text:
        _check_surrogates(value, text)
    return value


def _bytes_of(text: str, start: int, count: int = 1) -> range:
    """Where `count` characters are in the UTF-8 of a text."""
    offset = len(text[:start].encode("utf-8"))
    return range(offset, offset + max(1, len(text[start : start + count].encode("utf-8"))))


def _place_of(word: str, text: str) -> range | None:
    """Where the first word outside of strings is that begins so."""
    for found in _STRING_OR_WORD.finditer(text):
        if found[0].startswith(word):
            return _bytes_of(text, found.start(), len(word))
    return None


def _rule_of_octets(utf8: bytes, at: int) -> str:
    """Which rule forbids the octets at this offset, which are not UTF-8."""
    if utf8.startswith((b"\xff\xfe", b"\xfe\xff")) or utf8[:1] == b"\0" or utf8[1:4:2] == b"\0\0":
        return "J7"
    return "J9" if utf8[at] == 0xED and utf8[at + 1 : at + 2] >= b"\xa0" else "J8"


def _rule_of_syntax(text: str, error: json.JSONDecodeError) -> str:
    """Which rule forbids the character at which Python's parser stops."""
    before, found = text[: error.pos][-1:], text[error.pos :][:1]
    if text[:1] == "\0" or text[1:4:2] == "\0\0":
        return "J7"
    in_number = before.isdigit() and (found.isalnum() or found in ("_", "."))
    begins_number = error.msg == "Expecting value" and (found.isdigit() or found in ("+", "-", "."))
    if in_number or begins_number or found.isspace() or error.msg.startswith(_IN_A_STRING):
        return "J13"
    return "J1"


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
                    rule="J15",
                    fault=_bytes_of(text, match.start()),
                )
        elif token in "]}":
            depth -= 1


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Problem("json_duplicate_key", f"one object has the key {repeated!a} twice", rule="J5")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise _BadWord(name, f"{name} is not valid JSON", "J3")


def _finite_float(literal: str) -> float:
    value = float(literal)
    if value in (float("inf"), float("-inf")):
        raise _BadWord(literal, f"the number {literal[:40]} is too large for a double", "J4")
    return value


def _bounded_int(literal: str) -> int:
    if len(literal.lstrip("-")) > MAX_JSON_INTEGER_DIGITS:
        raise _BadWord(literal, f"an integer has more than {MAX_JSON_INTEGER_DIGITS} digits", "J12")
    return int(literal)


def _check_surrogates(value: Any, text: str) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        what, fault = "a string has an escaped surrogate without its pair", _lone_surrogate(text)
        raise Problem("json_invalid", what, rule="J10", fault=fault) from None


def _lone_surrogate(text: str) -> range | None:
    """Where the first escape of one half of a surrogate pair is without the other half."""
    high: re.Match[str] | None = None
    for escape in _ESCAPE.finditer(text):
        unit = int(escape[1] or "0", 16)
        if high is not None and not (0xDC00 <= unit <= 0xDFFF and high.end() == escape.start()):
            break
        if high is None and 0xDC00 <= unit <= 0xDFFF:
            high = escape
            break
        high = escape if 0xD800 <= unit <= 0xDBFF else None
    return None if high is None else _bytes_of(text, high.start(), len(high[0]))
