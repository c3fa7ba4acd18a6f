"""The field lines of a head (RFC 9112 5): judged one by one, in order of arrival; then framing and Host."""

import re
from dataclasses import dataclass

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import Pair
from .grammar import CONTROL, OWS, TOKEN
from .host import is_host

# field-line = field-name ":" OWS field-value OWS (RFC 9112 5): no blank before the colon (H7, H8)
_CONTENT_LENGTH = re.compile(r"[0-9]+")
_CODE_OF_FIELD = {b"host": "bad_host", b"content-length": "bad_framing", b"transfer-encoding": "bad_framing"}

FORBIDDEN_TRAILERS = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"trailer", b"authorization", b"te"}
)
"""Fields that change framing, routing or authentication (RFC 9110 6.5.1, B29)."""


def parse_field_line(line: bytes) -> tuple[bytes, bytes]:
    """Name in lower case and trimmed value of a line without its CRLF.

    Raises Problem `bad_header`; for a control character in the value of a field that frames or routes, the
    code of that field.
    """
    name, colon, value = line.partition(b":")
    if not colon or not TOKEN.fullmatch(name):
        raise Problem("bad_header", _what_is_wrong(line))
    name, value = name.lower(), value.strip(OWS)
    control = CONTROL.search(value)
    if control is not None:
        code = _CODE_OF_FIELD.get(name, "bad_header")
        raise Problem(code, f"the control character {control[0][0]:#04x} in {name.decode('ascii')}")
    return name, value


def _what_is_wrong(line: bytes) -> str:
    if line[:1] in (b" ", b"\t"):
        return "a line begins with a blank: folded lines are obsolete (RFC 9112 5.2)"
    name, colon, _ = line.partition(b":")
    if not colon:
        return f"a line without a colon: {line[:40]!r}"
    if name.rstrip(OWS) != name:
        return f"a blank before the colon of {name[:40]!r}"
    return f"the field name {name[:40]!r} is no token"


@dataclass(frozen=True, slots=True)
class Framing:
    """How the body ends (RFC 9112 6.3): chunked, or `content_length` bytes (None: no such field)."""

    content_length: int | None
    chunked: bool


class FieldLines:
    """The field lines of one head, collected: `add` each in turn, then ask for framing and Host."""

    def __init__(self, minor_version: int, limits: Limits) -> None:
        self._fields: dict[bytes, list[bytes]] = {}
        self._count = 0
        self._limits = limits
        self._minor_version = minor_version

    def add(self, line: bytes) -> None:
        """Judge one line (step 2). Raises Problem `headers_too_large`, `bad_header`, `bad_host`,
        `bad_framing` or `expectation_failed`."""
        if self._count == self._limits.max_fields:
            raise Problem("headers_too_large", f"more than {self._limits.max_fields} fields")
        name, value = parse_field_line(line)
        if b"_" in name:
            return  # legal, but one name with X-A for CGI and WSGI: dropped, not counted (H17)
        self._count += 1
        values = self._fields.setdefault(name, [])
        if name == b"content-type" and values:
            raise Problem("bad_header", "a second Content-Type")
        if name == b"expect" and self._minor_version > 0 and value.lower() != b"100-continue":
            raise Problem("expectation_failed", f"the expectation {value[:40]!r} is not known")
        values.append(value)

    def framing(self) -> Framing:
        """Step 3 (RFC 9112 6.3). Raises Problem `bad_framing` or `unsupported_transfer_coding`."""
        lengths = self._fields.get(b"content-length")
        codings = self._fields.get(b"transfer-encoding")
        if lengths is not None and codings is not None:
            raise Problem("bad_framing", "both Content-Length and Transfer-Encoding")
        if codings is not None:
            self._check_codings(codings)
            return Framing(None, True)
        if lengths is None:
            return Framing(None, False)
        if len(lengths) > 1:
            raise Problem("bad_framing", "more than one Content-Length")
        digits = lengths[0].decode("iso-8859-1")
        if not _CONTENT_LENGTH.fullmatch(digits):
            raise Problem("bad_framing", "Content-Length is not a row of digits")
        return Framing(_bounded_int(digits), False)

    def _check_codings(self, codings: list[bytes]) -> None:
        if self._minor_version == 0:
            raise Problem("bad_framing", "Transfer-Encoding in HTTP/1.0")
        if len(codings) > 1:
            raise Problem("bad_framing", "more than one Transfer-Encoding")
        elements = [element.strip(OWS) for element in codings[0].lower().split(b",")]
        if elements == [b"chunked"]:
            return
        others, last = elements[:-1], elements[-1]
        if last != b"chunked" or not all(TOKEN.fullmatch(o) and o != b"chunked" for o in others):
            raise Problem("bad_framing", "Transfer-Encoding does not end in one chunked")
        raise Problem("unsupported_transfer_coding", "only chunked alone is implemented")

    def host(self) -> str | None:
        """Step 4 (RFC 9112 3.2). Raises Problem `bad_host`."""
        hosts = self._fields.get(b"host")
        if hosts is None:
            if self._minor_version > 0:
                raise Problem("bad_host", "HTTP/1.1 needs a Host field")
            return None
        if len(hosts) > 1:
            raise Problem("bad_host", "more than one Host")
        host = hosts[0].decode("iso-8859-1")
        if not is_host(host):
            raise Problem("bad_host", f"the Host {host[:60]!a} is malformed")
        return host

    def joined(self) -> dict[str, str]:
        """Each name with its values joined in order: Cookie by `; ` (H21), all others by `,` (H20).

        An empty Cookie line adds nothing: a field value has no blanks at its ends (RFC 9110 5.5).
        """
        joined = {name: b",".join(values) for name, values in self._fields.items()}
        if b"cookie" in joined:
            joined[b"cookie"] = b"; ".join(filter(None, self._fields[b"cookie"]))
        return {name.decode("ascii"): value.decode("iso-8859-1") for name, value in joined.items()}


def _bounded_int(digits: str) -> int:
    # CPython refuses to convert more than 4300 digits; far fewer are over every limit (B7).
    significant = digits.lstrip("0")
    return int(significant[:25] or 0)


def pairs_of(fields: dict[str, str]) -> tuple[Pair, ...]:
    """The fields sorted by name, as the result shows them."""
    return tuple(Pair(name, fields[name]) for name in sorted(fields))
