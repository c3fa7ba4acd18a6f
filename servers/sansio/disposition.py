"""The Content-Disposition of a part (RFC 7578 4.2, RFC 6266 4.1, RFC 8187; rules M38 to M66)."""

import re
from dataclasses import dataclass

from ..contract.charsets import codec_of
from ..contract.problems import Problem
from .derived_names import is_derived
from .grammar import OWS, TCHAR, end_of, percent_decode

# *( OWS ";" OWS [ name "=" value ] ), without blanks around "=" (M42). Departures from RFC 9110: in a quoted
# value only \" and \\ are escapes, because browsers send C:\temp unescaped (M54, M55). Unquoted, an extended
# parameter may have every visible character but `"` and `;`, as libsoup and form-data send it (M63).
_PARAMETER = re.compile(
    rb'[ \t]*;[ \t]*(?:([%s]+)=(?:"((?:[^"\\]|\\["\\]|\\(?!["\\]))*)"|(?<=\*=)([!#-:<-~]+)|([%s]+)))?'
    % (TCHAR, TCHAR),
    re.DOTALL,
)
# A parameter that need not be well-formed: name, the equals sign and blanks around it, the rest.
_ANY_PARAMETER = re.compile(rb"[ \t]*;[ \t]*([%s]*)([ \t]*=[ \t]*)?(.*)" % TCHAR, re.DOTALL)
_TOKEN_CHARACTERS = re.compile(rb"[%s]*" % TCHAR)
_QUOTED = re.compile(rb'"(?:[^"\\]|\\["\\]|\\(?!["\\]))*"', re.DOTALL)
_ESCAPE = re.compile(rb'\\(["\\])')
# ext-value = charset "'" [ language ] "'" value-chars (RFC 8187 3.2.1)
_EXT_VALUE = re.compile(rb"([A-Za-z0-9\-_]+)'([A-Za-z0-9\-]*)'(.*)", re.DOTALL)
# value-chars = *( pct-encoded / attr-char ), and every other visible character but `"` and `%` (M63)
_VALUE_CHARS = re.compile(rb"(?:%[0-9A-Fa-f]{2}|[!#$&-~])*")
_CONTINUATION = re.compile(rb"(?:file)?name\*[0-9]+\*?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Disposition:
    """The name and file name of a part. `filename` is None if the part has none."""

    name: str
    filename: str | None


def parse_disposition(value: bytes) -> Disposition:
    """Parse a Content-Disposition value.

    Raises Problem `disposition_type`, `disposition_syntax`, `part_header_encoding`, `name_missing`,
    `filename_ext` or `filename_conflict`.
    """
    kind = value.partition(b";")[0]
    try:
        kind.decode("utf-8")
    except UnicodeDecodeError as error:
        what = "the disposition type is not UTF-8 (M51)"
        raise Problem("part_header_encoding", what, rule="M51", offset=error.start) from None
    if kind.strip(OWS).lower() != b"form-data":
        what = f"the disposition type is {kind[:40]!r} instead of form-data"
        raise Problem("disposition_type", what, rule="M40", offset=0)
    parameters = _parameters(value, len(kind.rstrip(OWS)))
    _check_encoding(parameters, value)
    if b"name" not in parameters and b"name*" not in parameters:
        what = "Content-Disposition has no name (RFC 7578 4.2)"
        raise Problem("name_missing", what, rule="M38", offset=len(value))
    for parameter in filter(_CONTINUATION.fullmatch, parameters):
        what = "continued parameters (RFC 2231) are not allowed in form-data (M64)"
        raise Problem("filename_ext", what, rule="M64", offset=_offset_of(parameter, value))
    name = _name(b"name", parameters, value)
    assert name is not None
    return Disposition(name, _name(b"filename", parameters, value))


def _parameters(value: bytes, position: int) -> dict[bytes, bytes]:
    parameters: dict[bytes, bytes] = {}
    begin = position  # of the parameter that came last
    while position < len(value):
        match = _PARAMETER.match(value, position)
        if match is None or (match[1] is None and _is_broken(value, match.end())):
            what = f"offset {position} of Content-Disposition: {value[:60]!r}"
            rule = _rule_of_parameter(value[begin if match is None else position :])
            raise Problem("disposition_syntax", what, rule=rule, offset=position)
        if match[1] is not None:
            name = match[1].lower()
            if name in parameters:
                what = f"the parameter {name.decode()} occurs twice"
                raise Problem("disposition_syntax", what, rule="M47", offset=match.start(1))
            parameters[name] = _value(match)
        begin, position = position, match.end()
    return parameters


def _rule_of_parameter(text: bytes) -> str:
    """Which rule forbids the parameter with whose semicolon `text` begins, or what follows it."""
    match = _ANY_PARAMETER.match(text)
    assert match is not None, "a parameter begins with a semicolon"
    name, equals, value = match.groups()
    if equals is None and name:
        return "M60"
    if equals is None or equals != b"=" or not name:
        return "M42"
    if value[:1] in (b"", b";"):
        return "M60"
    if value.startswith(b'"'):
        return "M45" if _QUOTED.match(value) else "M46"
    if name.endswith(b"*"):
        return "M63"
    return "M45" if value.startswith(b'"', end_of(_TOKEN_CHARACTERS, value)) else "M59"


def _is_broken(value: bytes, position: int) -> bool:
    """Whether an empty parameter is followed by anything but `;`."""
    return position < len(value) and value[position : position + 1] != b";"


def _value(match: re.Match[bytes]) -> bytes:
    return match[3] or match[4] or _ESCAPE.sub(rb"\1", match[2])


def _offset_of(name: bytes, value: bytes) -> int:
    """The offset of the value of a parameter in a Content-Disposition whose syntax was checked."""
    return next(one.end(1) + 1 for one in _PARAMETER.finditer(value) if one[1] and one[1].lower() == name)


def _check_encoding(parameters: dict[bytes, bytes], whole: bytes) -> None:
    for name, value in parameters.items():
        if name != b"filename" and not _is_utf8(value):
            what, offset = f"the parameter {name.decode()} is not UTF-8", _offset_of(name, whole)
            raise Problem("part_header_encoding", what, rule="M51", offset=offset)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _name(key: bytes, parameters: dict[bytes, bytes], whole: bytes) -> str | None:
    """The extended value if there is one, else the plain value, whose only escape is %22 (M52, M53)."""
    plain = _plain(parameters[key]) if key in parameters else None
    if key + b"*" not in parameters:
        return plain and plain.replace("%22", '"')
    try:
        extended = _extended(parameters[key + b"*"])
    except Problem as problem:
        raise problem.behind(_offset_of(key + b"*", whole)) from None
    if plain is not None and not is_derived(plain, extended):
        what = f"{key.decode()} is {plain[:60]!a}, and {key.decode()}* is {extended[:60]!a} (M62)"
        raise Problem("filename_conflict", what, rule="M62", offset=_offset_of(key + b"*", whole))
    return extended


def _plain(value: bytes) -> str:
    """Decode a plain value. A file name may be ISO-8859-1 (M51)."""
    return value.decode("utf-8" if _is_utf8(value) else "iso-8859-1")


def _extended(value: bytes) -> str:
    """Decode an extended value (RFC 8187). .NET and Spring send it in double quotes (M61)."""
    match = _EXT_VALUE.fullmatch(value)
    codec = codec_of(match[1].decode("ascii")) if match else None
    if match is None or codec is None or not _VALUE_CHARS.fullmatch(match[3]):
        raise _malformed(value, "is not a valid ext-value in UTF-8 or ISO-8859-1")
    try:
        text = percent_decode(match[3]).decode(codec)
    except UnicodeDecodeError:
        raise _malformed(value, "does not decode in its charset") from None
    if _CONTROL.search(text):
        raise _malformed(value, "decodes to a control character")
    return text


def _malformed(value: bytes, what: str) -> Problem:
    return Problem("filename_ext", f"{value[:60]!r} {what} (M63)", rule="M63", offset=0)
