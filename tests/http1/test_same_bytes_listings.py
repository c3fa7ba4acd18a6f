"""Each listing of the post that the project grew out of, sent by both clients over a real connection.

What the server received is compared with the listing, and the two clients' bytes with each other.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
import requests

from clients import requests_upload, socket_upload
from tests.http1.recording_server import RecordingServer, echo_nothing, recording
from tests.http1.requests_recorder import BOUNDARY, pinned_boundary, without_own_fields

DATA = {"a": ["abc", "def", {"bec": 1}]}
Send = Callable[..., object]
Open = Callable[[str], IO[Any]]


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording(echo_nothing) as running:
        yield running


@pytest.fixture
def a_txt(tmp_path: Path) -> Iterator[Open]:
    """Opens the post's file in a mode, and closes it in the end."""
    path = tmp_path / "a.txt"
    path.write_text("hello world\nhello world\nhello half", "utf-8")
    with contextlib.ExitStack() as opened:
        yield lambda mode: opened.enter_context(path.open(mode))


def heard(server: RecordingServer, send: Send, method: str, path: str, arguments: dict[str, Any]) -> bytes:
    """What the server heard of one call, without the fields that every client has of its own."""
    before = len(server.peers)
    send(method, server.url + path, **arguments)
    return without_own_fields(bytes(server.peers[before].received)).replace(
        str(server.port).encode(), b"8000"
    )


def heard_of_all(
    server: RecordingServer, method: str, path: str, arguments: Callable[[], dict[str, Any]]
) -> bytes:
    """What the server heard: of requests itself and of our two clients it must be the same."""
    with requests.Session() as session, pinned_boundary():
        session.trust_env = False
        expected = heard(server, session.request, method, path, arguments())
    boundary = {"boundary": BOUNDARY} if "files" in arguments() else {}
    for client in (socket_upload, requests_upload):
        assert heard(server, client.request, method, path, arguments() | boundary) == expected
    return expected


def listing(head: str, body: bytes = b"") -> bytes:
    """A listing's head with CRLF, without what `without_own_fields` takes out."""
    lines = [line.strip() for line in head.strip().splitlines()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


POST = """
    POST /upload/ HTTP/1.1
    Host: 127.0.0.1:8000
    Accept: */*
    Connection: keep-alive
"""


def test_a_string_body_has_no_content_type(server: RecordingServer) -> None:
    sent = heard_of_all(server, "POST", "/upload/", lambda: {"data": json.dumps(DATA)})
    assert sent == listing(POST + "Content-Length: 33", b'{"a": ["abc", "def", {"bec": 1}]}')


def test_a_json_body_differs_only_in_its_content_type(server: RecordingServer) -> None:
    sent = heard_of_all(server, "POST", "/upload/", lambda: {"json": DATA})
    fields = "Content-Length: 33\nContent-Type: application/json"
    assert sent == listing(POST + fields, b'{"a": ["abc", "def", {"bec": 1}]}')


def test_a_nested_dict_in_a_form_loses_its_value(server: RecordingServer) -> None:
    sent = heard_of_all(server, "POST", "/upload/", lambda: {"data": DATA})
    fields = "Content-Length: 17\nContent-Type: application/x-www-form-urlencoded"
    assert sent == listing(POST + fields, b"a=abc&a=def&a=bec")


def test_small_json_as_text_and_as_json(server: RecordingServer) -> None:
    text = heard_of_all(server, "POST", "/upload/", lambda: {"data": json.dumps({"a": "abc"})})
    as_json = heard_of_all(server, "POST", "/upload/", lambda: {"json": {"a": "abc"}})
    assert as_json.replace(b"Content-Type: application/json\r\n", b"") == text


EVERYTHING: dict[str, Any] = {
    "params": {"q": "1", "r": 23},
    "data": {"body-param": "value"},
    "cookies": {"message": "This is cookies", "session_id": "name"},
    "files": [],
    "auth": ("api_key", "xxx"),
}


def test_everything_that_a_request_takes(server: RecordingServer) -> None:
    sent = heard_of_all(server, "GET", "/a/b", lambda: {**EVERYTHING, "headers": {"User-Agent": "custom"}})
    expected = """
        GET /a/b?q=1&r=23 HTTP/1.1
        Host: 127.0.0.1:8000
        Accept: */*
        Connection: keep-alive
        Cookie: message=This is cookies; session_id=name
        Content-Length: 16
        Content-Type: application/x-www-form-urlencoded
        Authorization: Basic YXBpX2tleTp4eHg=
    """
    assert sent == listing(expected, b"body-param=value")


def test_a_custom_user_agent_stands_in_the_place_of_the_own_one(server: RecordingServer) -> None:
    for client in (socket_upload, requests_upload):
        before = len(server.peers)
        client.request("GET", server.url, headers={"User-Agent": "custom"})
        assert server.peers[before].received.split(b"\r\n")[2] == b"User-Agent: custom"


def test_params_and_a_query_in_the_url_give_the_same_request_line(server: RecordingServer) -> None:
    by_params = heard_of_all(server, "GET", "/a/b", lambda: {"params": {"q": "1", "r": 23}})
    assert heard_of_all(server, "GET", "/a/b?q=1&r=23", dict) == by_params
    assert by_params.startswith(b"GET /a/b?q=1&r=23 HTTP/1.1\r\n")


def test_json_is_ignored_when_there_is_data(server: RecordingServer) -> None:
    with_both = heard_of_all(server, "POST", "/upload/", lambda: {"data": {"a": "1"}, "json": {"b": 2}})
    assert with_both.endswith(b"\r\n\r\na=1")


def test_a_file_and_a_field(server: RecordingServer, a_txt: Open) -> None:
    sent = heard_of_all(
        server, "POST", "/upload/", lambda: {"files": [("file", a_txt("r"))], "data": {"a": "123"}}
    )
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n123\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        f"hello world\nhello world\nhello half\r\n--{BOUNDARY}--\r\n"
    ).encode()
    fields = f"Content-Length: {len(body)}\nContent-Type: multipart/form-data; boundary={BOUNDARY}"
    assert sent == listing(POST + fields, body)


def four_shapes(a_txt: Open) -> list[tuple[str, Any]]:
    """The four ways to give a file."""
    return [
        ("file1", a_txt("r")),
        ("file2", ("a.txt", a_txt("rb"))),
        ("file3", ("a.txt", a_txt("r"), "docx")),
        ("file4", ("a.txt", a_txt("rb"), "text", {"a": "b"})),
    ]


def test_the_four_shapes_of_a_file(server: RecordingServer, a_txt: Open) -> None:
    sent = heard_of_all(
        server, "POST", "/upload/", lambda: {"files": four_shapes(a_txt), "data": {"c": 1, "d": 2}}
    )
    heads = [
        part.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:] for part in sent.split(b"--" + BOUNDARY.encode())
    ]
    assert heads[1:-1] == [
        [b'Content-Disposition: form-data; name="c"'],
        [b'Content-Disposition: form-data; name="d"'],
        [b'Content-Disposition: form-data; name="file1"; filename="a.txt"'],
        [b'Content-Disposition: form-data; name="file2"; filename="a.txt"'],
        [b'Content-Disposition: form-data; name="file3"; filename="a.txt"', b"Content-Type: docx"],
        [b'Content-Disposition: form-data; name="file4"; filename="a.txt"', b"Content-Type: text", b"a: b"],
    ]


def test_the_four_shapes_as_a_dict_are_the_same(server: RecordingServer, a_txt: Open) -> None:
    as_list = heard_of_all(server, "POST", "/upload/", lambda: {"files": four_shapes(a_txt)})
    assert heard_of_all(server, "POST", "/upload/", lambda: {"files": dict(four_shapes(a_txt))}) == as_list


def test_a_generator_is_sent_a_chunk_a_piece(server: RecordingServer) -> None:
    sent = heard_of_all(server, "POST", "/upload/", lambda: {"data": iter([b"hello", "wörld", b""])})
    assert sent == listing(
        POST + "Transfer-Encoding: chunked", "5\r\nhello\r\n6\r\nwörld\r\n0\r\n\r\n".encode()
    )


def test_a_file_as_data_has_its_length(server: RecordingServer, a_txt: Open) -> None:
    sent = heard_of_all(server, "PUT", "/upload/a.txt", lambda: {"data": a_txt("rb")})
    assert b"\r\nContent-Length: 34\r\n" in sent
    assert sent.endswith(b"\r\n\r\nhello world\nhello world\nhello half")
