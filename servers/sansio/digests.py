"""The fields of RFC 9530, which are dictionaries of structured fields (RFC 8941 3.2); rules D1 to D8.

The scanner reads a value from left to right, one character at a time, as RFC 8941 section 4.2 does. It reads
only what may occur in these fields. Every other type of a value is a fault, whatever follows it.
"""

import binascii
from collections.abc import Callable
from typing import TypeVar

from ..contract.problems import Problem

Value = TypeVar("Value")

_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset("0123456789")
_LETTERS = _LOWER | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
# key = ( lcalpha / "*" ) *( lcalpha / DIGIT / "_" / "-" / "." / "*" )
_KEY_BEGIN = _LOWER | {"*"}
_KEY = _LOWER | _DIGITS | frozenset("_-.*")
# sf-token = ( ALPHA / "*" ) *( tchar / ":" / "/" )
_TOKEN_BEGIN = _LETTERS | {"*"}
_TOKEN = _LETTERS | _DIGITS | frozenset("!#$%&'*+-.^_`|~:/")
# base64 = ALPHA / DIGIT / "+" / "/" / "="
_BASE64 = _LETTERS | _DIGITS | frozenset("+/=")
_MOST_DIGITS = 15
_MOST_DIGITS_OF_DECIMAL = 12
_MOST_DIGITS_AFTER_POINT = 3
_LARGEST_WEIGHT = 10


class _Malformed(Exception):
    """What is wrong; `at` is the number of characters before it."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


class _Scanner:
    """A value, and how far it has been read."""

    def __init__(self, value: str) -> None:
        self._value = value
        self.at = 0

    @property
    def next(self) -> str:
        """The next character, or "" at the end."""
        return self._value[self.at : self.at + 1]

    def skip(self, characters: str) -> None:
        """Pass over all of these that come next."""
        while self.next and self.next in characters:
            self.at += 1

    def take(self, characters: frozenset[str]) -> str:
        """All of these that come next."""
        begin = self.at
        while self.next in characters:
            self.at += 1
        return self._value[begin : self.at]

    def expect(self, character: str, what: str) -> None:
        """Pass over this character, or raise."""
        if self.next != character:
            raise self.fault(what)
        self.at += 1

    def fault(self, what: str) -> _Malformed:
        return _Malformed(what, self.at)


def parse_digests(value: str, field: str) -> dict[str, bytes]:
    """The digests of a Content-Digest or Repr-Digest by algorithm; the last one of each (D5).

    `field` is the name for the Problem `digest_syntax`.
    """
    try:
        return _dictionary(value, _byte_sequence)
    except _Malformed as fault:
        what = f"{field}: {fault} at character {fault.at}"
        raise Problem("digest_syntax", what, rule="D3", field=field) from None


def parse_weights(value: str) -> dict[str, int] | None:
    """The weights of a Want-Repr-Digest by algorithm, or None if it is malformed (D7)."""
    try:
        return _dictionary(value, _weight)
    except _Malformed:
        return None


def _dictionary(value: str, member: Callable[[_Scanner], Value]) -> dict[str, Value]:
    """sf-dictionary, whose members all have the same type (RFC 8941 4.2.2)."""
    scanner = _Scanner(value)
    members: dict[str, Value] = {}
    scanner.skip(" ")
    while scanner.next:
        key = _key(scanner)
        scanner.expect("=", "a name of an algorithm needs `=` and a value")
        members[key] = member(scanner)
        _skip_parameters(scanner)
        scanner.skip(" \t")
        if not scanner.next:
            break
        scanner.expect(",", "only a comma may follow a value")
        scanner.skip(" \t")
        if not scanner.next:
            raise scanner.fault("nothing follows the comma")
    return members


def _key(scanner: _Scanner) -> str:
    if scanner.next not in _KEY_BEGIN:
        raise scanner.fault("a name begins with a lower-case letter")
    return scanner.take(_KEY)


def _byte_sequence(scanner: _Scanner) -> bytes:
    """sf-binary (RFC 8941 4.2.7). Padding may be left out, and its bits may be set."""
    scanner.expect(":", "a digest stands between colons")
    begin = scanner.at
    encoded = scanner.take(_BASE64)
    scanner.expect(":", "a digest is base64 and ends with a colon")
    data = encoded.rstrip("=")
    padding = len(encoded) - len(data)
    missing = -len(data) % 4
    if "=" in data or missing == 3 or padding not in (0, missing):
        raise _Malformed("base64 with wrong padding", begin)
    return binascii.a2b_base64(data + "=" * missing)


def _weight(scanner: _Scanner) -> int:
    """An integer from 0 to 10 (RFC 9530 section 4)."""
    if scanner.next == "-":
        raise scanner.fault("a weight is not negative")
    digits = scanner.take(_DIGITS)
    if not 1 <= len(digits) <= _MOST_DIGITS or int(digits) > _LARGEST_WEIGHT:
        raise scanner.fault("a weight is 0 to 10")
    return int(digits)


def _skip_parameters(scanner: _Scanner) -> None:
    """parameters = *( ";" *SP key [ "=" bare-item ] ) (RFC 8941 4.2.3.2)."""
    while scanner.next == ";":
        scanner.at += 1
        scanner.skip(" ")
        _key(scanner)
        if scanner.next == "=":
            scanner.at += 1
            _skip_bare_item(scanner)


def _skip_bare_item(scanner: _Scanner) -> None:
    """bare-item (RFC 8941 4.2.3.1)."""
    first = scanner.next
    if first == ":":
        _byte_sequence(scanner)
    elif first == '"':
        _skip_string(scanner)
    elif first == "?":
        scanner.at += 1
        if scanner.next not in ("0", "1"):
            raise scanner.fault("a boolean is ?0 or ?1")
        scanner.at += 1
    elif first in _TOKEN_BEGIN:
        scanner.take(_TOKEN)
    else:
        _skip_number(scanner)


def _skip_string(scanner: _Scanner) -> None:
    scanner.at += 1
    while scanner.next != '"':
        if scanner.next == "\\":
            scanner.at += 1
            if scanner.next not in ('"', "\\"):
                raise scanner.fault("a backslash escapes only itself and quotes")
        elif not "\x20" <= scanner.next <= "\x7e":
            raise scanner.fault("a string has visible characters and ends with a quote")
        scanner.at += 1
    scanner.at += 1


def _skip_number(scanner: _Scanner) -> None:
    if scanner.next == "-":
        scanner.at += 1
    whole = scanner.take(_DIGITS)
    if not 1 <= len(whole) <= _MOST_DIGITS:
        raise scanner.fault("a parameter has a value of no known type")
    if scanner.next == ".":
        scanner.at += 1
        fraction = scanner.take(_DIGITS)
        if len(whole) > _MOST_DIGITS_OF_DECIMAL or not 1 <= len(fraction) <= _MOST_DIGITS_AFTER_POINT:
            raise scanner.fault("a decimal has too many digits, or none after its point")
