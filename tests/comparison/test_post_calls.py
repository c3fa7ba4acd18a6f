"""The post's calls put on the wire what the post shows, the same bytes every time."""

import socket
import threading
from functools import partial

import pytest

from clients.comparison.post_calls import BOUNDARY, SAMPLE, post_calls
from clients.comparison.requests_calls import load_post_calls, prepare, send_call, wire_bytes
from clients.comparison.socket_calls import send_socket_call
from tests.http1.recording_server import HOST, Peer, echo_nothing, ok, playing, recording

BODIES = {
    "post-text": b'{"a": ["abc", "def", {"bec": 1}]}',
    "post-json": b'{"a": ["abc", "def", {"bec": 1}]}',
    "post-form": b"a=abc&a=def&a=bec",
    "post-data-wins-over-json": b"body-param=value",
    "get-with-everything": b"body-param=value",
    "get-with-a-query": b"",
    "post-stream": b'{"query": "echo this", "delay": 0}',
    "post-stream-read-at-once": b'{"query": "echo this", "delay": 0}',
}


def sent(name: str) -> tuple[bytes, bytes]:
    """The head and the body that arrive at a server."""
    with recording(echo_nothing) as server:
        answered = send_call(name, HOST, server.port)
    assert answered.responses[0].body == b"{}\n"
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize("name", sorted(post_calls()))
def test_the_wire_shows_the_prepared_bytes_whatever_the_port(name: str) -> None:
    head, body = sent(name)
    shown_head, _, shown_body = wire_bytes(prepare(post_calls()[name], "http://localhost:8000")).partition(
        b"\r\n\r\n"
    )
    assert sorted(head.split(b"\r\n")) == sorted(shown_head.split(b"\r\n"))
    assert body == shown_body
    assert b"\r\nHost: localhost:8000\r\n" in head + b"\r\n"


@pytest.mark.parametrize("name", sorted(BODIES))
def test_the_body_is_that_of_the_post(name: str) -> None:
    assert sent(name)[1] == BODIES[name]


def test_everything_that_requests_takes_is_on_the_wire() -> None:
    head = sent("get-with-everything")[0]
    assert head.startswith(b"GET /a/b?q=1&r=23 HTTP/1.1\r\n")
    for line in (
        b"User-Agent: custom",
        b"Accept-Encoding: gzip, deflate, br",
        b"Accept: */*",
        b"Cookie: message=This is cookies; session_id=name",
        b"Content-Length: 16",
        b"Content-Type: application/x-www-form-urlencoded",
        b"Authorization: Basic YXBpX2tleTp4eHg=",
    ):
        assert line in head.split(b"\r\n")


def test_a_string_body_has_no_content_type() -> None:
    assert b"content-type" not in sent("post-text")[0].lower()


def test_a_file_is_sent_as_the_post_shows_it() -> None:
    boundary = BOUNDARY.encode()
    field = b'--%s\r\nContent-Disposition: form-data; name="a"\r\n\r\n123\r\n' % boundary
    disposition = b'Content-Disposition: form-data; name="file"; filename="hello-world.txt"'
    file = b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary, disposition, SAMPLE.read_bytes())
    assert sent("post-file")[1] == field + file + b"--%s--\r\n" % boundary


def test_the_four_shapes_of_files_differ_in_their_part_headers() -> None:
    body = sent("post-files-in-four-shapes")[1]
    assert body.index(b'name="c"') < body.index(b'name="d"') < body.index(b'name="file1"')
    assert body.count(b"Content-Type: ") == 2
    assert b'name="file3"; filename="a.txt"\r\nContent-Type: docx\r\n' in body
    assert b"\r\na: b\r\n" in body


def test_the_calls_are_cases_of_the_requests_client() -> None:
    cases = load_post_calls()
    assert {case.client for case in cases} == {"requests"}
    assert [case.name for case in cases] == sorted(post_calls())
    assert [case.name for case in load_post_calls("post-*form")] == ["post-form"]


def test_nobody_listening_is_no_answer() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    assert send_call("post-json", HOST, port).no_response


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (ok()[:-1], "IncompleteRead"),
        (b"HTTP/1.1 x\r\n\r\n", "BadStatusLine"),
        (b"HTTP/1.1 RemoteDisconnected\r\n\r\n", "BadStatusLine"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "InvalidChunkLength"),
    ],
)
def test_a_malformed_answer_is_a_bad_response(response: bytes, why: str) -> None:
    with recording(playing([response])) as server:
        answered = send_call("post-json", HOST, server.port)
    assert why in answered.bad_response
    assert not answered.no_response
    assert not answered.closed


def test_an_answer_that_stops_in_the_middle_is_a_bad_response_and_silence_is_none() -> None:
    over = threading.Event()

    def script(peer: Peer, start: bytes) -> None:
        peer.read_request()
        peer.send(start)
        over.wait(20)

    for start, response_began in ((ok()[:-1], True), (b"", False)):
        with recording(partial(script, start=start)) as server:
            for call in (send_call, send_socket_call):
                answered = call("post-json", HOST, server.port, seconds=0.5)
                assert bool(answered.bad_response) == response_began
                assert bool(answered.no_response) != response_began
                over.set()
                over.clear()
            over.set()
        over.clear()


def test_a_close_without_an_answer_is_closed() -> None:
    with recording(Peer.read_request) as server:
        assert send_call("post-json", HOST, server.port).closed
