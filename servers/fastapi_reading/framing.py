"""Where the body ends (RFC 9112 6.3): step 3 of the order of judgement."""

from collections.abc import Mapping, Sequence

from ..contract.problems import Problem
from .characters import OWS, TCHARS, consists_of

_DIGITS = b"0123456789"
# int() refuses 4301 digits; so many are over every limit anyway (B7).
_ENOUGH_DIGITS = 20


def judge_framing(values: Mapping[str, Sequence[bytes]], *, is_http_1_0: bool) -> tuple[int | None, bool]:
    """Content-Length in bytes (None without one), and whether the body is chunked.

    Raises Problem `bad_framing` or `unsupported_transfer_coding`.
    """
    lengths = values.get("content-length", ())
    codings = values.get("transfer-encoding", ())
    if codings and lengths:
        raise Problem("bad_framing", "Content-Length and Transfer-Encoding exclude each other (B16)")
    if max(len(lengths), len(codings)) > 1:
        raise Problem("bad_framing", "a field that frames the body is repeated (B8, B9, B20)")
    if codings:
        _judge_codings(codings[0], is_http_1_0=is_http_1_0)
    return (_length(lengths[0]) if lengths else None), bool(codings)


def _length(value: bytes) -> int:
    if value == b"" or not consists_of(value, _DIGITS):
        raise Problem("bad_framing", f"Content-Length {value[:40]!r} is not 1*DIGIT (B5, B10)")
    return int(value.lstrip(b"0")[:_ENOUGH_DIGITS] or b"0")


def _judge_codings(value: bytes, *, is_http_1_0: bool) -> None:
    codings = [coding.strip(OWS) for coding in value.lower().split(b",")]
    before = codings[:-1]
    final_alone = codings[-1] == b"chunked" and b"chunked" not in before
    if is_http_1_0 or not final_alone or b"" in before or not all(consists_of(c, TCHARS) for c in before):
        raise Problem("bad_framing", f"Transfer-Encoding {value[:40]!r} does not end the body (B17 to B23)")
    if before:
        raise Problem("unsupported_transfer_coding", f"{value[:40]!r}: only chunked is decoded (B19)")
