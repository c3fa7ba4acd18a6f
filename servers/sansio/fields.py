"""The field lines of a head (RFC 9112 5), checked in order of arrival, then framing and Host."""

import re
from dataclasses import dataclass

from ..contract.limits import BEYOND_ALL_LIMITS, MAX_CONTENT_LENGTH_DIGITS, Limits
from ..contract.problems import Problem
from ..contract.remembered import remembered
from ..contract.request import Pair
from .grammar import CONTROL, OWS, TOKEN, end_of
from .host import end_of_host, is_host

# field-line = field-name ":" OWS field-value OWS (RFC 9112 5), without a blank before the colon (H7, H8)
_CONTENT_LENGTH = re.compile(r"[0-9]+")
_DIGITS = re.compile(rb"[0-9]+")
_OTHER_BLANKS = b"\x85\xa0"  # NEL and the no-break space of ISO-8859-1, which strip() of a str removes
# Recipients differ on which of two counts. Host and the framing fields are judged in steps 3 and 4.
_SINGLETONS = {b"authorization": "H23", b"content-type": "H22"}
_JUDGED_LATER = frozenset({b"host", b"content-length", b"transfer-encoding"})
_CODE_OF_FIELD = {b"host": "bad_host", b"content-length": "bad_framing", b"transfer-encoding": "bad_framing"}

FORBIDDEN_TRAILERS = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"trailer", b"authorization", b"te"}
)
"""Trailers that would change framing, routing or authentication (RFC 9110 6.5.1, B29)."""


@remembered
def parse_field_line(line: bytes) -> tuple[bytes, bytes]:
    """The name in lower case and the trimmed value of a line without its CRLF.

    Raises Problem `bad_header`. For a control character in the value of Host, Content-Length or
    Transfer-Encoding, the code is `bad_host` or `bad_framing`. Its offset is that in the line.
    """
    name, colon, value = line.partition(b":")
    if not colon or not TOKEN.fullmatch(name):
        at = end_of(TOKEN, line)
        raise Problem("bad_header", _what_is_wrong(line), rule=_name_rule(line, at), offset=at)
    name, value = name.lower(), value.strip(OWS)
    control = CONTROL.search(value)
    if control is not None:
        code = _CODE_OF_FIELD.get(name, "bad_header")
        what = f"{name.decode('ascii')} has the control character {control[0][0]:#04x}"
        rule = "H13" if control[0][0] else "H12"
        raise Problem(code, what, rule=rule, offset=_value_offset(line) + control.start())
    return name, value


def _value_offset(line: bytes) -> int:
    """How many bytes of a valid line come before its trimmed value."""
    return len(line) - len(line.partition(b":")[2].lstrip(OWS))


def _name_rule(line: bytes, at: int) -> str:
    """Which rule forbids the octet at this offset, before the colon or where it is missing."""
    name, colon, _ = line.partition(b":")
    if line[:1] in (b" ", b"\t"):
        return "H1" if line.strip(OWS) else "H3"
    if not colon:
        return "H9"
    if not name:
        return "H10"
    if line[at : at + 1] not in (b" ", b"\t"):
        return "H15"
    if name.rstrip(OWS) != name[:at]:
        return "H9"
    return "H8" if name[:at].lower() == b"content-length" else "H7"


def _shown(line: bytes) -> bytes:
    """What a detail may show of a line without a valid name: no value, which may be a secret (H176)."""
    return line.replace(b"\t", b" ").partition(b" ")[0][:40]


def _what_is_wrong(line: bytes) -> str:
    if line[:1] in (b" ", b"\t"):
        return "a field line begins with a blank; folded lines are obsolete (RFC 9112 5.2)"
    name, colon, _ = line.partition(b":")
    if not colon:
        return f"the field line {_shown(line)!r} has no colon"
    if name.rstrip(OWS) != name:
        return f"there is a blank between the field name {_shown(name)!r} and the colon"
    return f"the field name {_shown(name)!r} is not a valid token"


@dataclass(frozen=True, slots=True)
class Framing:
    """How the body ends (RFC 9112 6.3): chunked, or after `content_length` bytes (None: not sent)."""

    content_length: int | None
    chunked: bool


class FieldLines:
    """The field lines of one head. `add` each line, then call `framing`, `host` and `joined`.

    `begin` is the number of bytes before the first line, for the offsets of problems.
    """

    def __init__(self, minor_version: int, limits: Limits, begin: int = 0) -> None:
        self._fields: dict[bytes, list[bytes]] = {}
        self._begin = begin
        self._offset_of_line = begin  # of the line that comes next
        # The lines that `framing` and `host` judge, each with the number of bytes before it.
        self._lines: dict[bytes, list[tuple[int, bytes]]] = {}
        self._count = 0
        self._limits = limits
        self._minor_version = minor_version

    def add(self, line: bytes) -> None:
        """Check one line and keep it (step 2 of contract section 4).

        Raises Problem `headers_too_large`, `bad_header`, `bad_host`, `bad_framing` or `expectation_failed`.
        """
        offset = self._offset_of_line
        self._offset_of_line += len(line) + 2
        if self._count == self._limits.max_fields:
            what = f"the head has more than {self._limits.max_fields} fields"
            raise Problem("headers_too_large", what, rule="H29", offset=offset)
        try:
            name, value = parse_field_line(line)
        except Problem as problem:
            if problem.rule == "H1" and offset == self._begin:
                problem.rule = "H2"  # there is no line that it could continue
            raise problem.behind(offset) from None
        if b"_" in name:
            return  # X_A and X-A are the same name in CGI and WSGI: drop it and do not count it (H17)
        self._count += 1
        values = self._fields.setdefault(name, [])
        if name in _JUDGED_LATER:
            self._lines.setdefault(name, []).append((offset, line))
        elif name in _SINGLETONS and values:
            what = f"the field {name.decode('ascii')} occurs twice (H22, H23)"
            raise Problem("bad_header", what, rule=_SINGLETONS[name], offset=offset)
        elif name == b"expect" and self._minor_version > 0 and value.lower() != b"100-continue":
            what, offset = f"the expectation {value[:40]!r} is not supported", offset + _value_offset(line)
            raise Problem("expectation_failed", what, rule="H35", offset=offset, field="expect")
        values.append(value)

    def _offset_of(self, name: bytes, index: int = 0) -> int:
        """How many bytes come before the first or second line of a field that is judged later."""
        return self._lines[name][index][0]

    def _offset_of_value(self, name: bytes) -> int:
        """How many bytes come before the value of the first line of a field that is judged later."""
        offset, line = self._lines[name][0]
        return offset + _value_offset(line)

    def framing(self) -> Framing:
        """Step 3 (RFC 9112 6.3). Raises Problem `bad_framing` or `unsupported_transfer_coding`."""
        lengths = self._fields.get(b"content-length")
        codings = self._fields.get(b"transfer-encoding")
        if lengths is not None and codings is not None:
            second = max(self._offset_of(b"content-length"), self._offset_of(b"transfer-encoding"))
            what = "the head has both Content-Length and Transfer-Encoding"
            raise Problem("bad_framing", what, rule="B16", offset=second)
        if codings is not None:
            self._check_codings(codings)
            return Framing(None, True)
        if lengths is None:
            return Framing(None, False)
        if len(lengths) > 1:
            rule, second = (
                "B8" if lengths[0] == lengths[1] else "B9",
                self._offset_of(b"content-length", 1),
            )
            what = "the field Content-Length occurs twice"
            raise Problem("bad_framing", what, rule=rule, offset=second)
        digits = lengths[0].decode("iso-8859-1")
        if not _CONTENT_LENGTH.fullmatch(digits):
            offset = self._offset_of_value(b"content-length") + end_of(_DIGITS, lengths[0])
            what = "Content-Length does not consist of digits"
            raise Problem("bad_framing", what, rule=_length_rule(digits), offset=offset)
        return Framing(_bounded_int(digits), False)

    def _check_codings(self, codings: list[bytes]) -> None:
        if self._minor_version == 0:
            what = "HTTP/1.0 has no Transfer-Encoding"
            raise Problem("bad_framing", what, rule="B23", offset=self._offset_of(b"transfer-encoding"))
        if len(codings) > 1:
            what = "the field Transfer-Encoding occurs twice"
            raise Problem("bad_framing", what, rule="B20", offset=self._offset_of(b"transfer-encoding", 1))
        elements = [element.strip(OWS) for element in codings[0].lower().split(b",")]
        if elements == [b"chunked"]:
            return
        others, last = elements[:-1], elements[-1]
        if last != b"chunked" or not all(TOKEN.fullmatch(o) and o != b"chunked" for o in others):
            what, at = "Transfer-Encoding does not end with a single chunked", _coding_index(elements)
            offset = self._offset_of_value(b"transfer-encoding") + _element_offset(codings[0], at)
            raise Problem("bad_framing", what, rule=_coding_rule(elements, at), offset=offset)
        what, offset = (
            "chunked is the only transfer coding supported",
            self._offset_of_value(b"transfer-encoding"),
        )
        raise Problem("unsupported_transfer_coding", what, rule="B19", offset=offset)

    def host(self) -> str | None:
        """Step 4 (RFC 9112 3.2). Raises Problem `bad_host`."""
        hosts = self._fields.get(b"host")
        if hosts is None:
            if self._minor_version > 0:
                # Where the head ends it could still have come.
                raise Problem(
                    "bad_host", "HTTP/1.1 needs a Host field", rule="H24", offset=self._offset_of_line
                )
            return None
        if len(hosts) > 1:
            raise Problem(
                "bad_host", "the field Host occurs twice", rule="H26", offset=self._offset_of(b"host", 1)
            )
        host = hosts[0].decode("iso-8859-1")
        if not is_host(host):
            offset = self._offset_of_value(b"host") + end_of_host(host)
            raise Problem("bad_host", f"the Host {host[:60]!a} is malformed", rule="H27", offset=offset)
        return host

    def joined(self) -> dict[str, str]:
        """Each name with its values joined in order: Cookie with `; ` (H21), others with `,` (H20).

        Empty Cookie lines are left out, since a field value must not end with a blank (RFC 9110 5.5).
        """
        joined = {name: b",".join(values) for name, values in self._fields.items()}
        if b"cookie" in joined:
            joined[b"cookie"] = b"; ".join(filter(None, self._fields[b"cookie"]))
        return {name.decode("ascii"): value.decode("iso-8859-1") for name, value in joined.items()}


def _length_rule(value: str) -> str:
    """Which rule forbids this value of Content-Length."""
    elements = value.split(",")
    is_list = len(elements) > 1 and all(_CONTENT_LENGTH.fullmatch(one.strip(" \t")) for one in elements)
    return "B10" if is_list else "B5"


def _coding_index(elements: list[bytes]) -> int:
    """The index of the first transfer coding that cannot be accepted."""
    for index, element in enumerate(elements):
        if not TOKEN.fullmatch(element):
            return index
    return elements.index(b"chunked") + 1 if b"chunked" in elements else len(elements) - 1


def _coding_rule(elements: list[bytes], at: int) -> str:
    """Which rule forbids the transfer coding at this index."""
    coding = elements[at]
    if not TOKEN.fullmatch(coding):
        return "B21" if coding == coding.strip(_OTHER_BLANKS) else "B22"
    if b"chunked" in elements:
        return "B20"
    if coding == b"identity":
        return "B17"
    return "B21" if coding.startswith(b"chunked") or coding.endswith(b"chunked") else "B18"


def _element_offset(value: bytes, index: int) -> int:
    """How many bytes of a list come before an element of it."""
    elements = value.split(b",")
    blanks = len(elements[index]) - len(elements[index].lstrip(OWS))
    return sum(len(element) + 1 for element in elements[:index]) + blanks


def _bounded_int(digits: str) -> int:
    # CPython refuses to convert more than 4300 digits (B7).
    significant = digits.lstrip("0")
    return int(significant or 0) if len(significant) <= MAX_CONTENT_LENGTH_DIGITS else BEYOND_ALL_LIMITS


def pairs_of(fields: dict[str, str]) -> tuple[Pair, ...]:
    """The fields sorted by name, as the result shows them."""
    return tuple(Pair(name, fields[name]) for name in sorted(fields))
