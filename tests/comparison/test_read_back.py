"""Files that a response calls stored are read back."""

import hashlib
import json

import pytest

from clients.comparison.read_back import unreadable_file
from clients.http1.exchange import Exchange
from clients.http1.response_parser import Response
from tests.http1.recording_server import HOST, ok, scripted

_DATA = b"stored"
_SHA256 = hashlib.sha256(_DATA).hexdigest()
_FILE = {"href": f"/files/{_SHA256}", "sha256": _SHA256, "size": len(_DATA)}


def _says(value: object, status: int = 200) -> Exchange:
    headers = (("content-type", "application/json"),)
    return Exchange((Response(status, headers, json.dumps(value).encode()),))


def test_a_file_that_is_there_is_readable() -> None:
    with scripted(ok(_DATA)) as server:
        assert unreadable_file(_says({"files": [_FILE, _FILE]}), HOST, server.port) == ""
        asked = [request.split(b"\r\n")[0] for request in server.requests]
    assert asked == [b"GET /files/%s HTTP/1.1" % _SHA256.encode()]


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        (ok(b"other!"), f"is read back as 6 bytes with the SHA-256 {hashlib.sha256(b'other!').hexdigest()}"),
        (ok(b"", status="404 Not Found"), "cannot be read back: 404"),
        (b"", "cannot be read back: no response"),
    ],
)
def test_another_response_is_reported(response: bytes, fault: str) -> None:
    with scripted(response) as server:
        found = unreadable_file(_says({"files": [_FILE]}), HOST, server.port)
    assert found == f"stored file 0 {fault}"


@pytest.mark.parametrize(
    "received",
    [
        _says({"files": [{**_FILE, "href": None}]}),
        _says({"files": [{"href": "/elsewhere"}, {"href": 1}, "x", None]}),
        _says({"files": None}),
        _says({"files": 3}),
        _says({"files": [{"href": "/files/None"}, {"href": "/files/é", "sha256": "é"}]}),
        _says([1]),
        _says({"files": [_FILE]}, status=400),
        Exchange(no_response="nothing"),
        Exchange((Response(200, (("content-type", "application/json"),), b"{"),)),
        Exchange((Response(200, (("content-type", "text/plain"),), b"{}"),)),
    ],
)
def test_without_a_stored_file_nothing_is_asked(received: Exchange) -> None:
    with scripted(ok()) as server:
        assert unreadable_file(received, HOST, server.port) == ""
        assert server.requests == []
