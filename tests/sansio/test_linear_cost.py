"""The cost of parsing grows linearly with the number of bytes, also for hostile input.

Function calls are counted and CPU time is measured. python-multipart, Werkzeug and others once searched again
from the start after each read, and needed a release to mend it.
"""

import dataclasses
import gc
import sys
import time
from collections.abc import Callable, Iterable
from types import FrameType

import pytest

from servers.contract.json_reader import read_json
from servers.contract.limits import MIB, Limits
from servers.contract.problems import Problem
from servers.flask_reading.conflicting_names import names_conflict
from servers.sansio.cookies import parse_cookies
from servers.sansio.derived_names import is_derived
from servers.sansio.disposition import parse_disposition
from servers.sansio.media_types import parse_media_type
from servers.sansio.multipart import FormDataParser
from servers.sansio.target import decode_target
from servers.sansio.urlencoded import parse_pairs
from tests.sansio.splits import SEGMENT, by_size, bytewise
from tests.sansio.transcripts import read_requests

_WIDE = dataclasses.replace(Limits(), max_fields=10**6, max_part_headers=2**30, max_part_fields=10**6)
_H = b"--boundary\r\nContent-Disposition: form-data; name=a\r\n\r\n"
_HEAD = b"GET / HTTP/1.1\r\nHost: h\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_ATTEMPTS = 40


def _read_form(pieces: Iterable[bytes], boundary: bytes = b"b", limits: Limits | None = None) -> None:
    parser = FormDataParser(boundary, limits or Limits())
    try:
        for piece in pieces:
            for _ in parser.feed(piece):
                pass
        for _ in parser.finish():
            pass
    except Problem:
        return


def _form(unit: bytes) -> Callable[[int], object]:
    """A part with `unit` repeated as its data, in full buffers."""
    return lambda size: _read_form(by_size(_H + unit * (size // len(unit)), SEGMENT), b"boundary", _WIDE)


def _refused(parse: Callable[[], object]) -> None:
    try:
        parse()
    except Problem:
        return


# A name, the number of bytes, and the work for a given number of bytes.
_WORK: list[tuple[str, int, Callable[[int], object]]] = [
    ("nearly a boundary", MIB, _form(b"\r\n--bounda")),
    ("longer boundaries", MIB, _form(b"\r\n--boundaryX")),
    ("too many blanks after boundaries", MIB, _form(b"\r\n--boundary" + b" " * 65)),
    ("boundaries with one dash", MIB, _form(b"\r\n--boundary-x")),
    ("CR", MIB, _form(b"\r")),
    ("CRLF", MIB, _form(b"\r\n")),
    ("LF", MIB, _form(b"\n")),
    ("plain data", 2 * MIB, _form(b"x")),
    (
        "empty parts",
        128 * 1024,
        lambda n: _read_form(by_size(_H * (n // len(_H)), SEGMENT), b"boundary", _WIDE),
    ),
    (
        "data byte by byte",
        16 * 1024,
        lambda n: _read_form(bytewise(_H + b"\r\n--bounda" * (n // 10)), b"boundary"),
    ),
    (
        "an epilogue",
        MIB,
        lambda n: _read_form(by_size(b"--boundary--" + b"\r\n--bounda" * (n // 10), SEGMENT), b"boundary"),
    ),
    (
        "a header block byte by byte",
        4 * 1024,
        lambda n: _read_form(bytewise(b"--b\r\n" + b"X: 1234567890\r\n" * (n // 15))),
    ),
    ("a long header block", MIB, lambda n: _read_form(by_size(b"--b\r\nX: " + b"x" * n, 4096), b"b", _WIDE)),
    (
        "a head byte by byte",
        4 * 1024,
        lambda n: read_requests(bytewise(_HEAD + b"X: 1234567890\r\n" * (n // 15))),
    ),
    (
        "a head",
        MIB // 4,
        lambda n: read_requests([_HEAD + b"X: 1234567890\r\n" * (n // 15) + b"\r\n"], _WIDE),
    ),
    ("small chunks", 64 * 1024, lambda n: read_requests([_CHUNKED + b"1\r\nx\r\n" * (n // 6)])),
    (
        "a body byte by byte",
        16 * 1024,
        lambda n: read_requests([_CHUNKED + b"%x\r\n" % n, *bytewise(b"x" * n)]),
    ),
    ("small requests", 64 * 1024, lambda n: read_requests([(_HEAD + b"\r\n") * (n // 27)])),
    ("pairs", 128 * 1024, lambda n: parse_pairs(b"a=b&" * (n // 4), "utf-8")),
    ("percent signs", 256 * 1024, lambda n: parse_pairs(b"%" * n, "utf-8")),
    ("escapes", 256 * 1024, lambda n: parse_pairs(b"%41" * (n // 3), "utf-8")),
    ("ampersands", MIB, lambda n: parse_pairs(b"&" * n, "utf-8")),
    ("a path of slashes", MIB, lambda n: decode_target(b"/" * n)),
    ("a path of escapes", 256 * 1024, lambda n: decode_target(b"/" + b"%2F" * (n // 3))),
    ("cookies", 32 * 1024, lambda n: parse_cookies("a=1;" * (n // 4))),
    ("semicolons of a media type", 32 * 1024, lambda n: parse_media_type("a/b" + ";" * n)),
    (
        "blanks of a media type",
        32 * 1024,
        lambda n: _refused(lambda: parse_media_type("a/b" + " " * n + "x")),
    ),
    (
        "an open quote",
        32 * 1024,
        lambda n: _refused(lambda: parse_media_type('a/b; c="' + "\\a" * (n // 2))),
    ),
    (
        "an open quote of a disposition",
        32 * 1024,
        lambda n: _refused(lambda: parse_disposition(b'form-data; name="' + b"\\\\\\a" * (n // 4))),
    ),
    (
        "semicolons of a disposition",
        32 * 1024,
        lambda n: _refused(lambda: parse_disposition(b"form-data" + b";" * n)),
    ),
    (
        "blanks of a disposition",
        32 * 1024,
        lambda n: _refused(lambda: parse_disposition(b"form-data; name=a" + b" " * n + b"x")),
    ),
    ("two names of underscores", 32 * 1024, lambda n: is_derived("_" * n, "_" * n + "\xe9")),
    (
        "two names of other characters",
        32 * 1024,
        lambda n: is_derived("\xe9?" * (n // 2), "\xe9-" * (n // 2)),
    ),
    ("names of underscores on Flask", 32 * 1024, lambda n: names_conflict("_" * n, "_" * n + "\xe9")),
    ("names on Flask", 32 * 1024, lambda n: names_conflict("\xe9?" * (n // 2), "\xe9-" * (n // 2))),
    ("brackets in JSON", MIB // 4, lambda n: _refused(lambda: read_json(b"[" * n, 64))),
    ("closed brackets in JSON", MIB // 4, lambda n: read_json(b"[" + b"[]," * (n // 3) + b"1]", 64)),
    (
        "open strings in JSON",
        MIB // 4,
        lambda n: _refused(lambda: read_json(b"[" * 65 + b'"\\' * (n // 2), 64)),
    ),
    (
        "escapes in JSON",
        MIB // 4,
        lambda n: read_json(b'["' + b"\\\\" * (n // 2) + b'"' + b",[]" * 70 + b"]", 64),
    ),
]


def _calls(work: Callable[[int], object], size: int) -> int:
    """How many calls of Python and C functions the work makes."""
    count = 0

    def count_call(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    gc.disable()  # its callbacks, such as those of hypothesis, would be counted
    sys.setprofile(count_call)
    try:
        work(size)
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def _cpu_seconds(work: Callable[[int], object], size: int) -> float:
    gc.disable()  # its cost depends on objects of other tests
    begin = time.process_time()
    try:
        work(size)
        return time.process_time() - begin
    finally:
        gc.enable()


_CASES = [pytest.param(size, work, id=name) for name, size, work in _WORK]


@pytest.mark.parametrize(("size", "work"), _CASES)
def test_calls_grow_linearly(size: int, work: Callable[[int], object]) -> None:
    once, twice = (_calls(work, part) for part in (size // 8, size // 4))
    assert twice <= 2.1 * once + 50


@pytest.mark.parametrize(("size", "work"), _CASES)
def test_cpu_time_grows_linearly(size: int, work: Callable[[int], object]) -> None:
    """For eight times the bytes, quadratic work takes sixty-four times as long.

    The bound is 24 times, since memory that is used for the first time costs extra. The fastest run counts,
    because noise only adds time. The measurement is repeated while the two times are too far apart.
    """
    small = large = float("inf")
    for _ in range(_ATTEMPTS):
        small = min(small, _cpu_seconds(work, size // 4))
        large = min(large, _cpu_seconds(work, size * 2))
        if large <= 8 * 3 * small:
            return
    raise AssertionError(
        f"{size // 4} bytes take {small * 1e3:.1f} ms, eight times as many {large * 1e3:.1f} ms"
    )
