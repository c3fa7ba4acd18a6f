"""Content-Type values (RFC 9110 8.3.1) and the boundary (RFC 2046 5.1.1)."""

import re

from ..contract.limits import MAX_BOUNDARY
from ..contract.problems import Problem
from ..contract.remembered import remembered
from ..contract.request import MediaType, Pair
from .grammar import OWS, QUOTED_STRING, TCHAR, TOKEN

# media-type = type "/" subtype parameters
_ESSENCE = re.compile(rb"[%s]+/[%s]+" % (TCHAR, TCHAR))
# parameters = *( OWS ";" OWS [ parameter ] ); parameter = name "=" ( token / quoted-string ).
# An unquoted value may be empty or have obs-text here; `_value` checks afterwards that it is a token.
_PARAMETER = re.compile(
    rb"[ \t]*;[ \t]*(?:([%s]+)=(?:(%s)|([%s\x80-\xff]*)))?" % (TCHAR, QUOTED_STRING, TCHAR)
)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
# bchars := bcharsnospace / " " (RFC 2046 5.1.1). Token characters are allowed too, because an unquoted
# boundary may be any token (M6: `boundary=*****` is in a widespread code sample for Android).
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? !#$%&*^`|~]+")
# What stands round the equals sign of a boundary, in a parameter that need not be well-formed.
_BOUNDARY_VALUE = re.compile(rb"[ \t]*;[ \t]*boundary([ \t]*)=([ \t]*)(.?)", re.IGNORECASE | re.DOTALL)
_EXTENDED_BOUNDARY = re.compile(r"boundary\*(?:[0-9]+\*?)?")


@remembered
def parse_media_type(value: str) -> MediaType:
    """Parse a Content-Type value, trimmed and not empty. Raises Problem `content_type_syntax` (C2 to C6).

    Departure from the grammar: for multipart/form-data, an unquoted boundary may be empty, and it may have
    bytes above 0x7F beside token characters. `parse_boundary` refuses it with a more precise code (M5, M6).
    """
    raw = value.encode("iso-8859-1")
    match = _ESSENCE.match(raw)
    if match is None:
        raise _syntax("it is not type/subtype", 0, "C5")
    essence = match[0].lower().decode("ascii")
    return MediaType(essence, tuple(_parameters(raw, match.end(), essence)))


def _parameters(raw: bytes, position: int, essence: str) -> list[Pair]:
    parameters: dict[str, str] = {}
    end = len(raw.rstrip(OWS))
    begin = position  # of the parameter that came last
    while position < end:
        match = _PARAMETER.match(raw, position)
        if match is None:
            rule = _rule_of_junk(raw[begin:], essence)
            raise _syntax("a parameter is not name=value", position, rule)
        if match[1] is not None:
            name = match[1].lower().decode("ascii")
            if name in parameters:
                rule = "M7" if _is_judged_later(name, essence) else "C2"
                raise _syntax(f"the parameter {name} occurs twice", position, rule)
            parameters[name] = _value(name, match, essence)
        begin, position = position, match.end()
    return [Pair(name, value) for name, value in parameters.items()]


def _rule_of_junk(last: bytes, essence: str) -> str:
    """Which rule forbids what follows `last`: a parameter with its semicolon, or nothing but the essence."""
    if not last.lstrip(OWS).startswith(b";"):  # nothing but the essence came before
        if last.lstrip(OWS).startswith(b","):
            return "M11" if essence == "multipart/form-data" else "C6"
        return "C4" if last[:1] in (b" ", b"\t") else "C5"
    boundary = _BOUNDARY_VALUE.match(last)
    if boundary is None or essence != "multipart/form-data":
        return "C4"
    if boundary[1] or boundary[2]:
        return "M8"
    return "C4" if boundary[3] == b'"' else "M2"


def _value(name: str, match: re.Match[bytes], essence: str) -> str:
    quoted, unquoted = match[2], match[3]
    checked_later = _is_judged_later(name, essence)
    if quoted is not None:
        # Parsers differ on a backslash in a boundary. It is no bchar, so it stays and is refused (M6).
        inner = quoted[1:-1]
        return (inner if checked_later else _QUOTED_PAIR.sub(rb"\1", inner)).decode("iso-8859-1")
    if not checked_later and not TOKEN.fullmatch(unquoted):
        raise _syntax(f"the value of {name} is neither a token nor quoted", match.start(3), "C4")
    return unquoted.decode("iso-8859-1")


def _is_judged_later(name: str, essence: str) -> bool:
    """Whether `parse_boundary` judges the value of a parameter."""
    return essence == "multipart/form-data" and name == "boundary"


def parse_boundary(media_type: MediaType) -> bytes:
    """The boundary of a multipart type. Raises Problem `boundary_missing` (M5) or `boundary_invalid`."""
    for parameter in media_type.parameters:
        if _EXTENDED_BOUNDARY.fullmatch(parameter.name):
            raise _invalid(f"a boundary must not be given as {parameter.name} (M9)", "M9")
    boundary = media_type.parameter("boundary")
    if not boundary:
        what = "multipart/form-data needs a boundary parameter"
        raise Problem("boundary_missing", what, rule="M5", field="content-type")
    if len(boundary) > MAX_BOUNDARY:
        raise _invalid(f"the boundary has more than {MAX_BOUNDARY} characters", "M4")
    if not _BOUNDARY.fullmatch(boundary) or boundary.endswith(" "):
        rule = "M3" if _BOUNDARY.fullmatch(boundary) else "M6"
        raise _invalid("the boundary has a character that is not allowed", rule)
    return boundary.encode("ascii")


def _syntax(what: str, offset: int, rule: str) -> Problem:
    detail = f"{what} (offset {offset} of the Content-Type)"
    return Problem("content_type_syntax", detail, rule=rule, field="content-type")


def _invalid(what: str, rule: str) -> Problem:
    return Problem("boundary_invalid", what, rule=rule, field="content-type")
