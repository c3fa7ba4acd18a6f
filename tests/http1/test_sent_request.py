"""Which bytes are whole requests: a server has nothing to wait for after them."""

import pytest

from clients.comparison.cases import load_cases
from clients.http1.sent_request import is_whole, requests_in

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        GET,
        GET + GET,
        b"PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab",
        CHUNKED + b"2\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"2;x=y\r\nab\r\n0\r\n\r\n" + GET,
        CHUNKED + b"0\r\nA: b\r\nC: d\r\n\r\n" + GET,
    ],
)
def test_whole_requests(data: bytes) -> None:
    assert is_whole(data)
    assert b"".join(request.wire for request in requests_in(data)) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GET[:-1],
        GET + GET[:5],
        b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab",
        b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        CHUNKED + b"2\r\nab\r\n",
        CHUNKED + b"3\r\nab",
        CHUNKED + b"-1\r\n\r\n",
        CHUNKED + b"0\r\n",
        CHUNKED + b"0\r\nA: b\r\n",
        CHUNKED + b"x\r\n",
    ],
)
def test_what_a_server_would_wait_for_more_of(data: bytes) -> None:
    assert not is_whole(data)


def test_most_recorded_requests_are_whole_and_those_of_a_body_that_is_cut_are_not() -> None:
    cases = load_cases()
    assert sum(is_whole(case.request) for case in cases) > 0.7 * len(cases)
    cut = [case for case in cases if any(one.code == "body_truncated" for one in case.expect.responses)]
    assert len(cut) > 20
    assert not [case.name for case in cut if is_whole(case.request)]
