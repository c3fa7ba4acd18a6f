"""A status 2xx is checked: sizes and hashes in the response must be those of what was sent."""

import hashlib
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from clients import requests_upload, socket_upload
from clients.http1.verify_upload import NotVerified
from tests.http1.recording_server import Peer, ok, playing, recording

CONTENT = b"hello world"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
Change = Callable[[dict[str, Any]], object]

pytestmark = pytest.mark.parametrize("client", [socket_upload, requests_upload], ids=["socket", "requests"])


def multipart_description(size: int) -> dict[str, Any]:
    """The response to one field and two files, in the members that matter."""
    file = {"index": 1, "filename": "a.txt", "size": len(CONTENT), "sha256": SHA256}
    empty = {"index": 2, "filename": "", "size": 0, "sha256": hashlib.sha256().hexdigest()}
    return {"body": {"kind": "multipart", "size": size, "sha256": None}, "files": [file, empty]}


def upload(client: ModuleType, change: Change) -> None:
    """Upload a form to a server that describes it, with one `change`."""

    def script(peer: Peer) -> None:
        body = peer.read_request().partition(b"\r\n\r\n")[2]
        described = multipart_description(len(body))
        change(described)
        peer.send(ok(json.dumps(described).encode()))

    files = [("f", ("a.txt", CONTENT)), ("g", ("", b""))]
    with recording(script) as server:
        client.post(server.url, data={"a": "1"}, files=files, timeout=5)


def test_a_true_description_is_confirmed(client: ModuleType) -> None:
    upload(client, lambda described: None)


WRONG: dict[str, tuple[Change, str]] = {
    "size": (lambda it: it["files"][0].update(size=10), r"files\[0\]\.size is 10, but 11 was sent"),
    "hash": (lambda it: it["files"][0].update(sha256="0" * 64), r"files\[0\]\.sha256 is 000"),
    "no hash": (lambda it: it["files"][0].pop("sha256"), r"files\[0\]\.sha256 is None"),
    "body": (lambda it: it["body"].update(size=1), r"body\.size is 1, but"),
    "missing": (lambda it: it["files"].pop(0), "the file 'a.txt' is missing"),
    "no empty file": (lambda it: it["files"].pop(1), "the file '' is missing"),
    "too many": (lambda it: it["files"].append({"index": 3}), r"files\[2\] is not a part that was sent"),
    "swapped": (lambda it: it["files"][0].update(index=2), "the file 'a.txt' is missing"),
    "the field as a file": (lambda it: it["files"][0].update(index=0), r"but 1 was sent;"),
    "no object": (lambda it: it["files"].__setitem__(0, "a.txt"), "not a list of objects"),
    "no list": (lambda it: it.update(files=None), "not a list of objects"),
}


@pytest.mark.parametrize(("change", "why"), WRONG.values(), ids=WRONG)
def test_a_false_description_is_an_error(client: ModuleType, change: Change, why: str) -> None:
    with pytest.raises(NotVerified, match=why):
        upload(client, change)


def put(client: ModuleType, body: dict[str, Any], files: list[dict[str, Any]]) -> None:
    with recording(playing([ok(json.dumps({"body": body, "files": files}).encode())])) as server:
        client.request("PUT", server.url, data=iter([CONTENT]), timeout=5)


def test_a_raw_body_is_confirmed_by_its_hash(client: ModuleType) -> None:
    described = {"kind": "bytes", "size": len(CONTENT), "sha256": SHA256}
    put(client, described, [{"index": 0, "size": len(CONTENT), "sha256": SHA256}])
    with pytest.raises(NotVerified, match=r"body\.sha256 is 0, but b94d"):
        put(client, described | {"sha256": "0"}, [])
    with pytest.raises(NotVerified, match=r"files\[0\]\.sha256 is 0"):
        put(client, described, [{"index": 0, "size": len(CONTENT), "sha256": "0"}])


def test_a_body_where_none_was_sent_is_an_error(client: ModuleType) -> None:
    with (
        recording(playing([ok(b'{"body":{"kind":"bytes","size":3,"sha256":"0"},"files":[]}')])) as server,
        pytest.raises(NotVerified, match=r"body\.size is 3, but 0 was sent"),
    ):
        client.request("GET", server.url, timeout=5)


def test_a_2xx_before_the_whole_body_was_sent_is_an_error(client: ModuleType) -> None:
    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(ok(json.dumps(multipart_description(1)).encode()))

    with recording(script) as server, pytest.raises(NotVerified, match="before the whole body"):
        client.post(server.url, files={"f": bytes(1 << 26)}, timeout=10)


@pytest.mark.parametrize("body", [b"[]", b'{"files":[]}', b'{"body":{}}', b'"x"'])
def test_other_services_are_not_checked(client: ModuleType, body: bytes) -> None:
    with recording(playing([ok(body)])) as server:
        assert client.post(server.url, data=CONTENT, timeout=5).body == body


def test_a_problem_is_not_checked(client: ModuleType) -> None:
    with recording(playing([ok(b'{"body":{"size":0},"files":[]}', "400 Bad Request")])) as server:
        assert client.post(server.url, data=CONTENT, timeout=5).status == 400


def test_what_only_says_that_it_is_json_is_an_error(client: ModuleType) -> None:
    with recording(playing([ok(b"{")])) as server, pytest.raises(NotVerified, match="says that it is JSON"):
        client.post(server.url, data=CONTENT, timeout=5)
