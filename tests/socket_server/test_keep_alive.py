"""Several requests on one connection (RFC 9112 9.3; B45, B4, R8)."""

import itertools
import random
import time

import pytest

from clients.http1.response_parser import Response
from servers.storage.memory import MemoryUpload
from tests.socket_server.client import get, request
from tests.socket_server.worker_thread import Served, serving

_UNKNOWN_FILE = "/files/" + "0" * 64
_CHUNKS = b"3\r\nabc\r\n0\r\nX: 1\r\n\r\n"


def _path(response: Response) -> str:
    path = response.json()["path"]
    assert isinstance(path, str)
    return path


def _mixed(count: int) -> tuple[bytes, list[int | str]]:
    """Requests of all kinds that keep the connection open, and the path or status in each response."""
    kinds: list[tuple[bytes, int | str]] = []
    for number in range(count):
        path = f"/{number}"
        kinds += [
            (get(path), path),
            (request("POST", path, body=b"x" * 300), path),
            (request("POST", path, "Transfer-Encoding: chunked") + _CHUNKS, path),
            (get(_UNKNOWN_FILE), 404),
            (get("/upload/"), 405),
            (request("BREW", "/"), 501),
            (b"\r\n" + get(path), path),
            (request("POST", "/upload/", "Content-Type: image/png", body=path.encode()), "/upload/"),
            (request("PUT", "/upload/empty"), "/upload/empty"),
            (request("POST", "/a", "Content-Type: application/json", body=b"{"), 400),
        ]
    return b"".join(sent for sent, _ in kinds[:count]), [expected for _, expected in kinds[:count]]


def _seen(responses: list[Response], expected: list[int | str]) -> list[int | str]:
    return [
        response.status if isinstance(wanted, int) else _path(response)
        for response, wanted in zip(responses, expected, strict=True)
    ]


def test_a_connection_goes_on_after_an_answer(served: Served) -> None:
    with served.client() as client:
        for number in range(3):
            response = client.forget().send(get(f"/{number}")).response()
            assert (_path(response), response.header("connection")) == (f"/{number}", None)
        assert client.is_silent(0.05)


def test_answers_to_twenty_pipelined_requests_come_in_order(served: Served) -> None:
    """B45: a refusal ends the connection only if the framing is not clear, and no request is skipped."""
    data, expected = _mixed(20)
    with served.client() as client:
        assert _seen(client.send(data).responses(20), expected) == expected
        assert client.is_silent(0.05), "no response too many"


@pytest.mark.parametrize("seed", range(4))
def test_pipelined_requests_may_be_split_anywhere(served: Served, seed: int) -> None:
    data, expected = _mixed(20)
    rng = random.Random(seed)
    splits = sorted(rng.sample(range(1, len(data)), 40))
    pieces = [data[start:end] for start, end in itertools.pairwise([0, *splits, len(data)])]
    with served.client() as client:
        assert _seen(client.send(*pieces).responses(20), expected) == expected


def test_a_hundred_refusals_in_one_segment_are_all_answered(served: Served) -> None:
    with served.client() as client:
        responses = client.send(get("/upload/") * 100).responses(100)
        assert {response.status for response in responses} == {405}


def test_what_the_peer_sent_before_it_ended_is_answered(served: Served) -> None:
    data, expected = _mixed(10)
    with served.client() as client:
        assert _seen(client.send(data).end().until_closed(), expected) == expected


@pytest.mark.parametrize(
    ("head", "goes_on", "says"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\n", True, None),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", False, "close"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: foo, Close\r\n", False, "close"),
        (b"GET / HTTP/1.0\r\n", False, "close"),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n", True, "keep-alive"),
        (b"BREW / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", False, "close"),
        (b"BREW / HTTP/1.0\r\nConnection: keep-alive\r\n", True, "keep-alive"),
    ],
)
def test_the_client_decides_whether_it_goes_on(
    served: Served, head: bytes, goes_on: bool, says: str | None
) -> None:
    with served.client() as client:
        client.send(head + b"\r\n" + get("/next"))
        responses = client.responses(2) if goes_on else client.until_closed()
        assert len(responses) == 1 + goes_on
        assert responses[0].header("connection") == says


@pytest.mark.parametrize("late", [False, True], ids=["at once", "after a while"])
def test_without_keep_alive_each_connection_has_one_response(late: bool) -> None:
    """The connection is not closed before its first request."""
    with serving(keep_alive_timeout=0) as worker, worker.client() as client:
        assert not late or client.is_silent(0.2)
        (response,) = client.send(get("/1") + get("/2")).until_closed()
        assert (response.status, _path(response), response.header("connection")) == (200, "/1", "close")


def test_nothing_behind_a_malformed_request_is_read(served: Served) -> None:
    with served.client() as client:
        responses = client.send(get("/1") + b"BAD\r\n\r\n" + get("/2")).until_closed()
        assert [response.status for response in responses] == [200, 400]
        assert responses[1].header("connection") == "close"


def test_head_is_answered_without_a_body(served: Served) -> None:
    """S1, S3."""
    with served.client() as client:
        client.send(request("HEAD", "/a"), request("HEAD", "/upload/"), get("/b"))
        responses = client.responses(3, methods=(b"HEAD", b"HEAD", b"GET"))
        assert [response.status for response in responses] == [200, 405, 200]
        assert [response.body == b"" for response in responses] == [True, True, False]
        assert int(responses[0].header("content-length") or 0) > 100


def test_a_file_comes_back_on_the_same_connection(served: Served) -> None:
    content = random.Random(1).randbytes(700_000)
    with served.client() as client:
        client.send(request("PUT", "/upload/f", body=content))
        href = client.response().json()["files"][0]["href"]
        whole, part, nothing, after = client.send(
            get(href), get(href, "Range: bytes=-5"), get(href, "If-None-Match: *"), get("/after")
        ).responses(5)[1:]
    assert (whole.status, whole.body == content) == (200, True)
    assert (part.status, part.body) == (206, content[-5:])
    assert (nothing.status, nothing.body, nothing.header("content-length")) == (304, b"", None)
    assert _path(after) == "/after"


def test_an_answer_states_the_time_and_the_server(served: Served) -> None:
    """S8, RFC 9110 6.6.1."""
    with served.client() as client:
        response = client.send(get()).response()
    assert response.header("server") == "wireproof-socket"
    date = response.header("date") or ""
    assert date.endswith(" GMT")
    assert len(date) == 29


def test_a_request_behind_a_response_that_fills_the_socket_waits_for_the_upload_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While a thread publishes the upload, a writable socket must not start the next request."""
    publish = MemoryUpload.publish

    def publish_slowly(upload: MemoryUpload) -> None:
        time.sleep(0.3)
        publish(upload)

    with serving() as worker:
        with worker.client() as client:
            client.send(request("PUT", "/upload/large", body=bytes(8 * 1024 * 1024)))
            stored = client.response().json()["files"][0]["href"]
        monkeypatch.setattr(MemoryUpload, "publish", publish_slowly)
        with worker.client(receive_buffer=65536) as client:
            client.send(get(stored) + request("PUT", "/upload/second", body=b"x") + get("/third"))
            time.sleep(0.1)  # the first response fills the socket
            _, *others = client.responses(3, methods=(b"GET", b"PUT", b"GET"))
    assert [_path(response) for response in others] == ["/upload/second", "/third"]
