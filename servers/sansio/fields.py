"""The field lines of a head (RFC 9112 5), checked in order of arrival, then framing and Host."""

import re
from dataclasses import dataclass

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import Pair
from .grammar import CONTROL, OWS, TOKEN
from .host import is_host

# field-line = field-name ":" OWS field-value OWS (RFC 9112 5), without a blank before the colon (H7, H8)
_CONTENT_LENGTH = re.compile(r"[0-9]+")
# Recipients differ on which of two counts. Host and the framing fields are judged in steps 3 and 4.
_SINGLETONS = (b"authorization", b"content-type")
_CODE_OF_FIELD = {b"host": "bad_host", b"content-length": "bad_framing", b"transfer-encoding": "bad_framing"}

FORBIDDEN_TRAILERS = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"trailer", b"authorization", b"te"}
)
"""Trailers that would change framing, routing or authentication (RFC 9110 6.5.1, B29)."""


def parse_field_line(line: bytes) -> tuple[bytes, bytes]:
    """The name in lower case and the trimmed value of a line without its CRLF.

    Raises Problem `bad_header`. For a control character in the value of Host, Content-Length or
    Transfer-Encoding, the code is `bad_host` or `bad_framing`.
    """
    name, colon, value = line.partition(b":")
    if not colon or not TOKEN.fullmatch(name):
        raise Problem("bad_header", _what_is_wrong(line))
    name, value = name.lower(), value.strip(OWS)
    control = CONTROL.search(value)
    if control is not None:
        code = _CODE_OF_FIELD.get(name, "bad_header")
        raise Problem(code, f"{name.decode('ascii')} has the control character {control[0][0]:#04x}")
    return name, value


def _what_is_wrong(line: bytes) -> str:
    if line[:1] in (b" ", b"\t"):
        return "a field line begins with a blank; folded lines are obsolete (RFC 9112 5.2)"
    name, colon, _ = line.partition(b":")
    if not colon:
        return f"the field line {line[:40]!r} has no colon"
    if name.rstrip(OWS) != name:
        return f"there is a blank between the field name {name[:40]!r} and the colon"
    return f"the field name {name[:40]!r} is not a valid token"


@dataclass(frozen=True, slots=True)
class Framing:
    """How the body ends (RFC 9112 6.3): chunked, or after `content_length` bytes (None: not sent)."""

    content_length: int | None
    chunked: bool


class FieldLines:
    """The field lines of one head. `add` each line, then call `framing`, `host` and `joined`."""

    def __init__(self, minor_version: int, limits: Limits) -> None:
        self._fields: dict[bytes, list[bytes]] = {}
        self._count = 0
        self._limits = limits
        self._minor_version = minor_version

    def add(self, line: bytes) -> None:
        """Check one line and keep it (step 2 of contract section 4).

        Raises Problem `headers_too_large`, `bad_header`, `bad_host`, `bad_framing` or `expectation_failed`.
        """
        if self._count == self._limits.max_fields:
            raise Problem("headers_too_large", f"the head has more than {self._limits.max_fields} fields")
        name, value = parse_field_line(line)
        if b"_" in name:
            return  # X_A and X-A are the same name in CGI and WSGI: drop it and do not count it (H17)
        self._count += 1
        values = self._fields.setdefault(name, [])
        if name in _SINGLETONS and values:
            raise Problem("bad_header", f"the field {name.decode('ascii')} occurs twice (H22, H23)")
        if name == b"expect" and self._minor_version > 0 and value.lower() != b"100-continue":
            raise Problem("expectation_failed", f"the expectation {value[:40]!r} is not supported")
        values.append(value)

    def framing(self) -> Framing:
        """Step 3 (RFC 9112 6.3). Raises Problem `bad_framing` or `unsupported_transfer_coding`."""
        lengths = self._fields.get(b"content-length")
        codings = self._fields.get(b"transfer-encoding")
        if lengths is not None and codings is not None:
            raise Problem("bad_framing", "the head has both Content-Length and Transfer-Encoding")
        if codings is not None:
            self._check_codings(codings)
            return Framing(None, True)
        if lengths is None:
            return Framing(None, False)
        if len(lengths) > 1:
            raise Problem("bad_framing", "the field Content-Length occurs twice")
        digits = lengths[0].decode("iso-8859-1")
        if not _CONTENT_LENGTH.fullmatch(digits):
            raise Problem("bad_framing", "Content-Length does not consist of digits")
        return Framing(_bounded_int(digits), False)

    def _check_codings(self, codings: list[bytes]) -> None:
        if self._minor_version == 0:
            raise Problem("bad_framing", "HTTP/1.0 has no Transfer-Encoding")
        if len(codings) > 1:
            raise Problem("bad_framing", "the field Transfer-Encoding occurs twice")
        elements = [element.strip(OWS) for element in codings[0].lower().split(b",")]
        if elements == [b"chunked"]:
            return
        others, last = elements[:-1], elements[-1]
        if last != b"chunked" or not all(TOKEN.fullmatch(o) and o != b"chunked" for o in others):
            raise Problem("bad_framing", "Transfer-Encoding does not end with a single chunked")
        raise Problem("unsupported_transfer_coding", "chunked is the only transfer coding supported")

    def host(self) -> str | None:
        """Step 4 (RFC 9112 3.2). Raises Problem `bad_host`."""
        hosts = self._fields.get(b"host")
        if hosts is None:
            if self._minor_version > 0:
                raise Problem("bad_host", "HTTP/1.1 needs a Host field")
            return None
        if len(hosts) > 1:
            raise Problem("bad_host", "the field Host occurs twice")
        host = hosts[0].decode("iso-8859-1")
        if not is_host(host):
            raise Problem("bad_host", f"the Host {host[:60]!a} is malformed")
        return host

    def joined(self) -> dict[str, str]:
        """Each name with its values joined in order: Cookie with `; ` (H21), others with `,` (H20).

        Empty Cookie lines are left out, since a field value must not end with a blank (RFC 9110 5.5).
        """
        joined = {name: b",".join(values) for name, values in self._fields.items()}
        if b"cookie" in joined:
            joined[b"cookie"] = b"; ".join(filter(None, self._fields[b"cookie"]))
        return {name.decode("ascii"): value.decode("iso-8859-1") for name, value in joined.items()}


def _bounded_int(digits: str) -> int:
    # CPython refuses to convert more than 4300 digits; 25 digits exceed every limit (B7).
    significant = digits.lstrip("0")
    return int(significant[:25] or 0)


def pairs_of(fields: dict[str, str]) -> tuple[Pair, ...]:
    """The fields sorted by name, as the result shows them."""
    return tuple(Pair(name, fields[name]) for name in sorted(fields))
