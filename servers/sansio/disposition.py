"""The Content-Disposition of a part (RFC 7578 4.2, RFC 6266 4.1, RFC 8187; rules M38 to M66)."""

import re
from dataclasses import dataclass

from ..contract.problems import Problem
from .grammar import OWS, TCHAR, percent_decode

# *( OWS ";" OWS [ name "=" value ] ), without blanks around "=" (M42). Departure from RFC 9110: in a
# quoted value only \" and \\ are escapes, because browsers send C:\temp unescaped (M54, M55).
_PARAMETER = re.compile(
    rb'[ \t]*;[ \t]*(?:([%s]+)=(?:"((?:[^"\\]|\\["\\]|\\(?!["\\]))*)"|([%s]+)))?' % (TCHAR, TCHAR), re.DOTALL
)
_ESCAPE = re.compile(rb'\\(["\\])')
# ext-value = charset "'" [ language ] "'" value-chars (RFC 8187 3.2.1)
_EXT_VALUE = re.compile(rb"([A-Za-z0-9\-_]+)'([A-Za-z0-9\-]*)'(.*)", re.DOTALL)
# value-chars = *( pct-encoded / attr-char ); in quotes also other visible characters, but no blank
_VALUE_CHARS = re.compile(rb"(?:%[0-9A-Fa-f]{2}|[!#$&+\-.^_`|~0-9A-Za-z])*")
_QUOTED_VALUE_CHARS = re.compile(rb"(?:%[0-9A-Fa-f]{2}|[\x21\x23\x24\x26-\x5b\x5d-\x7e])*")
_CONTINUATION = re.compile(rb"(?:file)?name\*[0-9]+\*?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Disposition:
    """The name and file name of a part. `filename` is None if the part has none."""

    name: str
    filename: str | None


@dataclass(frozen=True, slots=True)
class _Value:
    raw: bytes
    quoted: bool


def parse_disposition(value: bytes) -> Disposition:
    """Parse a Content-Disposition value.

    Raises Problem `disposition_type`, `disposition_syntax`, `part_header_encoding`, `name_missing` or
    `filename_ext`.
    """
    kind = value.partition(b";")[0]
    if not _is_utf8(kind):
        raise Problem("part_header_encoding", "the disposition type is not UTF-8 (M51)")
    if kind.strip(OWS).lower() != b"form-data":
        raise Problem("disposition_type", f"the disposition type is {kind[:40]!r} instead of form-data")
    parameters = _parameters(value, len(kind.rstrip(OWS)))
    _check_encoding(parameters)
    if b"name" not in parameters and b"name*" not in parameters:
        raise Problem("name_missing", "Content-Disposition has no name (RFC 7578 4.2)")
    if any(_CONTINUATION.fullmatch(name) for name in parameters):
        raise Problem("filename_ext", "continued parameters (RFC 2231) are not allowed in form-data (M64)")
    return Disposition(_name(parameters), _filename(parameters))


def _parameters(value: bytes, position: int) -> dict[bytes, _Value]:
    parameters: dict[bytes, _Value] = {}
    while position < len(value):
        match = _PARAMETER.match(value, position)
        if match is None or (match[1] is None and _is_broken(value, match.end())):
            raise Problem("disposition_syntax", f"offset {position} of Content-Disposition: {value[:60]!r}")
        if match[1] is not None:
            name = match[1].lower()
            if name in parameters:
                raise Problem("disposition_syntax", f"the parameter {name.decode()} occurs twice")
            parameters[name] = _unquoted(match)
        position = match.end()
    return parameters


def _is_broken(value: bytes, position: int) -> bool:
    """Whether an empty parameter is followed by anything but `;`."""
    return position < len(value) and value[position : position + 1] != b";"


def _unquoted(match: re.Match[bytes]) -> _Value:
    if match[3] is not None:
        return _Value(match[3], quoted=False)
    return _Value(_ESCAPE.sub(rb"\1", match[2]), quoted=True)


def _check_encoding(parameters: dict[bytes, _Value]) -> None:
    for name, value in parameters.items():
        if name != b"filename" and not _is_utf8(value.raw):
            raise Problem("part_header_encoding", f"the parameter {name.decode()} is not UTF-8")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _name(parameters: dict[bytes, _Value]) -> str:
    if b"name*" in parameters:
        return _extended(parameters[b"name*"])
    return _plain(parameters[b"name"])


def _filename(parameters: dict[bytes, _Value]) -> str | None:
    if b"filename*" in parameters:  # it is preferred in either order (M62, RFC 6266 4.3)
        return _extended(parameters[b"filename*"])
    if b"filename" not in parameters:
        return None
    return _plain(parameters[b"filename"])


def _plain(value: _Value) -> str:
    """Decode a plain value; only %22 is an escape (M52, M53). A file name may be ISO-8859-1 (M51)."""
    encoding = "utf-8" if _is_utf8(value.raw) else "iso-8859-1"
    return value.raw.decode(encoding).replace("%22", '"')


def _extended(value: _Value) -> str:
    """Decode an extended value (RFC 8187), which .NET and Spring send in double quotes (M61, M63)."""
    match = _EXT_VALUE.fullmatch(value.raw)
    charset = match[1].lower() if match else b""
    allowed = _QUOTED_VALUE_CHARS if value.quoted else _VALUE_CHARS
    if match is None or charset not in (b"utf-8", b"iso-8859-1") or not allowed.fullmatch(match[3]):
        raise Problem("filename_ext", f"{value.raw[:60]!r} is not a valid ext-value in UTF-8 or ISO-8859-1")
    try:
        text = percent_decode(match[3]).decode(charset.decode("ascii"))
    except UnicodeDecodeError:
        raise Problem("filename_ext", "an extended parameter does not decode in its charset") from None
    if _CONTROL.search(text):
        raise Problem("filename_ext", "an extended parameter decodes to a control character")
    return text
