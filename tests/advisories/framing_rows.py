"""Where a body ends: Content-Length, Transfer-Encoding, chunks and trailers (H002 to H029)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from functools import partial

from tests.advisories.assertions import Accepted, Bounded, CutOff, Linear, Rejected
from tests.advisories.attacks import Attack
from tests.advisories.measures import MIB
from tests.advisories.messages import OPAQUE, chunked, chunks, file, form, multipart, post, segments, sized

_CL = b"Content-Length: "
_TE = b"Transfer-Encoding: "
_SIZED = sized(b"/upload/", b"AAAAA", OPAQUE)
_CHUNKED = chunked(chunks(b"AAAAA"))
_LAST = b"0\r\n\r\n"


def _lines(row: str, name: str, *lines: bytes, tier: int = 1, status: int = 400, code: str = "") -> Attack:
    """Framing fields that are refused; the body would be five bytes, or one chunk of them."""
    is_chunked = any(b"chunked" in line.lower() for line in lines)
    body = chunks(b"AAAAA") if is_chunked else b"AAAAA"
    request = post(b"/upload/", OPAQUE, *lines, body=body)
    twin = _CHUNKED if is_chunked else _SIZED
    return Attack(row, name, Rejected(request, status, code or "bad_framing", twin), tier)


def _coding(row: str, name: str, value: bytes, tier: int = 1) -> Attack:
    return _lines(row, name, _TE + value, tier=tier)


def _lengths() -> Iterable[Attack]:
    yield _lines("H004", "different", _CL + b"6", _CL + b"0", tier=2)
    yield _lines("H004", "equal", _CL + b"5", _CL + b"5", tier=2)
    yield _lines("H004", "list", _CL + b"5, 5")
    values = {
        "plus": b"+10",
        "minus": b"-1",
        "minus-zero": b"-0",
        "underscore": b"1_0",
        "blank": b" 1 0",
        "hex": b"0x0a",
        "arabic": "٣".encode(),
    }
    for name, value in values.items():
        yield _lines("H005", f"length-{name}", _CL + value)
    good = form(file(b"f", b"a", b"x"))
    negative = re.sub(rb"Content-Length: [0-9]+", _CL + b"-1", good)
    yield Attack("H005", "length-of-a-form-minus", Rejected(negative, 400, "bad_framing", good), tier=1)
    for byte in (0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x1F, 0x85, 0xA0):
        yield _lines("H037", f"length-before-{byte:02x}", b"%s%c5" % (_CL, byte))
        yield _lines("H037", f"length-after-{byte:02x}", b"%s5%c" % (_CL, byte))
        yield _coding("H037", f"coding-before-{byte:02x}", b"%cchunked" % byte)
        yield _coding("H037", f"coding-after-{byte:02x}", b"chunked%c" % byte)
    yield _lines("H027", "empty", b"Content-Length:")
    yield _lines("H027", "empty-then-five", b"Content-Length:", _CL + b"5", tier=2)
    yield _lines("H029", "over-64-bit", _CL + b"9" * 20, status=413, code="body_too_large")
    yield _lines("H029", "just-over-64-bit", _CL + b"18446744073709551621", status=413, code="body_too_large")


def _codings() -> Iterable[Attack]:
    yield _lines("H002", "with-length", _TE + b"gzip, chunked", _CL + b"5")
    coded = _lines("H002", "alone", _TE + b"gzip, chunked", status=501, code="unsupported_transfer_coding")
    yield coded
    yield _coding("H003", "vertical-tab", b"\x0bchunked")
    yield _lines("H011", "then-identity", _TE + b"chunked", _TE + b"identity", tier=2)
    yield _coding("H011", "not-last", b"chunked, gzip")
    yield _lines("H012", "unknown", _TE + b"xchunked", _CL + b"5")
    yield _lines("H012", "unknown-alone", _TE + b"xchunked")
    yield _lines("H012", "empty", b"Transfer-Encoding:", _CL + b"5", tier=2)
    yield _lines("H012", "empty-element", _TE + b",chunked")
    yield _coding("H013", "gzip", b"gzip")
    yield _coding("H013", "identity", b"identity")
    yield _lines("H014", "coding-first", _TE + b"chunked", _CL + b"5")
    yield _lines("H014", "length-first", _CL + b"5", _TE + b"chunked")
    yield _lines("H014", "length-zero", _CL + b"0", _TE + b"chunked")
    yield _lines("H015", "two-lines", _TE + b"chunked", _TE + b"chunked", tier=2)
    old = _CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0")
    yield Attack("H016", "chunked-in-1.0", Rejected(old, 400, "bad_framing", _CHUNKED), tier=1)
    yield _coding("H035", "kelvin-sign", "chun\u212aed".encode())


def _bad(row: str, name: str, wire: bytes, code: str = "bad_chunk", status: int = 400) -> Attack:
    """A chunked body that is refused."""
    return Attack(row, name, Rejected(chunked(wire), status, code, _CHUNKED))


def _chunk_lines() -> Iterable[Attack]:
    for name, size in (("plus", b"+1"), ("hex", b"0x01"), ("underscore", b"1_0"), ("minus", b"-1")):
        yield _bad("H005", f"chunk-{name}", size + b"\r\nA\r\n" + _LAST)
    yield _bad("H006", "nul-in-name", b"5;\x00=1\r\nAAAAA\r\n" + _LAST)
    yield _bad("H006", "control-in-name", b"5;a\x01\r\nAAAAA\r\n" + _LAST)
    yield _bad("H017", "unchecked-terminator", b"5\r\nAAAAAXX2\r\n45\r\n0\r\n\r\n")
    yield _bad("H018", "bare-lf", b"5\nAAAAA\r\n" + _LAST)
    yield _bad("H019", "crlf-in-quotes", b'1;ext="val\r\nX\r\n0\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n')
    yield _bad("H020", "lf-in-extension", b"5;a\nb\r\nAAAAA\r\n" + _LAST)
    yield _bad("H021", "long-extension", b"1;" + b"e" * 4096 + b"\r\nA\r\n" + _LAST)
    yield Attack("H021", "stream", Bounded(_extended, 16, 400, "bad_chunk", most=12 * MIB))
    legal = b"5;" + b"e" * 200 + b'=" \\" "\r\nAAAAA\r\n' + _LAST
    yield Attack("H021", "legal-extension", Accepted(chunked(legal), {"body": {"size": 5}}))
    yield Attack("H021", "cost", Linear(_with_extensions, 500, repeat=2), variant="memory")
    yield _bad("H028", "wraps", b"FFFFFFFFFFFFFFED\r\nA", "body_too_large", 413)
    yield _bad("H028", "40-digits", b"F" * 40 + b"\r\nA")
    yield _bad("H028", "zeros", b"0" * 5000 + b"5\r\nAAAAA\r\n" + _LAST)
    yield _bad("H033", "chunk", b"5\rXAAAAA\r\n" + _LAST)


def _extended() -> Iterable[bytes]:
    return _Stream(chunked(b""), (b"1;" + b"e" * 4096 + b"\r\nA\r\n") * 16)()


def _with_extensions(count: int) -> bytes:
    return chunked((b"1;" + b"e" * 200 + b"\r\nA\r\n") * count + _LAST)


def _floods() -> Iterable[Attack]:
    yield Attack("H022", "size-line", Bounded(_endless(b""), 16, 400, "bad_chunk", most=12 * MIB))
    trailer = _endless(b"0\r\nX: ")
    yield Attack("H022", "trailer-line", Bounded(trailer, 16, 400, "bad_chunk", most=12 * MIB))
    slow = Linear(lambda n: chunked(b"A" * n), 1000, repeat=10, status=400)
    yield Attack("H022", "cost", slow, variant="memory")
    yield Attack("H023", "cost", Linear(_single_bytes, 16_000), variant="memory")
    crossing = Linear(_eight_bytes, 8_000)  # from 62 KiB to 500 KiB: what is a large body for a server
    yield Attack("H023", "cost-large", crossing, variant="memory")
    near = {"data": b"x", "crlf": b"\r\n", "near-delimiters": b"\r\n--B-"}
    for name, data in near.items():
        cost = Linear(partial(_small_chunks, data), 24_000)
        yield Attack("H023", f"cost-multipart-{name}", cost, variant="memory")
    mib = Accepted(lambda: _single_bytes(MIB), {"body": {"size": MIB}})
    yield Attack("H023", "mib", mib, variant="memory", soak=True)
    tenth = Accepted(lambda: _single_bytes(100_000), {"body": {"size": 100_000}})
    yield Attack("H023", "100-kb", tenth, variant="memory")
    yield Attack("H024", "stream", Bounded(_endless_trailers, 16, 400, "bad_chunk", most=12 * MIB))
    yield _bad("H024", "101", b"0\r\n" + b"X: y\r\n" * 101 + b"\r\n")
    full = chunked(b"5\r\nAAAAA\r\n0\r\n" + b"X: y\r\n" * 100 + b"\r\n")
    yield Attack("H024", "100", Accepted(full, {"body": {"size": 5}}))


def _single_bytes(count: int) -> bytes:
    return chunked(b"1\r\nA\r\n" * count + _LAST)


def _eight_bytes(count: int) -> bytes:
    return chunked(b"8\r\nAAAAAAAA\r\n" * count + _LAST)


def _small_chunks(data: bytes, size: int) -> bytes:
    """A form of one file with those data, in chunks of five bytes."""
    body = multipart(file(b"f", b"a", data * (size // len(data))))
    return chunked(chunks(*segments(body, 5)), b"/page", b"Content-Type: multipart/form-data; boundary=B")


def _endless(start: bytes) -> _Stream:
    return _Stream(chunked(start), b"A" * 1024)


def _endless_trailers() -> Iterable[bytes]:
    return _Stream(chunked(b"0\r\n"), b"X: y\r\n" * 1000)()


class _Stream:
    """A beginning, and then 16 MiB or so of the same piece."""

    def __init__(self, begin: bytes, piece: bytes) -> None:
        self._begin = begin
        self._piece = piece

    def __call__(self) -> Iterable[bytes]:
        yield self._begin
        yield from itertools.repeat(self._piece, 16 * MIB // len(self._piece))


def _ends() -> Iterable[Attack]:
    yield _bad("H025", "request-as-trailer", b"0\r\nGET /x HTTP/1.1: y\r\n\r\n")
    yield _bad("H025", "length-as-trailer", b"0\r\nContent-Length: 5\r\n\r\n")
    trailer = chunked(b"5\r\nAAAAA\r\n0\r\nX: y\r\n\r\n")
    yield Attack("H025", "legal-trailer", Accepted(trailer, {"body": {"size": 5}}))
    cut = chunked(b"5\r\nAAAAA\r\n0\r\n")
    yield Attack("H026", "last-crlf", CutOff(cut, "body_truncated", _CHUNKED), tier=1)
    yield Attack("H026", "last-chunk", CutOff(cut[:-3], "body_truncated", _CHUNKED), tier=1)
    yield Attack("H026", "length", CutOff(_SIZED[:-2], "body_truncated", _SIZED), tier=1)


FRAMING: tuple[Attack, ...] = (*_lengths(), *_codings(), *_chunk_lines(), *_floods(), *_ends())
