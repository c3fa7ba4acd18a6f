"""Walks over a field value from left to right: tokens, quoted strings and parameters (RFC 9110 5.6).

`python_multipart.multipart.parse_options_header` is not asked: it skips what it does not understand, takes
the last of two equal parameters, drops those with a `*` and the folders of a Windows path (C2, C4, M47, M61).
"""

from collections.abc import Iterator
from typing import NamedTuple

from .characters import OWS, TCHARS

ANY_BYTE = bytes(range(0x100))
# What ends an unquoted value for sure; whether it is a token is asked afterwards.
_SEPARATORS = b';," \t'


class ScanError(ValueError):
    """The value does not follow its grammar; the message says where."""


class Parameter(NamedTuple):
    """`;name=value`: the name in lower case, the value without quotes and escapes."""

    name: str
    value: bytes
    quoted: bool


class Scanner:
    """One value and how far it was read."""

    def __init__(self, value: bytes) -> None:
        self._value = value
        self._at = 0

    def fail(self, expected: str) -> ScanError:
        """The error for what stands here."""
        return ScanError(f"{expected} expected at {self._at} of {self._value[:80]!r}")

    def peek(self) -> bytes:
        """The next byte, or nothing at the end."""
        return self._value[self._at : self._at + 1]

    def accept(self, literal: bytes) -> bool:
        """Read `literal` if it stands here."""
        found = self._value.startswith(literal, self._at)
        self._at += len(literal) if found else 0
        return found

    def skip_blanks(self) -> None:
        """Read OWS."""
        self._run(OWS)

    def token(self) -> bytes:
        """Raises ScanError."""
        token = self._run(TCHARS)
        if not token:
            raise self.fail("a token")
        return token

    def parameters(self, escapable: bytes) -> Iterator[Parameter]:
        """*( OWS ";" OWS [ name "=" value ] ) to the end of the value. Raises ScanError.

        In quotes a backslash escapes a byte of `escapable` and is itself before any other. An unquoted
        value is whatever stands before the next separator, even nothing: the caller judges it.
        """
        while self.peek():
            self.skip_blanks()
            if not self.accept(b";"):
                raise self.fail("a semicolon")
            self.skip_blanks()
            if self.peek() not in (b"", b";"):
                yield self._parameter(escapable)

    def _run(self, characters: bytes) -> bytes:
        rest = self._value[self._at :]
        run = rest[: len(rest) - len(rest.lstrip(characters))]
        self._at += len(run)
        return run

    def _parameter(self, escapable: bytes) -> Parameter:
        name = self.token().lower().decode("ascii")
        if not self.accept(b"="):
            raise self.fail("an equals sign")
        if self.accept(b'"'):
            return Parameter(name, self._quoted(escapable), quoted=True)
        start = self._at
        while self.peek() and self.peek() not in _SEPARATORS:
            self._at += 1
        return Parameter(name, self._value[start : self._at], quoted=False)

    def _quoted(self, escapable: bytes) -> bytes:
        """What stands before the closing quote, which is read too."""
        text = bytearray()
        while not self.accept(b'"'):
            if self.accept(b"\\"):
                text += b"" if self.peek() and self.peek() in escapable else b"\\"
            if not self.peek():
                raise self.fail("a closing quote")
            text += self.peek()
            self._at += 1
        return bytes(text)
