"""tus 1.0 on `/resumable/` where an upload must be there; the rest are recorded requests (rules P)."""

import base64
import hashlib
import json
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from servers.contract.exchange import Exchange
from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.responses import Response
from servers.routes import TABLE
from servers.sansio.parsers import SansIoParsers
from servers.settings import Settings
from servers.storage import open_store
from servers.storage.memory import MemoryStore
from tests.contract.heads import head
from tests.refusals import refusal_code
from tests.routes.pieces import Sender, fields_of

PIECE = {"content-type": "application/offset+octet-stream"}
CONTENT = b"hello world"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["memory", "file"])
def tus(request: pytest.FixtureRequest, tmp_path: Path) -> Sender:
    spec = "memory:" if request.param == "memory" else f"file:{tmp_path}/store"
    return Sender(open_store(spec, durable=True), {"tus-resumable": "1.0.0"})


def created(tus: Sender, metadata: str | None = None, *, length: int | None = len(CONTENT)) -> str:
    """The path of a new upload."""
    fields = {"upload-defer-length": "1"} if length is None else {"upload-length": str(length)}
    if metadata is not None:
        fields["upload-metadata"] = metadata
    response = tus.send("POST", "/resumable/", fields)
    assert response.status == 201
    return fields_of(response)["Location"]


def append(tus: Sender, path: str, offset: int, data: bytes, **fields: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return tus.send("PATCH", path, PIECE | {"upload-offset": str(offset)} | named, data)


def offset_of(tus: Sender, path: str) -> int:
    response = tus.send("HEAD", path)
    assert response.status == 200
    return int(fields_of(response)["Upload-Offset"])


def described(tus: Sender, path: str) -> dict[str, Any]:
    response = tus.send("GET", path)
    assert isinstance(response.body, bytes)
    result: dict[str, Any] = json.loads(response.body)
    return result


def test_pieces_become_a_file_that_is_described_as_any_other(tus: Sender) -> None:
    path = created(tus, "filename YS50eHQ=,filetype dGV4dC9wbGFpbg==")
    assert described(tus, path)["files"] == []
    response = append(tus, path, 0, CONTENT[:5])
    assert (response.status, fields_of(response)["Upload-Offset"], response.body) == (204, "5", b"")
    assert response.stored == ()
    assert list(tus.store.names()) == []
    response = append(tus, path, 5, CONTENT[5:])
    assert (response.status, fields_of(response)["Upload-Offset"]) == (204, "11")
    assert fields_of(response)["Content-Location"] == f"/files/{SHA256}"
    assert "Upload-Expires" not in fields_of(response)
    assert list(tus.store.names()) == [SHA256]
    assert [file.sha256 for file in response.stored] == [SHA256], "the log has it"
    described_file = {
        **{"index": 0, "name": None, "filename": "a.txt", "content_type": "text/plain", "headers": []},
        **{"size": 11, "sha256": SHA256, "href": f"/files/{SHA256}"},
    }
    assert described(tus, path)["files"] == [described_file]
    assert described(tus, path)["body"] == {
        **{"kind": "bytes", "media_type": None, "parameters": [], "size": 11, "sha256": SHA256}
    }


def test_head_says_all_that_is_known_and_is_not_cached(tus: Sender) -> None:
    path = created(tus, "filename YS50eHQ=,empty")
    append(tus, path, 0, CONTENT[:5])
    response = tus.send("HEAD", path)
    fields = fields_of(response)
    assert (response.status, fields["Cache-Control"]) == (200, "no-store")
    assert (fields["Upload-Offset"], fields["Upload-Length"]) == ("5", "11")
    assert fields["Upload-Metadata"] == "filename YS50eHQ=,empty"
    assert fields["Tus-Resumable"] == "1.0.0"
    assert parsedate_to_datetime(fields["Upload-Expires"]).tzinfo is not None


def test_another_offset_is_409_and_changes_nothing(tus: Sender) -> None:
    path = created(tus)
    append(tus, path, 0, CONTENT[:5])
    for offset in (0, 4, 6, 11):
        response = append(tus, path, offset, b"x")
        assert (response.status, response.code) == (409, "upload_offset")
        assert (fields_of(response)["Upload-Offset"], fields_of(response)["Tus-Resumable"]) == ("5", "1.0.0")
    assert offset_of(tus, path) == 5
    assert append(tus, path, 5, CONTENT[5:]).status == 204


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_a_piece_with_another_checksum_is_460_and_nothing_of_it_is_kept(tus: Sender, algorithm: str) -> None:
    path = created(tus)
    wrong = base64.b64encode(hashlib.new(algorithm, b"other").digest()).decode()
    response = append(tus, path, 0, CONTENT, upload_checksum=f"{algorithm} {wrong}")
    assert (response.status, response.code) == (460, "upload_checksum")
    assert offset_of(tus, path) == 0
    right = base64.b64encode(hashlib.new(algorithm, CONTENT).digest()).decode()
    response = append(tus, path, 0, CONTENT, upload_checksum=f"{algorithm} {right}")
    assert (response.status, list(tus.store.names())) == (204, [SHA256])


def test_a_large_piece_with_a_checksum_is_appended_whole(tus: Sender) -> None:
    content = bytes(range(256)) * 12_000  # more than is kept in memory, and more than one block
    path = created(tus, length=len(content))
    sha1 = base64.b64encode(hashlib.sha1(content).digest()).decode()
    assert append(tus, path, 0, content, upload_checksum=f"sha1 {sha1}").status == 204
    assert list(tus.store.names()) == [hashlib.sha256(content).hexdigest()]


def test_what_has_come_of_a_broken_piece_stays(tus: Sender) -> None:
    path = created(tus)
    fields = PIECE | {"upload-offset": "0"}
    with tus.half_sent("PATCH", path, fields, CONTENT[:7], len(CONTENT)):
        pass
    assert offset_of(tus, path) == 7
    assert append(tus, path, 7, CONTENT[7:]).status == 204
    assert list(tus.store.names()) == [SHA256]


def test_nothing_stays_of_a_broken_piece_with_a_checksum(tus: Sender) -> None:
    path = created(tus)
    sha1 = base64.b64encode(hashlib.sha1(CONTENT).digest()).decode()
    fields = PIECE | {"upload-offset": "0", "upload-checksum": f"sha1 {sha1}"}
    with tus.half_sent("PATCH", path, fields, CONTENT[:7], len(CONTENT)):
        pass
    assert offset_of(tus, path) == 0


def test_nothing_stays_of_a_broken_creation_with_bytes(tus: Sender) -> None:
    """The client does not know its name."""
    fields = PIECE | {"upload-length": str(len(CONTENT))}
    with tus.half_sent("POST", "/resumable/", fields, CONTENT[:7], len(CONTENT)):
        pass
    assert tus.store.resumables.remove_older(-2) == 0


@pytest.mark.parametrize("request_of", ["HEAD", "PATCH", "DELETE"])
def test_a_request_ends_what_an_earlier_one_does_with_the_upload(tus: Sender, request_of: str) -> None:
    """A client comes back before the server knows that its connection is gone."""
    path = created(tus)
    fields = PIECE | {"upload-offset": "0"}
    with tus.half_sent("PATCH", path, fields, CONTENT[:3], len(CONTENT)) as earlier:
        earlier.write()
        if request_of == "HEAD":
            assert offset_of(tus, path) == 3
        elif request_of == "PATCH":
            assert append(tus, path, 3, CONTENT[3:6]).status == 204
        else:
            assert tus.send("DELETE", path).status == 204
        with pytest.raises(Problem) as raised:
            earlier.feed(CONTENT[3:])
        assert (raised.value.status, raised.value.code) == (409, "upload_taken_over")
    if request_of == "DELETE":
        assert tus.send("HEAD", path).code == "not_found"
    else:
        assert offset_of(tus, path) == (3 if request_of == "HEAD" else 6)


def test_a_length_may_come_with_any_piece_and_never_changes(tus: Sender) -> None:
    path = created(tus, length=None)
    assert fields_of(tus.send("HEAD", path))["Upload-Defer-Length"] == "1"
    append(tus, path, 0, CONTENT[:5])
    assert append(tus, path, 5, b"", upload_length="4").code == "upload_length"
    assert append(tus, path, 5, CONTENT[5:8], upload_length="11").status == 204
    assert fields_of(tus.send("HEAD", path))["Upload-Length"] == "11"
    assert "Upload-Defer-Length" not in fields_of(tus.send("HEAD", path))
    assert append(tus, path, 8, b"", upload_length="12").code == "upload_length"
    assert append(tus, path, 8, CONTENT[8:], upload_length="11").status == 204
    assert list(tus.store.names()) == [SHA256]


def test_no_bytes_follow_the_end(tus: Sender) -> None:
    path = created(tus)
    append(tus, path, 0, CONTENT[:5])
    assert append(tus, path, 5, CONTENT[5:] + b"!").code == "upload_length"
    assert offset_of(tus, path) == 5
    append(tus, path, 5, CONTENT[5:])
    assert append(tus, path, 11, b"!").code == "upload_length"
    assert append(tus, path, 11, b"").status == 204


def test_an_upload_without_a_length_has_at_most_the_bytes_of_a_body(tus: Sender) -> None:
    tus.settings = Settings(limits=Limits(max_body=20))
    path = created(tus, length=None)
    assert append(tus, path, 0, bytes(15)).status == 204
    assert append(tus, path, 15, bytes(6)).code == "body_too_large"
    assert append(tus, path, 15, bytes(5)).status == 204
    assert append(tus, path, 20, b"", upload_length="21").code == "body_too_large"


def test_a_removed_upload_is_gone_and_its_file_stays(tus: Sender) -> None:
    path = created(tus)
    append(tus, path, 0, CONTENT)
    assert tus.send("DELETE", path).status == 204
    for method in ("HEAD", "DELETE", "GET"):
        assert tus.send(method, path).code == "not_found"
    assert append(tus, path, 11, b"").code == "not_found"
    assert list(tus.store.names()) == [SHA256]


def test_an_expired_upload_is_gone_before_it_is_swept(tus: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    path = created(tus)
    tus.settings = Settings(limits=Limits(resume_timeout=1))
    monkeypatch.setattr("servers.storage.resumable.time.time", lambda: 4_000_000_000.0)
    assert tus.send("HEAD", path).code == "not_found"
    assert append(tus, path, 0, CONTENT).code == "not_found"


def test_an_upload_whose_server_was_killed_before_it_was_published_is_published_by_the_next_request(
    tus: Sender,
) -> None:
    path = created(tus)
    upload = tus.store.resumables.take_over(path.rpartition("/")[2])
    assert upload is not None
    with upload:
        upload.append(CONTENT)
    assert list(tus.store.names()) == []
    assert offset_of(tus, path) == 11
    assert list(tus.store.names()) == [SHA256]


def test_a_post_may_stand_for_each_method(tus: Sender) -> None:
    path = created(tus)
    patch = PIECE | {"upload-offset": "0", "x-http-method-override": "PATCH"}
    assert tus.send("POST", path, patch, CONTENT[:5]).status == 204
    response = tus.send("POST", path, {"x-http-method-override": "HEAD"})
    assert (response.status, fields_of(response)["Upload-Offset"]) == (200, "5")
    assert tus.send("POST", path, {"x-http-method-override": "DELETE"}).status == 204
    assert tus.send("HEAD", path).code == "not_found"


def test_who_may_not_upload_may_not_continue_an_upload() -> None:
    settings = Settings(token="secret")
    for method in ("POST", "PATCH", "HEAD", "DELETE"):
        sender = Sender(MemoryStore(), {"tus-resumable": "1.0.0"}, settings)
        path = "/resumable/" if method == "POST" else f"/resumable/{'0' * 32}"
        response = sender.send(method, path)
        assert response.code == "token_required"
        assert fields_of(response)["Tus-Resumable"] == "1.0.0"


def test_an_upload_counts_among_those_at_once(tus: Sender) -> None:
    path = created(tus)
    context = Settings(limits=Limits(max_uploads=1)).context(tus.store)
    fields = tus.always | PIECE | {"upload-offset": "0"}
    request_head = head("PATCH", path, fields=fields, content_length=5)
    busy = context.load.uploads.acquire(None)
    assert refusal_code(Exchange, request_head, TABLE, SansIoParsers(), context) == "overloaded"
    busy.release()
    Exchange(request_head, TABLE, SansIoParsers(), context).abort()
    assert context.load.uploads.held == 0
