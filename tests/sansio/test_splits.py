"""How the bytes were cut into reads changes nothing (M89): 64 KiB edges and every recorded request."""

import random

import pytest

from clients.comparison.cases import load_cases
from tests.sansio.splits import SEGMENT, at_random, by_size, bytewise
from tests.sansio.transcripts import read_form, read_requests

_RECORDED = load_cases()
_BYTEWISE = 20_000
_H = b"Content-Disposition: form-data; name=a\r\n\r\n"


@pytest.mark.parametrize(
    ("more_data", "tail"),
    [
        pytest.param(b"", b"\r\n--boundary--\r\n", id="close delimiter"),
        pytest.param(b"", b"\r\n--boundary\r\n" + _H + b"w\r\n--boundary--", id="delimiter and header block"),
        pytest.param(b"", b"\r\n--boundary \t \r\n" + _H + b"--boundary--", id="blanks, and a shared CRLF"),
        pytest.param(b"\r\n--boundarx\r\n--bounda\r", b"\r\n--boundary--", id="near-delimiters"),
    ],
)
def test_a_delimiter_at_every_offset_from_the_edge_of_a_full_buffer(more_data: bytes, tail: bytes) -> None:
    """Werkzeug 3.1.9 adds a CR where a read ends between the closing dashes: here one ends everywhere."""
    head = b"--boundary\r\n" + _H
    for overlap in range(len(more_data) + len(tail) + 1):
        data = b"x" * (SEGMENT - len(head) - overlap) + more_data
        whole = read_form([head + data + tail], b"boundary")
        assert whole.problem is None
        assert whole.parts[0].data == data
        assert read_form(by_size(head + data + tail, SEGMENT), b"boundary") == whole, overlap


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11, 13, 64])
def test_reads_of_any_size(size: int) -> None:
    values = [b"\r\n--boundarX", b"\r\n--bound", b"", b"\r", b"\r\n", b"-", b"\n--boundary--", b"--boundaryX"]
    body = b"".join(b"--boundary\r\n" + _H + value + b"\r\n" for value in values) + b"--boundary--"
    form = read_form(by_size(body, size), b"boundary")
    assert form.values() == [("a", None, value) for value in values]


def test_recorded_requests_are_there() -> None:
    assert len(_RECORDED) > 500


@pytest.mark.parametrize("batch", range(8))
def test_no_cut_shows_in_a_recorded_request(batch: int) -> None:
    """Whole, one byte a read, in seeded random pieces: the same heads, bodies and problem."""
    for case in _RECORDED[batch::8]:
        data = case.request
        whole = read_requests([data])
        rng = random.Random(case.name)
        for _ in range(3):
            pieces = at_random(data, rng)
            assert read_requests(pieces) == whole, (case.name, [len(piece) for piece in pieces])
        if len(data) <= _BYTEWISE:
            assert read_requests(bytewise(data)) == whole, case.name
        else:
            assert read_requests(by_size(data, 1021)) == whole, case.name
