"""Content-Disposition of a part (RFC 7578 4.2, RFC 6266 4.1, RFC 8187).

`werkzeug.http.parse_options_header` is not used. It deletes backslashes (M55), takes the last of two equal
parameters (M47), prefers `filename` to `filename*` when it comes last (M62), and replaces what does not
decode (M63).
"""

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from ..contract.charsets import codec_of
from ..contract.problems import Problem
from .abnf import BLANKS, TCHAR
from .conflicting_names import names_conflict

# Only `\"` and `\\` are escapes, as browsers write them. Any other backslash stands for itself (M54, M55).
# The last alternative looks ahead, so that a backslash is never separated from the quote that it escapes
# (M46). The blanks are possessive: otherwise two runs of them could be divided in many ways (H081).
_QUOTED = r'"(?P<quoted>(?:[^"\\]|\\["\\]|\\(?!["\\]))*)"'
# An extended parameter may have more than token characters: libsoup and form-data send them bare (M63).
_BARE = rf"(?P<token>(?<=\*=)[!#-:<-~]+|[{TCHAR}]+)"
_PARAMETER = re.compile(rf"[ \t]*;[ \t]*+(?:(?P<name>[{TCHAR}]+)=(?:{_BARE}|{_QUOTED}))?[ \t]*+(?=;|\Z)")
_WHOLE = re.compile(rf"[ \t]*;[ \t]*+(?P<name>[{TCHAR}]+)=(?:{_BARE}|{_QUOTED})")
# A parameter of which only the semicolon is certain.
_MALFORMED = re.compile(
    rf"[ \t]*;[ \t]*(?P<name>[{TCHAR}]*)(?P<equals>[ \t]*=[ \t]*)?(?P<value>.*)", re.DOTALL
)
_QUOTE_IN_TOKEN = re.compile(rf"[{TCHAR}]+\"")
_ESCAPE = re.compile(r'\\(["\\])')
_CONTINUATION = re.compile(r"(?:filename|name)\*[0-9]+\*?")
# ext-value = charset "'" [ language ] "'" value-chars (RFC 8187 3.2.1)
_EXT_VALUE = re.compile(r"(?P<charset>[A-Za-z0-9\-_]+)'[A-Za-z0-9\-]*'(?P<chars>.*)", re.DOTALL)
_CHARS = re.compile(r"(?:[!#$&-~]|%[0-9A-Fa-f]{2})*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Disposition(NamedTuple):
    """The name of a part, and its file name, or None if it has none."""

    name: str
    filename: str | None


def read_disposition(value: str, *, utf8: bool) -> Disposition:
    """Parse a value, given as a native string. `utf8` says whether all of it is valid UTF-8.

    Raises Problem `part_header_encoding`, `disposition_type`, `disposition_syntax`, `name_missing`,
    `filename_ext` and `filename_conflict`.
    """
    kind, semicolon, rest = value.partition(";")
    if kind.strip(BLANKS).lower() != "form-data":
        if not utf8:
            _decode("type", kind)
        what = f"{kind.strip(BLANKS)[:40]!a} is not form-data (M40)"
        raise Problem("disposition_type", what, rule="M40")
    parameters = _split(semicolon + rest)
    texts = {name: _decode(name, value) for name, value in parameters.items()}
    if "name" not in parameters and "name*" not in parameters:
        raise Problem("name_missing", "a part has no name (M38)", rule="M38")
    if any(_CONTINUATION.fullmatch(name) for name in parameters):
        raise Problem("filename_ext", "continued parameters are not supported (M64)", rule="M64")
    name = _value_of("name", texts)
    assert name is not None
    return Disposition(name, _value_of("filename", texts))


def _split(text: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PARAMETER.match(text, position)
        if match is None:
            what = f"Content-Disposition is malformed near {text[position:][:40]!a}"
            raise Problem("disposition_syntax", what, rule=_which_parameter(text[position:], parameters))
        position = match.end()
        if match["name"] is None:
            continue
        name = match["name"].lower()
        if name in parameters:
            what = f"the parameter {name!a} is there twice (M47)"
            raise Problem("disposition_syntax", what, rule="M47")
        quoted = match["quoted"]
        parameters[name] = match["token"] if quoted is None else _ESCAPE.sub(r"\1", quoted)
    return parameters


def _which_parameter(text: str, before: dict[str, str]) -> str:
    """The rule about the parameter that `text` begins with, and that does not follow the grammar."""
    whole = _WHOLE.match(text)
    if whole is not None and whole["name"].lower() in before:
        return "M47"  # what comes after it is at fault too
    parts = _MALFORMED.match(text)
    assert parts is not None, "each parameter begins with a semicolon"
    name, equals, value = parts["name"], parts["equals"] or "", parts["value"]
    if name and not equals:
        return "M60"
    if not name or equals != "=":
        return "M42"
    if not value or value[0] == ";":
        return "M60"
    if value[0] == '"':
        return "M45" if re.match(_QUOTED, value) else "M46"
    if name[-1] == "*":
        return "M63"
    return "M45" if _QUOTE_IN_TOKEN.match(value) else "M59"


def _decode(name: str, text: str) -> str:
    """Decode UTF-8. Only a file name may be ISO-8859-1: HttpClient 5, LWP and curl on Windows (M51)."""
    try:
        return text.encode("iso-8859-1").decode("utf-8")
    except UnicodeDecodeError:
        if name == "filename":
            return text
        what = f"the {name!a} of a part is not UTF-8"
        raise Problem("part_header_encoding", what, rule="M51") from None


def _value_of(name: str, texts: dict[str, str]) -> str | None:
    """The extended form if there is one (M62, M64), else the plain one with `%22` as a quote (M52)."""
    plain = texts.get(name)
    if name + "*" not in texts:
        return None if plain is None else plain.replace("%22", '"')
    extended = _decode_extended(texts[name + "*"])
    if plain is not None and names_conflict(plain, extended):
        what = f"{name} says {plain[:60]!a}, {name}* says {extended[:60]!a} (M62)"
        raise Problem("filename_conflict", what, rule="M62")
    return extended


def _decode_extended(value: str) -> str:
    match = _EXT_VALUE.fullmatch(value)
    codec = codec_of(match["charset"]) if match else None
    if match is None or codec is None or not _CHARS.fullmatch(match["chars"]):
        raise Problem("filename_ext", f"{value[:40]!a} is not a valid extended value (M63)", rule="M63")
    try:
        text = unquote_to_bytes(match["chars"]).decode(codec)
    except UnicodeDecodeError:
        raise Problem("filename_ext", f"{value[:40]!a} does not decode (M63)", rule="M63") from None
    if _CONTROL.search(text):
        raise Problem("filename_ext", f"{value[:40]!a} holds a control character (M63)", rule="M63")
    return text
