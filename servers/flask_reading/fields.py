"""One field line at a time (RFC 9112 5, RFC 9110 5.5): step 2 of contract section 4."""

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.remembered import remembered
from .abnf import BLANKS, CONTROL, TOKEN

CONTINUE = "100-continue"
# Control characters in these fields have the field's own code, not `bad_header` (contract section 4).
_OWN_CODE = {"host": "bad_host", "content-length": "bad_framing", "transfer-encoding": "bad_framing"}


@remembered
def split_field_line(line: str) -> tuple[str, str]:
    """The name, in lower case, and the trimmed value of a line without its CRLF.

    Raises Problem `bad_header`. A control character in Host raises `bad_host`, and one in Content-Length or
    Transfer-Encoding raises `bad_framing`.
    """
    if line.startswith((" ", "\t")):
        what = "a field line is folded or begins with a blank (H1, H2, H3)"
        raise Problem("bad_header", what, rule="H1" if line.strip(BLANKS) else "H3")
    name, colon, value = line.partition(":")
    if not colon:
        raise Problem("bad_header", f"the field line {_shown(line)!a} has no colon (H9)", rule="H9")
    if not TOKEN.fullmatch(name):
        what = f"{_shown(name)!a} is not a valid field name (H7, H8, H10, H15)"
        raise Problem("bad_header", what, rule=_which_name(name))
    name = name.lower()
    check_value(name, value)
    return name, value.strip(BLANKS)


def _shown(text: str) -> str:
    """The first word, at most 40 characters: what follows may be a value, and so a secret (H176)."""
    return text.partition(" ")[0].partition("\t")[0][:40]


def check_value(name: str, value: str) -> None:
    """Refuse control characters (H4, H6, H12, H13). Raises as `split_field_line` does."""
    control = CONTROL.search(value)
    if control is not None:
        code = _OWN_CODE.get(name, "bad_header")
        what = f"the value of {name} has the control character {ord(control[0]):#04x}"
        raise Problem(code, what, rule="H12" if control[0] == "\0" else "H13", field=name)


def _which_name(name: str) -> str:
    """The rule about a name that is not a token."""
    if not name:
        return "H10"
    token = TOKEN.match(name)
    rest = name if token is None else name[token.end() :]
    if rest[0] not in BLANKS:
        return "H15"
    if rest.strip(BLANKS):
        return "H9"
    return "H8" if name.strip(BLANKS).lower() == "content-length" else "H7"


def check_size(size: int, limits: Limits) -> None:
    """Check the size in bytes of a line with its CRLF. Raises Problem `headers_too_large` (H30)."""
    if size > limits.max_field_line:
        what = f"a field line has more than {limits.max_field_line} bytes"
        raise Problem("headers_too_large", what, rule="H30")


def check_expect(value: str) -> None:
    """Raise Problem `expectation_failed` for all but 100-continue (H35). Do not call it for HTTP/1.0."""
    if value.lower() != CONTINUE:
        what = f"cannot fulfil {value[:40]!a}, only {CONTINUE}"
        raise Problem("expectation_failed", what, rule="H35", field="expect")


def is_dropped(name: str) -> bool:
    """Whether a name has a `_`. WSGI cannot distinguish it from a name with `-` (H17, H18)."""
    return "_" in name
