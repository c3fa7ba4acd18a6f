"""The structure of a multipart body: rules M13 to M36 and M86 to M90, in every cut."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import replace

import pytest

pytest.importorskip("python_multipart", reason="without the extra 'fastapi' its reading is NOT tested")

from tests.fastapi_reading.reading_of import LIMITS, body_of, outcome, parts_of
from tests.sansio.splits import at_random, by_size, bytewise, two_way

A = b'Content-Disposition: form-data; name="a"'
FILE = b'Content-Disposition: form-data; name="f"; filename="f.bin"\r\nContent-Type: x/y'
BLANKS = b" " * 64

ACCEPTED: dict[str, tuple[bytes, list[bytes]]] = {
    "M14-leading-crlf": (b"\r\n" + body_of(A), [b"v"]),
    "M13-preamble": (b"any\nthing\r\r\n-\r\n" + body_of(A), [b"v"]),
    "M16-epilogue": (body_of(A) + b"--c\r\nbye\n", [b"v"]),
    "M18-nothing-after-the-close": (body_of(A)[:-2], [b"v"]),
    "M18-junk-after-the-close": (body_of(A)[:-2] + b"-junk", [b"v"]),
    "M22-no-parts": (b"--b--", []),
    "M22-no-parts-after-crlf": (b"\r\n--b--\r\n", []),
    "M27-lf-before-the-boundary": (body_of(A, data=[b"v\n--b\r\n"]), [b"v\n--b\r\n"]),
    "M29-a-longer-boundary": (body_of(A, data=[b"v\r\n--bb\r\n--b."]), [b"v\r\n--bb\r\n--b."]),
    "M29-one-dash": (body_of(A, data=[b"\r\n--b-\r\n--b-"]), [b"\r\n--b-\r\n--b-"]),
    "M29-a-bare-cr-after-the-boundary": (body_of(A, data=[b"\r\n--b\rx"]), [b"\r\n--b\rx"]),
    "M30-padding": (body_of(A, A).replace(b"--b\r\n", b"--b \t\r\n"), [b"v", b"v"]),
    "M30-64-blanks": (body_of(A, A).replace(b"--b\r\n", b"--b" + BLANKS + b"\r\n"), [b"v", b"v"]),
    "M30-65-blanks-are-data": (
        body_of(A, data=[b"v\r\n--b" + BLANKS + b" \r\n"]),
        [b"v\r\n--b" + BLANKS + b" \r\n"],
    ),
    "M31-junk-after-blanks": (body_of(A, data=[b"\r\n--b x\r\n--b \t-"]), [b"\r\n--b x\r\n--b \t-"]),
    "M32-data-of-line-ends": (body_of(A, data=[b"\r\n\r\r\n\n\r"]), [b"\r\n\r\r\n\n\r"]),
    "M32-halves-of-delimiters": (body_of(A, data=[b"\r\n--\r\n-\r\n--\r\n\r"]), [b"\r\n--\r\n-\r\n--\r\n\r"]),
    "M33-empty-values": (body_of(A, A, data=[b"", b""]), [b"", b""]),
    "M34-shared-crlf": (b"--b\r\n" + A + b"\r\n\r\n--b\r\n" + A + b"\r\n\r\n--b--", [b"", b""]),
    "M34-a-lookalike-behind-the-headers": (b"--b\r\n" + A + b"\r\n\r\n--bx\r\n--b--", [b"--bx"]),
    "M36-delimiters-share-no-crlf": (
        body_of(A, data=[b"v\r\n--b"]).replace(b"--b\r\n--b--", b"--b--"),
        [b"v"],
    ),
}
REFUSED: dict[str, tuple[bytes, str]] = {
    "M15-no-crlf-before": (b"junk" + body_of(A), "multipart_preamble"),
    "M24-lf-before": (b"junk\n" + body_of(A), "multipart_preamble"),
    "M30-65-blanks-at-first": (
        body_of(A).replace(b"--b\r\n", b"--b " + BLANKS + b"\r\n"),
        "multipart_preamble",
    ),
    "M31-junk-at-first": (b"--b junk\r\n" + A + b"\r\n\r\nv\r\n--b--", "multipart_preamble"),
    "M13-the-boundary-in-the-preamble": (b"x\r\n--bc\r\n" + body_of(A), "multipart_preamble"),
    "M17-a-part-after-the-close": (body_of(A) + body_of(A), "multipart_epilogue"),
    "M17-the-boundary-inside-the-epilogue": (body_of(A) + b"x--by", "multipart_epilogue"),
    "M19-no-close-delimiter": (body_of(A).replace(b"--b--", b"--b"), "multipart_truncated"),
    "M20-ends-behind-a-delimiter": (body_of(A).replace(b"--b--\r\n", b"--b\r\n"), "multipart_truncated"),
    "M20-ends-in-the-dashes": (body_of(A)[:-3], "multipart_truncated"),
    "M20-ends-in-padding": (b"--b \t", "multipart_truncated"),
    "M21-ends-in-a-header": (b"--b\r\nContent-Dispo", "multipart_truncated"),
    "M21-ends-before-the-empty-line": (b"--b\r\n" + A + b"\r\n", "multipart_truncated"),
    "M21-a-delimiter-among-headers": (b"--b\r\n" + A + b"\r\n--b--\r\n", "multipart_truncated"),
    "M23-only-crlf": (b"\r\n", "multipart_truncated"),
    "M23-garbage": (b"a=1&b=2", "multipart_truncated"),
    "M24-line-feeds": (body_of(A).replace(b"\r", b""), "multipart_preamble"),
    "M25-carriage-returns": (body_of(A).replace(b"\n", b""), "multipart_preamble"),
    "M26-lf-ends-the-block": (body_of(A + b"\nX: y"), "part_header_syntax"),
    "M35-no-headers": (b"--b\r\n\r\nv\r\n--b--", "part_headers_missing"),
    "M36-a-delimiter-as-header": (b"--b\r\n--b\r\n\r\nv\r\n--b--", "part_header_syntax"),
    "M71-bare-cr": (body_of(A + b"\rX: y"), "part_header_syntax"),
    "M71-bare-cr-and-no-end": (b"--b\r\n" + A + b"\rx", "part_header_syntax"),
    "M71-two-crs": (body_of(A + b"\r"), "part_header_syntax"),
    "a-bad-block-before-a-missing-end": (b"--b\r\nno colon\r\n\r\n", "part_header_syntax"),
}


def in_every_cut(body: bytes) -> list[list[bytes]]:
    rng = random.Random(len(body))
    return [*two_way(body), bytewise(body), by_size(body, 3), *(at_random(body, rng) for _ in range(20))]


@pytest.mark.parametrize(("body", "values"), ACCEPTED.values(), ids=ACCEPTED)
def test_a_body_is_read_alike_in_every_cut(body: bytes, values: list[bytes]) -> None:
    whole = parts_of([body])
    assert [part.data for part in whole] == values
    assert [cut for cut in in_every_cut(body) if parts_of(cut) != whole] == []


@pytest.mark.parametrize(("body", "code"), REFUSED.values(), ids=REFUSED)
def test_a_body_is_refused_alike_in_every_cut(body: bytes, code: str) -> None:
    assert outcome(parts_of, [body]) == code
    assert [cut for cut in in_every_cut(body) if outcome(parts_of, cut) != code] == []


def test_empty_pieces_and_views_of_any_kind_change_nothing() -> None:
    body = body_of(A, FILE, data=[b"1", b"\r\n--\r\n"])
    pieces = [b"", bytearray(body[:30]), b"", memoryview(body)[30:], b""]
    assert parts_of(pieces) == parts_of([body])  # type: ignore[arg-type]


@pytest.mark.parametrize("boundary", ["-", "--", "a.b*c", "'()+_,-./:=?", "x" * 70])
def test_a_boundary_of_odd_characters_is_taken_literally(boundary: str) -> None:
    body = body_of(A, data=[b"\r\n--\r\n-"]).replace(b"--b", b"--" + boundary.encode())
    assert [part.data for part in parts_of([body], boundary)] == [b"\r\n--\r\n-"]
    assert parts_of(bytewise(body), boundary) == parts_of([body], boundary)


@pytest.mark.parametrize("extra", [b"", b"\r", b"\r\n", b"\r\n-", b"\r\n--", b"\r\n--bX"])
def test_delimiters_near_the_edges_of_reads_lose_no_byte(extra: bytes) -> None:
    """Where upstream parsers went wrong: a read that ends between the two closing dashes."""
    for size in range(65_430, 65_560, 3):
        data = b"x" * (size - len(extra)) + extra
        (part,) = parts_of(by_size(body_of(FILE, data=[data]), 65_536))
        assert part.data == data


def test_a_preamble_has_a_limit() -> None:
    limits = replace(LIMITS, max_preamble=100)
    assert parts_of([b"p" * 100 + b"\r\n" + body_of(A)], limits=limits)
    for cut in ([b"p" * 101 + b"\r\n" + body_of(A)], bytewise(b"p" * 101 + b"\r\n" + body_of(A))):
        assert outcome(parts_of, cut, limits=limits) == "multipart_preamble"


def test_a_header_block_has_a_limit_in_bytes_and_one_in_fields() -> None:
    block = A + b"\r\nX: "
    limits = replace(LIMITS, max_part_headers=200, max_part_fields=4)
    fits = body_of(block + b"x" * (200 - len(block) - 2))
    assert parts_of([fits], limits=limits) == parts_of(bytewise(fits), limits=limits)
    for body in (body_of(block + b"x" * (201 - len(block) - 2)), b"--b\r\n" + block + b"x" * 300):
        for cut in ([body], bytewise(body)):
            assert outcome(parts_of, cut, limits=limits) == "part_headers_too_large"
    assert parts_of([body_of(A + b"\r\nX: y" * 3 + b"\r\n folded")], limits=limits)
    five = body_of(A + b"\r\nX: y" * 4)
    assert outcome(parts_of, [five], limits=limits) == "part_headers_too_large"


def test_a_bare_line_end_within_the_limit_goes_before_the_limit() -> None:
    limits = replace(LIMITS, max_part_headers=100)
    for position, code in ((99, "part_header_syntax"), (100, "part_headers_too_large")):
        body = b"--b\r\nX:" + b"x" * (position - 2) + b"\nrest"
        for cut in ([body], bytewise(body)):
            assert outcome(parts_of, cut, limits=limits) == code


def test_data_full_of_lookalikes_take_no_time_for_each() -> None:
    data = b"\r\n--bX" * 200_000
    began = time.process_time()
    (part,) = parts_of(by_size(body_of(FILE, data=[data]), 65_536))
    assert part.data == data
    assert time.process_time() - began < 2


def test_a_refused_body_leaves_no_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert outcome(parts_of, [body_of(b"no colon")]) == "part_header_syntax"
    assert caplog.records == []
