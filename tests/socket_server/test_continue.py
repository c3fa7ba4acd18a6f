"""100 (Continue) is sent once, and only if the body is wanted (RFC 9110 10.1.1; B37 to B39)."""

import pytest

from tests.socket_server.client import request
from tests.socket_server.worker_thread import Served, serving

_EXPECT = "Expect: 100-continue"


def test_the_body_is_asked_for_once(served: Served) -> None:
    with served.client() as client:
        client.send(request("POST", "/", _EXPECT, length=6))
        while not client.continues:
            assert not client.is_silent(5)
        assert client.received == b"HTTP/1.1 100 Continue\r\n\r\n", "and nothing else is said before the body"
        client.send(b"abc")
        assert client.is_silent(0.05)
        assert client.send(b"def").response().json()["text"] == "abcdef"
        assert client.continues == 1


def test_it_is_asked_for_on_each_request(served: Served) -> None:
    with served.client() as client:
        for _ in range(3):
            client.forget().send(request("POST", "/", "Expect: 100-CONTINUE", "Transfer-Encoding: chunked"))
            while not client.continues:
                assert not client.is_silent(5)
            client.send(b"1\r\nx\r\n0\r\n\r\n")
            assert (client.response().status, client.continues) == (200, 1)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(request("POST", "/", _EXPECT, body=b"abc"), 200, id="the body is there already"),
        pytest.param(request("POST", "/", _EXPECT), 200, id="no body"),
        pytest.param(request("POST", "/", _EXPECT, length=0), 200, id="an empty body"),
        pytest.param(request("POST", "/", _EXPECT, length=10**12), 413, id="B39: too large a body"),
        pytest.param(request("POST", "/", "Expect: tea", length=3), 417, id="H35: another expectation"),
        pytest.param(request("BREW", "/", _EXPECT, length=3), 501, id="another method"),
        pytest.param(request("POST", "/files/x", _EXPECT, length=3), 405, id="a wrong method"),
        pytest.param(request("POST", "/", _EXPECT, "Content-Type: x", length=3), 400, id="a malformed type"),
        pytest.param(
            request("POST", "/", _EXPECT, "Content-Type: multipart/form-data", length=3), 400, id="M5"
        ),
        pytest.param(
            b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
            200,
            id="B38: HTTP/1.0",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", 400, id="no Host"
        ),
    ],
)
def test_it_is_not_asked_for_where_it_is_not_wanted(served: Served, sent: bytes, status: int) -> None:
    with served.client() as client:
        assert client.send(sent).response().status == status
        assert client.continues == 0


def test_a_token_is_demanded_before_the_body() -> None:
    with serving(token="secret") as worker, worker.client() as client:
        assert client.send(request("POST", "/upload/", _EXPECT, length=3)).response().status == 401
        assert client.continues == 0
