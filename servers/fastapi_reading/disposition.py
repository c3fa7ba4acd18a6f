"""Content-Disposition of a part (RFC 7578 4.2, RFC 6266 4.1) and extended values (RFC 8187)."""

from typing import NamedTuple

from ..contract.problems import Problem
from .characters import ALPHANUMERIC, OWS, TCHARS, VISIBLE, consists_of, controls
from .percent import decode_percent
from .scanner import Parameter, ScanError, Scanner

# attr-char (RFC 8187 3.2.1); "%" begins a pct-encoded.
_ATTR_CHARS = ALPHANUMERIC + b"!#$&+-.^_`|~%"
_QUOTED_CHARS = VISIBLE.translate(None, b'"\\')
_HEX = b"0123456789abcdefABCDEF"
_CHARSETS = {b"utf-8": "utf-8", b"iso-8859-1": "iso-8859-1"}


class Disposition(NamedTuple):
    """`filename` is None for a part that names no file."""

    name: str
    filename: str | None


def scan_disposition(value: bytes) -> Disposition:
    """Raises Problem `part_header_encoding`, `disposition_*`, `name_missing` or `filename_ext`, in this order
    for a value that has one fault."""
    kind, semicolon, rest = value.partition(b";")
    if kind.strip(OWS).lower() != b"form-data":
        _decode_strictly(kind)
        raise Problem("disposition_type", f"{kind[:40]!r} is not form-data (M40)")
    parameters = _scan(Scanner(semicolon + rest))
    for parameter in parameters.values():
        if parameter.name != "filename":
            _decode_strictly(parameter.value)
    if not parameters.keys() & {"name", "name*"}:
        raise Problem("name_missing", "the part has no name (M38)")
    for name in parameters:
        _refuse_section(name)
    filename = _meaning(parameters, "filename") if parameters.keys() & {"filename", "filename*"} else None
    return Disposition(_meaning(parameters, "name"), filename)


def _scan(scanner: Scanner) -> dict[str, Parameter]:
    parameters: dict[str, Parameter] = {}
    try:
        # Browsers send C:\\temp raw: only \\" and \\\\ are escapes (M54, M55).
        for parameter in scanner.parameters(escapable=b'"\\'):
            bare = not parameter.quoted
            if bare and (parameter.value == b"" or not consists_of(parameter.value, TCHARS)):
                raise scanner.fail(f"a token or a quoted string as {parameter.name}")
            if parameter.name in parameters:
                raise scanner.fail(f"no second {parameter.name}")
            parameters[parameter.name] = parameter
    except ScanError as error:
        raise Problem("disposition_syntax", f"Content-Disposition: {error}") from None
    return parameters


def _refuse_section(name: str) -> None:
    """RFC 2231 cut long values into `filename*0`, `filename*1*` and so on (M64)."""
    plain, star, section = name.partition("*")
    if star and plain in ("name", "filename") and section.removesuffix("*").isdecimal():
        raise Problem("filename_ext", f"{name}: a value in sections is not for form-data")


def _meaning(parameters: dict[str, Parameter], name: str) -> str:
    """The extended form wins in either order (M62, RFC 6266 4.3)."""
    if name + "*" in parameters:
        return _extended_value(parameters[name + "*"])
    raw = parameters[name].value
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("iso-8859-1")  # only a filename comes here (M51)
    return text.replace("%22", '"')  # M52; nothing else is decoded (M53)


def _decode_strictly(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem("part_header_encoding", f"{raw[:40]!r} is not UTF-8 (M51)") from None


def _extended_value(parameter: Parameter) -> str:
    """ext-value = charset "'" [ language ] "'" value-chars; in quotes any visible characters (M61, M63)."""
    charset, _, rest = parameter.value.partition(b"'")
    language, quote, chars = rest.partition(b"'")
    pieces = chars.split(b"%")[1:]
    allowed = _QUOTED_CHARS if parameter.quoted else _ATTR_CHARS
    encoded = all(len(piece) >= 2 and consists_of(piece[:2], _HEX) for piece in pieces)
    if quote == b"" or not encoded or not consists_of(language, ALPHANUMERIC + b"-"):
        raise Problem("filename_ext", f"{parameter.value[:60]!r} is no ext-value")
    if charset.lower() not in _CHARSETS or not consists_of(chars, allowed):
        raise Problem("filename_ext", f"{parameter.value[:60]!r} has a charset or characters not for it")
    octets = decode_percent(chars)
    try:
        text = octets.decode(_CHARSETS[charset.lower()])
    except UnicodeDecodeError:
        raise Problem("filename_ext", f"{parameter.value[:60]!r} does not decode") from None
    if controls(octets):
        raise Problem("filename_ext", f"{parameter.value[:60]!r} decodes to a control character")
    return text
