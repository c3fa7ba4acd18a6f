"""Content-Digest, Repr-Digest and Want-Repr-Digest (RFC 9530), by the grammar of RFC 8941 as patterns.

Werkzeug reads no structured fields. A whole value is matched against the ABNF of RFC 8941 first. Then its
members are found by a second pass, which can take each of them for well formed.
"""

import base64
import re

from ..contract.problems import Problem
from .abnf import TCHAR

# RFC 8941 3.1.2, 3.3. Each alternative of bare-item begins with another character.
_KEY = r"[a-z*][a-z0-9_.*\-]*"
# Base64 with its padding, or without any: parsers should not demand it (RFC 8941 4.2.7).
_BASE64 = "[A-Za-z0-9+/]"
_BINARY = rf":(?:{_BASE64}{{4}})*(?:{_BASE64}{{2}}(?:==)?|{_BASE64}{{3}}=?)?:"
_ITEM = (
    rf"(?:{_BINARY}"
    r"|-?(?:[0-9]{1,12}\.[0-9]{1,3}|[0-9]{1,15})(?![0-9.])"
    r'|"(?:[ !#-\[\]-~]|\\["\\])*"'
    rf"|[A-Za-z*][{TCHAR}:/]*"
    r"|\?[01])"
)
_PARAMETERS = rf"(?:; *{_KEY}(?:={_ITEM})?)*"
_INTEGER = r"(?:0{0,14}[0-9]|0{0,13}10)(?![0-9.])"


def _dictionary(value: str) -> re.Pattern[str]:
    """The pattern of a dictionary whose members have such values."""
    member = rf"{_KEY}={value}{_PARAMETERS}"
    return re.compile(rf" *(?:{member}(?:[ \t]*,[ \t]*{member})*[ \t]*)?")


_DIGESTS = _dictionary(_BINARY)
_WEIGHTS = _dictionary(_INTEGER)
# In a value that matches, a comma or the begin stands before each name. A string may have commas too, so
# parameters are matched with their member.
_DIGEST = re.compile(rf"({_KEY})=:([^:]*):{_PARAMETERS}[ \t]*(?:,[ \t]*)?")
_WEIGHT = re.compile(rf"({_KEY})=({_INTEGER}){_PARAMETERS}[ \t]*(?:,[ \t]*)?")


def read_digests(value: str, field: str) -> dict[str, bytes]:
    """The digest of each algorithm. Raises Problem `digest_syntax` with the name of the field."""
    if not _DIGESTS.fullmatch(value):
        raise _malformed(field, "it is not a dictionary of byte sequences such as sha-256=:BASE64:")
    return {key: _decode(encoded) for key, encoded in _DIGEST.findall(value)}


def read_weights(value: str) -> dict[str, int] | None:
    """The weight of each algorithm, or None if the value is not a dictionary of integers from 0 to 10."""
    if not _WEIGHTS.fullmatch(value):
        return None
    return {key: int(weight) for key, weight in _WEIGHT.findall(value)}


def _decode(encoded: str) -> bytes:
    return base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), validate=True)


def _malformed(field: str, why: str) -> Problem:
    return Problem("digest_syntax", f"{field} is malformed: {why}", rule="D3", field=field)
