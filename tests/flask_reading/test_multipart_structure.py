"""Delimiters, preamble, epilogue and the end of a body: rules M13 to M36, in every cut (M89)."""

import pytest

from servers.contract.limits import Limits
from servers.contract.request import PartData
from servers.flask_reading.multipart import StrictMultipart
from tests.flask_reading.bodies import DISPOSITION, Part, cuts, one_part, parts

A = DISPOSITION
V: list[Part] = [("a", None, b"v")]
PART = b"--b\r\n" + A + b"\r\n\r\nv"

ACCEPTED: dict[str, tuple[bytes, list[Part]]] = {
    "plain": (PART + b"\r\n--b--\r\n", V),
    "two parts": (PART + b"\r\n" + PART + b"\r\n--b--\r\n", V + V),
    "preamble, M13": (b"hello\r\n" + PART + b"\r\n--b--", V),
    "leading CRLF, M14": (b"\r\n" + PART + b"\r\n--b--", V),
    "several leading CRLF": (b"\r\n\r\n\r\n" + PART + b"\r\n--b--", V),
    "epilogue, M16": (PART + b"\r\n--b--\r\nbye --c --", V),
    "no CRLF at the end, M18": (PART + b"\r\n--b--", V),
    "junk after the close delimiter, M18": (PART + b"\r\n--b--junk", V),
    "only the close delimiter, M22": (b"--b--", []),
    "only CRLF and the close delimiter, M22": (b"\r\n--b--\r\n", []),
    "LF before a delimiter is data, M27": (PART + b"\n--b\r\nw\r\n--b--", [("a", None, b"v\n--b\r\nw")]),
    "a boundary as prefix is data, M29": (PART + b"\r\n--bX\r\n--b--", [("a", None, b"v\r\n--bX")]),
    "one dash is data, M29": (PART + b"\r\n--b-\r\n--b--", [("a", None, b"v\r\n--b-")]),
    "junk after the boundary is data, M29": (PART + b"\r\n--b x\r\n--b--", [("a", None, b"v\r\n--b x")]),
    "padding, M30": (b"--b \t\r\n" + A + b"\r\n\r\nv\r\n--b--", V),
    "64 blanks, M30": (b"--b" + b" " * 64 + b"\r\n" + A + b"\r\n\r\nv\r\n--b--", V),
    "65 blanks in data, M30": (
        PART + b"\r\n--b" + b" " * 65 + b"\r\n--b--",
        [("a", None, b"v\r\n--b" + b" " * 65)],
    ),
    "data of line ends, M32": (PART[:-1] + b"\r\n\r\r\n\n\r\r\n--b--", [("a", None, b"\r\n\r\r\n\n\r")]),
    "empty value, M33": (PART[:-1] + b"\r\n--b--", [("a", None, b"")]),
    "shared CRLF, M34": (b"--b\r\n" + A + b"\r\n\r\n--b--", [("a", None, b"")]),
    "shared CRLF, then a part, M34": (
        b"--b\r\n" + A + b"\r\n\r\n" + PART + b"\r\n--b--",
        [("a", None, b""), *V],
    ),
}
REFUSED: dict[str, tuple[bytes, str]] = {
    "boundary in the preamble, M15": (b"junk" + PART + b"\r\n--b--", "multipart_preamble"),
    "LF before the first delimiter, M24": (b"junk\n" + PART + b"\r\n--b--", "multipart_preamble"),
    "junk after the first boundary, M31": (b"--b junk\r\n" + A + b"\r\n\r\nv\r\n--b--", "multipart_preamble"),
    "65 blanks after the first boundary, M30": (b"--b" + b" " * 65 + b"\r\n", "multipart_preamble"),
    "line feeds alone, M24": (b"--b\nX: y\n\nv\n--b--\n", "multipart_preamble"),
    "carriage returns alone, M25": (b"--b\rX: y\r\rv\r--b--\r", "multipart_preamble"),
    "a part in the epilogue, M17": (PART + b"\r\n--b--\r\n" + PART + b"\r\n--b--", "multipart_epilogue"),
    "the boundary at once after the end, M17": (PART + b"\r\n--b----b", "multipart_epilogue"),
    "no close delimiter, M19": (PART, "multipart_truncated"),
    "no close delimiter but CRLF, M19": (PART + b"\r\n", "multipart_truncated"),
    "ends after a delimiter, M20": (PART + b"\r\n--b\r\n", "multipart_truncated"),
    "ends after one dash, M20": (PART + b"\r\n--b-", "multipart_truncated"),
    "ends in the first boundary, M20": (b"--", "multipart_truncated"),
    "ends in the padding, M20": (b"--b  ", "multipart_truncated"),
    "ends in a header, M21": (b"--b\r\n" + A, "multipart_truncated"),
    "a delimiter in a header block, M21": (b"--b\r\n" + A + b"\r\n--b--\r\n", "multipart_truncated"),
    "CRLF only, M23": (b"\r\n", "multipart_truncated"),
    "garbage, M23": (b"garbage", "multipart_truncated"),
    "no headers, M35": (b"--b\r\n\r\nv\r\n--b--", "part_headers_missing"),
    "no headers and no end, M35": (b"--b\r\n\r\n", "part_headers_missing"),
    "a delimiter as header, M36": (b"--b\r\n--b\r\n\r\nv\r\n--b--", "part_header_syntax"),
    "LF LF ends a block, M26": (b"--b\r\n" + A + b"\n\nv\r\n--b--", "part_header_syntax"),
    "CR CR LF in a block, M71": (b"--b\r\n" + A + b"\r\r\n\r\nv\r\n--b--", "part_header_syntax"),
    "bare CR in a block, M71": (b"--b\r\nX: a\rb\r\n" + A + b"\r\n\r\nv\r\n--b--", "part_header_syntax"),
    "a malformed block before a missing end": (b"--b\r\nX\r\n\r\n", "part_header_syntax"),
}


@pytest.mark.parametrize("body, expected", ACCEPTED.values(), ids=ACCEPTED)
def test_body_is_read_alike_in_every_cut(body: bytes, expected: list[Part]) -> None:
    assert parts(body) == expected
    assert [cut for cut in cuts(body) if parts(b"", pieces=cut) != expected] == []


@pytest.mark.parametrize("body, code", REFUSED.values(), ids=REFUSED)
def test_body_is_refused_alike_in_every_cut(body: bytes, code: str) -> None:
    assert parts(body) == code
    assert [cut for cut in cuts(body) if parts(b"", pieces=cut) != code] == []


@pytest.mark.parametrize("size, expected", [(65536, V), (65537, "multipart_preamble")])
def test_preamble_has_at_most_64_kib(size: int, expected: object) -> None:
    body = b"p" * size + b"\r\n" + PART + b"\r\n--b--"
    assert parts(body) == expected
    assert parts(b"", pieces=[body[:1000], body[1000:65530], body[65530:65540], body[65540:]]) == expected


@pytest.mark.parametrize("size, expected", [(16384, V), (16385, "part_headers_too_large")])
def test_header_block_has_at_most_16_kib(size: int, expected: object) -> None:
    line = b"X: " + b"x" * (size - len(A) - len(b"\r\nX: \r\n"))
    body = one_part(A, line)
    assert len(A + line) + 4 == size
    assert parts(body) == expected
    for position in range(size - 10, size + 20):
        assert parts(b"", pieces=[body[:position], body[position:]]) == expected


def test_header_block_without_end_is_refused_when_it_is_too_large() -> None:
    assert parts(b"--b\r\nX: " + b"x" * 16384) == "part_headers_too_large"


@pytest.mark.parametrize("size", [65351, 65391, 130927, 65536, 131072])
@pytest.mark.parametrize("shift", range(-12, 13))
def test_delimiter_at_the_edge_of_a_read_leaves_the_data_exact(size: int, shift: int) -> None:
    """Werkzeug issue 3285: a read that ends within the delimiter adds a stray CR to the file."""
    data = bytes(range(256)) * (size // 256 + 1)
    body = one_part(A + b'; filename="f"', data=data[: size + shift])
    pieces = [body[position : position + 65536] for position in range(0, len(body), 65536)]
    assert parts(b"", pieces=pieces) == [("a", "f", data[: size + shift])]


def test_every_edge_within_a_long_delimiter_leaves_the_data_exact() -> None:
    boundary = b"-" * 70
    padding = b"\t" * 64
    data = b"x" * 1000 + b"\r\n--" + boundary[:-1] + b"\r"
    head = b"--" + boundary + b"\r\n" + DISPOSITION + b"\r\n\r\n"
    body = (
        head
        + data
        + b"\r\n--"
        + boundary
        + padding
        + b"\r\n"
        + DISPOSITION
        + b"\r\n\r\n\r\n--"
        + boundary
        + b"--"
    )
    expected = [("a", None, data), ("a", None, b"")]
    for position in range(len(head) + 900, len(body) + 1):
        assert parts(b"", boundary=boundary, pieces=[body[:position], body[position:]]) == expected


def test_nothing_but_a_begun_delimiter_is_held_back() -> None:
    parser = StrictMultipart(b"b", Limits())
    list(parser.feed(b"--b\r\n" + A + b"\r\n\r\n"))
    seen = b"".join(
        bytes(event.data) for event in parser.feed(b"x" * 70000 + b"\r\n--b") if isinstance(event, PartData)
    )
    assert seen == b"x" * 70000
