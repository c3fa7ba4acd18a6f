"""multipart/form-data: delimiters, preamble, epilogue, header blocks, data (rules M13 to M36, M73, M89)."""

import dataclasses
import itertools
from collections.abc import Iterable

import pytest

from servers.contract.limits import Limits
from servers.contract.parsers import Parsers
from servers.contract.problems import Problem
from servers.contract.request import PartData
from tests.both_parsers.forms import ACCEPTED, BLOCK, END, HEAD, HEADER, REFUSED, block_of
from tests.parsers import BOTH_PARSERS, LIMITS, Part, parse_form
from tests.sansio.splits import SEGMENT, by_size, bytewise, two_way


def _parse(
    parsers: Parsers, pieces: Iterable[bytes], boundary: bytes = b"b", limits: Limits = LIMITS
) -> tuple[list[Part], str | None]:
    content_type = f'multipart/form-data; boundary="{boundary.decode()}"'
    return parse_form(parsers, content_type, pieces, limits)


def _values(parsers: Parsers, pieces: Iterable[bytes], boundary: bytes = b"b") -> list[bytes]:
    """The data of each part. All parts have the name `a` and no file name."""
    parts, problem = _parse(parsers, pieces, boundary)
    assert problem is None
    assert all((part.head.name, part.head.filename) == ("a", None) for part in parts)
    return [part.data for part in parts]


@BOTH_PARSERS
@pytest.mark.parametrize(("body", "data"), [pytest.param(*case, id=name) for name, *case in ACCEPTED])
def test_the_data_of_the_parts(parsers: Parsers, body: bytes, data: list[bytes]) -> None:
    assert _values(parsers, [body]) == data


@BOTH_PARSERS
@pytest.mark.parametrize(("body", "code"), [pytest.param(*case, id=name) for name, *case in REFUSED])
def test_a_malformed_body_is_refused(parsers: Parsers, body: bytes, code: str) -> None:
    assert _parse(parsers, [body])[1] == code


@BOTH_PARSERS
@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body, _ in (*ACCEPTED, *REFUSED)])
def test_the_result_does_not_depend_on_the_split(parsers: Parsers, body: bytes) -> None:
    """M89: every split in two of a short body, splits near the limits in a long one, and single bytes."""
    whole = _parse(parsers, [body])
    if len(body) <= 4096:
        for pieces in (*two_way(body), by_size(body, 3)):
            assert _parse(parsers, pieces) == whole, pieces
    else:
        near = {*range(1, 40), *range(len(body) - 60, len(body)), *range(BLOCK - 80, BLOCK + 80)}
        for at in near:
            assert _parse(parsers, [body[:at], body[at:]]) == whole, at
    if len(body) <= 20_000:
        assert _parse(parsers, bytewise(body)) == whole


@BOTH_PARSERS
def test_the_data_before_a_fault_come_first(parsers: Parsers) -> None:
    """M89: a limit on the data is judged before the fault behind them, for every split."""
    body = HEAD + b"v" * 9 + b"\r\n--b--junk"
    for pieces in ([body], bytewise(body), *two_way(body)):
        parser = parsers.multipart(parsers.content_type("multipart/form-data; boundary=b"), LIMITS)
        data = bytearray()
        with pytest.raises(Problem):
            for piece in pieces:
                for event in parser.feed(piece):
                    data += event.data if isinstance(event, PartData) else b""
        assert data == b"v" * 9, pieces


@BOTH_PARSERS
@pytest.mark.parametrize("boundary", [b"-", b"--", b"x" * 70, b"a b", b"'()+_,-./:=?", b"--b--", b"*****"])
def test_any_boundary_for_every_split(parsers: Parsers, boundary: bytes) -> None:
    """M1, M6, also a boundary that looks like the end of a close delimiter."""
    delimiter = b"--" + boundary
    # As data: the boundary without its dashes, without its last byte, and without its CRLF.
    near = b"\r\n" + boundary + b"\n" + delimiter + b"\r\n" + delimiter[:-1] + b"\r\r\n-"
    if boundary == b"-":
        near = b"v"
    body = b"".join((delimiter, b"\r\n", HEADER, b"\r\n", near, b"\r\n", delimiter, b"--\r\n"))
    for pieces in ([body], *two_way(body), bytewise(body)):
        assert _values(parsers, pieces, boundary) == [near], pieces


@BOTH_PARSERS
def test_limits_can_be_set(parsers: Parsers) -> None:
    limits = dataclasses.replace(Limits(), max_part_headers=len(HEADER))
    assert _parse(parsers, [HEAD + b"v" + END], limits=limits)[1] is None
    body = (HEAD + b"v" + END).replace(b"name=a", b"name=ab")
    assert _parse(parsers, [body], limits=limits)[1] == "part_headers_too_large"


@BOTH_PARSERS
@pytest.mark.parametrize(("size", "code"), [(16384, None), (16385, "part_headers_too_large")])
def test_the_default_limit_of_a_header_block_for_every_split(
    parsers: Parsers, size: int, code: str | None
) -> None:
    """M73: the number is written out, so that another default is noticed."""
    start = b"--b\r\n"
    body = start + block_of(size) + b"\r\nv" + END
    edge = range(len(start) + 16384 - 3, len(start) + 16384 + 5)
    for count in range(len(edge) + 1):
        for cuts in itertools.combinations(edge, count):
            pieces = [body[begin:end] for begin, end in itertools.pairwise((0, *cuts, len(body)))]
            assert _parse(parsers, pieces)[1] == code, cuts


@BOTH_PARSERS
@pytest.mark.parametrize(
    ("size", "code"), [(16385, "multipart_truncated"), (16386, "part_headers_too_large")]
)
def test_a_header_block_that_is_too_large_is_refused_before_its_end(
    parsers: Parsers, size: int, code: str
) -> None:
    """M73: the largest block and its empty line have 16386 bytes, so more of them cannot be awaited."""
    assert _parse(parsers, [b"--b\r\nX: " + b"x" * (size - 3)])[1] == code


@BOTH_PARSERS
@pytest.mark.parametrize(
    ("more_data", "tail"),
    [
        pytest.param(b"", b"\r\n--boundary--\r\n", id="close delimiter"),
        pytest.param(
            b"", b"\r\n--boundary\r\n" + HEADER + b"\r\nw\r\n--boundary--", id="delimiter and header block"
        ),
        pytest.param(
            b"", b"\r\n--boundary \t \r\n" + HEADER + b"\r\n--boundary--", id="blanks, and a shared CRLF"
        ),
        pytest.param(b"\r\n--boundarx\r\n--bounda\r", b"\r\n--boundary--", id="near-delimiters"),
    ],
)
def test_a_delimiter_at_every_offset_from_the_end_of_a_full_buffer(
    parsers: Parsers, more_data: bytes, tail: bytes
) -> None:
    """Werkzeug 3.1.9 adds a CR to the data if a read ends between the closing dashes."""
    head = b"--boundary\r\n" + HEADER + b"\r\n"
    for overlap in range(len(more_data) + len(tail) + 1):
        data = b"x" * (SEGMENT - len(head) - overlap) + more_data
        whole = _parse(parsers, [head + data + tail], b"boundary")
        assert whole[1] is None
        assert whole[0][0].data == data
        assert _parse(parsers, by_size(head + data + tail, SEGMENT), b"boundary") == whole, overlap


@BOTH_PARSERS
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11, 13, 64])
def test_reads_of_any_size(parsers: Parsers, size: int) -> None:
    values = [b"\r\n--boundarX", b"\r\n--bound", b"", b"\r", b"\r\n", b"-", b"\n--boundary--", b"--boundaryX"]
    body = b"".join(b"--boundary\r\n" + HEADER + b"\r\n" + value + b"\r\n" for value in values)
    assert _values(parsers, by_size(body + b"--boundary--", size), b"boundary") == values
