"""Media types (RFC 9110 8.3.1) and the multipart boundary (RFC 2046 5.1.1).

`werkzeug.http.parse_options_header` is not used. It skips what it does not understand, takes the last of two
equal parameters and decodes `%22` in a boundary (C2, C4, M7, M10).
"""

import re

from ..contract.limits import MAX_BOUNDARY
from ..contract.problems import Problem
from ..contract.remembered import remembered
from ..contract.request import MediaType, Pair
from .abnf import BLANKS, QUOTED_STRING, TCHAR, TOKEN, unquote

# media-type = type "/" subtype parameters; parameters = *( OWS ";" OWS [ parameter ] )
_ESSENCE = re.compile(rf"[{TCHAR}]+/[{TCHAR}]+")
# parameter = name "=" ( token / quoted-string ). Obs-text or nothing match too: see `_add`.
_PARAMETER = re.compile(
    rf"[ \t]*;[ \t]*(?:(?P<name>[{TCHAR}]+)=(?P<value>{QUOTED_STRING}|[{TCHAR}\x80-\xff]*))?"
)
# bchars of RFC 2046 with the space, and every token character: Android sends `*****` unquoted (M6).
_BOUNDARY = re.compile(rf"[{TCHAR}'()+_,\-./:=? ]{{1,{MAX_BOUNDARY}}}")
# The name of a boundary, the equals sign with its blanks, and whether a quote begins.
_BEGUN_BOUNDARY = re.compile(r";[ \t]*boundary(?P<blanks>[ \t]*=[ \t]*)(?P<quote>\"?)", re.IGNORECASE)
_EXTENDED_BOUNDARY = re.compile(r"boundary\*(?:[0-9]+\*?)?")


@remembered
def read_media_type(value: str) -> MediaType:
    """The media type in a Content-Type value. Raises Problem `content_type_syntax` (C2, C4, C5, C6)."""
    value = value.strip(BLANKS)
    essence = _ESSENCE.match(value)
    if essence is None:
        raise _malformed(value, 0, "C5")
    media_type = MediaType(essence[0].lower())
    begin = position = essence.end()
    parameters: dict[str, str] = {}
    while position < len(value):
        match = _PARAMETER.match(value, position)
        if match is None:
            raise _malformed(value, position, _which_parameter(value[begin:], media_type))
        begin, position = position, match.end()
        if match["name"] is not None:
            _add(parameters, match, media_type)
    return MediaType(media_type.essence, tuple(Pair(*item) for item in parameters.items()))


def _add(parameters: dict[str, str], match: re.Match[str], media_type: MediaType) -> None:
    name, value = match["name"].lower(), match["value"]
    if name in parameters:
        rule = "M7" if media_type.is_form_data and name == "boundary" else "C2"
        what = f"the parameter {name!a} is there twice"
        raise Problem("content_type_syntax", what, rule=rule, field="content-type")
    if media_type.is_form_data and name == "boundary":
        # As sent, also its quoted-pairs. What is no boundary has a problem of its own, raised only if there
        # is a body (M5, M6).
        parameters[name] = value[1:-1] if value.startswith('"') else value
    elif value.startswith('"'):
        parameters[name] = unquote(value)
    elif TOKEN.fullmatch(value):
        parameters[name] = value
    else:
        raise _malformed(match.string, match.start("value"), "C4")


def _which_parameter(rest: str, media_type: MediaType) -> str:
    """The rule about what is behind the media type, or in its last parameter and behind it."""
    junk = rest.lstrip(BLANKS)
    if junk[0] == ",":
        return "M11" if media_type.is_form_data else "C6"
    if junk[0] != ";":
        return "C5" if junk == rest else "C4"
    boundary = _BEGUN_BOUNDARY.match(junk) if media_type.is_form_data else None
    if boundary is None or (boundary["blanks"] == "=" and boundary["quote"]):
        return "C4"
    return "M2" if boundary["blanks"] == "=" else "M8"


def _malformed(value: str, position: int, rule: str) -> Problem:
    what = f"the Content-Type {value[:80]!a} is malformed at {position}"
    return Problem("content_type_syntax", what, rule=rule, field="content-type")


def read_boundary(media_type: MediaType) -> bytes:
    """The boundary of a multipart body. Raises Problem `boundary_missing` or `boundary_invalid`."""
    if any(_EXTENDED_BOUNDARY.fullmatch(pair.name) for pair in media_type.parameters):
        what = "the boundary must not have an extended form (M9)"
        raise Problem("boundary_invalid", what, rule="M9", field="content-type")
    boundary = media_type.parameter("boundary")
    if not boundary:
        what = "multipart/form-data needs a boundary parameter"
        raise Problem("boundary_missing", what, rule="M5", field="content-type")
    if not _BOUNDARY.fullmatch(boundary) or boundary.endswith(" "):
        what = f"{boundary[:80]!a} is not a valid boundary of 1 to {MAX_BOUNDARY} characters"
        raise Problem("boundary_invalid", what, rule=_which_boundary(boundary), field="content-type")
    return boundary.encode("ascii")


def _which_boundary(boundary: str) -> str:
    """The rule about a value that is not a valid boundary."""
    if len(boundary) > MAX_BOUNDARY:
        return "M4"
    return "M3" if _BOUNDARY.fullmatch(boundary) else "M6"
