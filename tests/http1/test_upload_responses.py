"""How both clients read a response: equally strictly. The limits of requests are reported as its own."""

import gzip
from types import ModuleType

import pytest
from click.testing import CliRunner

from clients import requests_upload, socket_upload
from clients.http1.errors import Unreachable
from clients.http1.response_parser import Response
from tests.http1.recording_server import ok, playing, recording

CLIENTS = {"socket": socket_upload, "requests": requests_upload}
both = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
CODED = gzip.compress(b'{"a":1}\n')


def coded(body: bytes) -> bytes:
    return ok(body, media_type="application/json\r\nContent-Encoding: gzip")


def response_to(client: ModuleType, said: bytes) -> Response:
    """What the client makes of a server that says this, and closes."""

    with recording(playing([said])) as server:
        result: Response = client.post(server.url, data=b"x", timeout=10)
    return result


@both
@pytest.mark.parametrize(
    "said",
    [b"HTTP/1.1 200 O", b"HTTP/1.1 200 OK\r\n", ok()[:40], ok()[:-5], ok(b"x" * 100)[:-1]],
)
def test_a_response_that_is_cut_off_is_an_error_wherever_it_ends(client: ModuleType, said: bytes) -> None:
    with pytest.raises(Unreachable, match="closed the connection in the middle of its response: "):
        response_to(client, said)


@both
@pytest.mark.parametrize(
    ("framing", "why"),
    [
        (b"Content-Length: abc", "Content-Length: abc"),
        (b"Content-Length: -1", "Content-Length: -1"),
        (b"Content-Length: 2\r\nContent-Length: 3", "Content-Length: 2, 3"),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 2", "framing is ambiguous"),
    ],
)
def test_the_length_of_a_response_is_not_guessed(client: ModuleType, framing: bytes, why: str) -> None:
    with pytest.raises(Unreachable, match=rf"^127\.0\.0\.1:\d+ does not answer in HTTP/1\.1: .*{why}"):
        response_to(client, b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n2\r\nab\r\n0\r\n\r\n")


@both
@pytest.mark.parametrize("said", [b"SSH-2.0-x\r\n", b"220 mail.example ESMTP\r\n\r\n"])
def test_another_protocol_is_shown(client: ModuleType, said: bytes) -> None:
    with pytest.raises(Unreachable, match=r"does not answer in HTTP/1\.1: not a status line: b'(SSH|220)"):
        response_to(client, said)


@pytest.mark.parametrize(
    ("fields", "body", "why"),
    [
        (b"".join(b"X%d: y\r\n" % number for number in range(300)), b"ok", "got more than 100 headers"),
        (b"X: " + b"y" * 70_000 + b"\r\n", b"ok", "got more than 65536 bytes"),
        (b"Content-Encoding: gzip\r\n", b"no", "while decompressing data: incorrect header check"),
    ],
    ids=["fields", "field", "coding"],
)
def test_what_requests_alone_cannot_read_is_said_to_be_its_own(fields: bytes, body: bytes, why: str) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + fields + b"\r\n" + body
    assert response_to(socket_upload, said).body == body
    with pytest.raises(Unreachable, match=rf"^requests cannot read the response from 127\..*: .*{why}"):
        response_to(requests_upload, said)


def test_requests_takes_a_content_coding_off() -> None:
    assert response_to(requests_upload, coded(CODED)).json() == {"a": 1}


@both
@pytest.mark.parametrize("kept", ["standard output", "a file"])
def test_a_raw_body_is_as_received(
    client: ModuleType, kept: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("raw") / "body"
    flags = ["--raw", *(["-o", str(path)] if kept == "a file" else [])]
    with recording(playing([coded(CODED)])) as server:
        result = CliRunner().invoke(client.main, [server.url, "-H", "X: y", *flags])
    if client is requests_upload:
        assert result.exit_code == 0, result.stderr
        assert (path.read_bytes() if kept == "a file" else result.stdout_bytes) == CODED
