"""Requests that the tests of the page send, and what the history says of them."""

import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

from clients.launch import RunningBackend
from tests.patience import eventually

FORM = (
    b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nHoliday\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nhello world\n\r\n--b--\r\n"
)
FORM_TYPE = "multipart/form-data; boundary=b"


def exchange(server: RunningBackend, request: bytes) -> bytes:
    """Send these bytes and read until the server closes, or for a second."""
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while data := connection.recv(65536):
            received += data
    return received


def post(body: bytes, content_type: str, target: str = "/upload/") -> bytes:
    """The bytes of a POST."""
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
    return head.encode("utf-8") + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


def get_json(server: RunningBackend, path: str) -> Any:
    """What a route responds."""
    with urlopen(server.url + path, timeout=20) as response:
        return json.load(response)


def rows(server: RunningBackend) -> list[dict[str, Any]]:
    """The newest rows of the history."""
    found: list[dict[str, Any]] = get_json(server, "/requests/?limit=100")["requests"]
    return found


def recorded(server: RunningBackend, request: bytes) -> int:
    """Send a request, and return its id in the history as soon as it is there.

    It is found by its target too: a stream of another test may end at the same time, and is new then.
    """
    target = request.split(b" ", 2)[1].decode("utf-8")
    before = max((row["id"] for row in rows(server)), default=0)
    exchange(server, request)
    found: list[int] = []

    def is_there() -> bool:
        new = [row for row in rows(server) if row["id"] > before and row["target"] == target]
        found[:] = [row["id"] for row in new if row["arriving"] is None]
        return bool(found)

    assert eventually(is_there, 10)
    return found[-1]


def slowly(server: RunningBackend, request: bytes, pieces: int, during: Callable[[int], None]) -> None:
    """Send a request in so many pieces, and call `during` after each but the last."""
    size = -(-len(request) // pieces)
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        for index in range(pieces):
            connection.sendall(request[index * size : (index + 1) * size])
            if index < pieces - 1:
                during(index)
        connection.recv(65536)
