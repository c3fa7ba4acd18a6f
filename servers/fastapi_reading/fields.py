"""Field lines (RFC 9110 5) in order of arrival: step 2 of the order of judgement."""

from collections.abc import Iterable
from typing import NamedTuple

from ..contract.limits import Limits
from ..contract.problems import Problem
from .characters import OWS, TCHARS, consists_of, controls

Values = dict[str, list[bytes]]
"""The trimmed values of each name, in lower case, in order of arrival."""

_CONTROL_CODES = {"host": "bad_host", "content-length": "bad_framing", "transfer-encoding": "bad_framing"}


class FieldLine(NamedTuple):
    """A field line as far as it could be split; `size` is in bytes, with the CRLF."""

    name: bytes
    value: bytes
    size: int


def judge_fields(
    lines: Iterable[FieldLine], limits: Limits, *, at_most: int, heeds_expect: bool = False
) -> Values:
    """Raises Problem `bad_header`, `bad_host`, `bad_framing`, `headers_too_large`, `expectation_failed`."""
    values: Values = {}
    kept = 0
    for line in lines:
        if kept >= at_most:
            raise Problem("headers_too_large", f"there are more than {at_most} fields (H29)")
        name = _judge_line(line, limits)
        if "_" in name:
            continue  # where CGI names are made, it would pass for the name with "-" (H17, H18)
        kept += 1
        value = line.value.strip(OWS)
        if name == "expect" and heeds_expect and value.lower() != b"100-continue":
            raise Problem("expectation_failed", f"{value[:40]!r} is no known expectation (H35)")
        if name == "content-type" and name in values:
            raise Problem("bad_header", "Content-Type is repeated (H22)")
        values.setdefault(name, []).append(value)
    return values


def _judge_line(line: FieldLine, limits: Limits) -> str:
    """The name in lower case; the line is judged even if it is dropped later."""
    if line.name == b"" or not consists_of(line.name, TCHARS):
        raise Problem("bad_header", f"{line.name[:40]!r} is no field name (H7 to H10, H15)")
    name = line.name.lower().decode("ascii")
    if found := controls(line.value, but=b"\t"):
        code = _CONTROL_CODES.get(name, "bad_header")
        raise Problem(code, f"the control character {found[0]:#04x} in the value of {name} (H12, H13)")
    if line.size > limits.max_field_line:
        raise Problem("headers_too_large", f"{name} takes {line.size} bytes (H30)")
    return name
