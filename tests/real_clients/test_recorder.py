"""The recorder forwards every byte unchanged, and its copy is read as requests and responses."""

import socket

import pytest

from clients.real_clients.exchanges import uploads
from clients.real_clients.matrix import wire_facts
from clients.real_clients.recorder import Conversation, Recorder
from clients.real_clients.table import KINDS, SCRIPTS, load_clients
from tests.http1.recording_server import HOST, echo_nothing, ok, recording

BODY = (
    '--b\r\nContent-Disposition: form-data; name="odd"; filename="na\u00efve.txt"\r\n\r\n'.encode()
    + b"data\r\n--b--\r\n"
)
HEAD = b"POST /upload/ HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\n"
SIZED = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"
GET = b"GET /favicon.ico HTTP/1.1\r\nHost: h\r\n\r\n"


def conversation(sent: bytes, received: bytes) -> list[Conversation]:
    return [Conversation(bytearray(sent), bytearray(received))]


def test_both_sides_get_the_same_bytes_and_they_are_kept() -> None:
    with recording(echo_nothing) as server, Recorder({}) as recorder:
        recorder.upstream = (HOST, server.port)
        with socket.create_connection((HOST, recorder.port), timeout=10) as client:
            client.sendall(SIZED)
            client.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: client.recv(65536), b""))
        (kept,) = recorder.take()
    assert bytes(server.peers[0].received) == SIZED == bytes(kept.sent)
    assert received == ok() == bytes(kept.received)


def test_the_recorder_serves_a_page_which_is_not_an_upload() -> None:
    with Recorder({"/page": b"<p>"}) as recorder:
        with socket.create_connection((HOST, recorder.port), timeout=10) as client:
            client.sendall(b"GET /page HTTP/1.1\r\nHost: h\r\n\r\n")
            received = b"".join(iter(lambda: client.recv(65536), b""))
        assert uploads(recorder.take()) == []
    assert received.endswith(b"\r\n\r\n<p>")


def test_each_request_of_a_connection_is_read_with_its_own_framing() -> None:
    exchanges = uploads(conversation(CHUNKED + GET + SIZED, ok() * 3))
    assert [exchange.sent.body for exchange in exchanges] == [BODY, BODY]
    assert wire_facts(exchanges).framing == "chunked, length"


def test_the_spelling_of_the_name_and_the_boundary_are_found() -> None:
    facts = wire_facts(uploads(conversation(SIZED, ok())))
    assert facts.odd == 'filename="na\u00efve.txt"'
    assert facts.content_types == "multipart/form-data; boundary=…"
    assert facts.expect == ""


def test_a_boundary_in_a_response_is_not_compared() -> None:
    other = SIZED.replace(b"boundary=b", b"boundary=c").replace(b"--b", b"--c")
    first, second = (
        uploads(conversation(sent, ok(b'"--%s"' % name)))[0].comparable()
        for sent, name in ((SIZED, b"b"), (other, b"c"))
    )
    assert first == second == (200, b'"--BOUNDARY"')


def test_a_request_without_a_response_is_an_error() -> None:
    with pytest.raises(ValueError, match="2 requests have 1 responses"):
        uploads(conversation(SIZED + SIZED, ok()))


def test_the_table_has_twenty_clients_and_each_script_has_its_client() -> None:
    assert len(load_clients()) >= 20
    assert {kind for client in load_clients().values() for kind in client.kinds} == set(KINDS)
    used = {
        word.rpartition("/")[2]
        for client in load_clients().values()
        for word in client.command
        if "{scripts}" in word
    }
    assert used == {path.name for path in SCRIPTS.glob("[wW]ith*")}


@pytest.mark.parametrize(
    "name",
    [
        "curl",
        "wget",
        "httpx",
        "aiohttp",
        "Node fetch",
        "Chromium form",
    ],
)
def test_these_upload_with_every_change(name: str) -> None:
    assert load_clients()[name].ci
