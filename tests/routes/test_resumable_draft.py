"""The IETF's resumable uploads where an upload must be there; the rest are recorded requests (rules P)."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.responses import Response
from servers.settings import Settings
from servers.storage import open_store
from tests.routes.pieces import Sender, fields_of

VERSION = {"upload-draft-interop-version": "8"}
PIECE = {"content-type": "application/partial-upload"}
FIRST = {"upload-complete": "?0", "content-type": "image/png"}
CONTENT = b"hello world"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["memory", "file"])
def draft(request: pytest.FixtureRequest, tmp_path: Path) -> Sender:
    spec = "memory:" if request.param == "memory" else f"file:{tmp_path}/store"
    return Sender(open_store(spec, durable=True), VERSION)


def begun(draft: Sender, data: bytes = b"", **fields: str) -> str:
    """The path of a new upload with these bytes."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    response = draft.send("PUT", "/upload/a.png", FIRST | named, data)
    assert response.status == 201
    return fields_of(response)["Location"]


def append(draft: Sender, path: str, offset: int, data: bytes, **fields: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    given = PIECE | {"upload-offset": str(offset), "upload-complete": "?0"} | named
    return draft.send("PATCH", path, given, data)


def state(draft: Sender, path: str) -> tuple[str, str]:
    response = draft.send("HEAD", path)
    assert (response.status, fields_of(response)["Cache-Control"]) == (204, "no-store")
    return fields_of(response)["Upload-Offset"], fields_of(response)["Upload-Complete"]


def members(response: Response) -> dict[str, Any]:
    assert isinstance(response.body, bytes)
    result: dict[str, Any] = json.loads(response.body)
    return result


def test_pieces_become_a_file_that_is_described_as_any_other(draft: Sender) -> None:
    path = begun(draft, CONTENT[:3])
    assert state(draft, path) == ("3", "?0")
    response = append(draft, path, 3, CONTENT[3:6])
    assert (response.status, fields_of(response)["Upload-Complete"]) == (204, "?0")
    assert list(draft.store.names()) == []
    response = append(draft, path, 6, CONTENT[6:], upload_complete="?1")
    assert (response.status, fields_of(response)["Upload-Complete"]) == (200, "?1")
    (file,) = members(response)["files"]
    assert (file["filename"], file["content_type"], file["sha256"]) == ("a.png", "image/png", SHA256)
    assert file["href"] == f"/files/{SHA256}"
    assert [stored.sha256 for stored in response.stored] == [SHA256]
    assert state(draft, path) == ("11", "?1")
    assert fields_of(draft.send("HEAD", path))["Content-Location"] == f"/files/{SHA256}"


def test_all_bytes_are_not_the_end_before_the_client_says_so(draft: Sender) -> None:
    path = begun(draft, CONTENT, upload_length="11")
    assert state(draft, path) == ("11", "?0")
    assert list(draft.store.names()) == []
    response = append(draft, path, 11, b"", upload_complete="?1")
    assert (response.status, list(draft.store.names())) == (200, [SHA256])


def test_another_offset_is_409_with_the_right_one(draft: Sender) -> None:
    path = begun(draft, CONTENT[:3])
    response = append(draft, path, 5, CONTENT[5:])
    assert response.status == 409
    assert fields_of(response)["Upload-Offset"] == "3"
    problem = members(response)
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#mismatching-upload-offset"
    assert (problem["expected-offset"], problem["provided-offset"]) == (3, 5)
    assert state(draft, path) == ("3", "?0")


def test_nothing_is_appended_to_a_complete_upload(draft: Sender) -> None:
    path = begun(draft)
    append(draft, path, 0, CONTENT, upload_complete="?1")
    response = append(draft, path, 11, b"", upload_complete="?1")
    assert (response.status, response.code) == (400, "upload_completed")
    assert members(response)["type"].endswith("#completed-upload")
    response = append(draft, path, 11, b"!", upload_complete="?1")
    assert (response.status, response.code) == (400, "upload_length")
    assert members(response)["type"].endswith("#inconsistent-upload-length")
    assert state(draft, path) == ("11", "?1")


def test_lengths_of_all_requests_must_match(draft: Sender) -> None:
    path = begun(draft, CONTENT[:3], upload_length="11")
    assert fields_of(draft.send("HEAD", path))["Upload-Length"] == "11"
    assert append(draft, path, 3, b"x", upload_length="12").code == "upload_length"
    assert append(draft, path, 3, b"x", upload_complete="?1").code == "upload_length"
    assert append(draft, path, 3, CONTENT[3:], upload_complete="?1").status == 200


def test_an_upload_is_removed_when_more_bytes_come_than_it_has(draft: Sender) -> None:
    """Section "Upload Append": its Content-Length may be missing, so the bytes are counted."""
    path = begun(draft, CONTENT[:3], upload_length="5")
    fields = PIECE | {"upload-offset": "3", "upload-complete": "?0"}
    exchange = draft.begin("PATCH", path, fields, None)
    with pytest.raises(Problem) as raised:
        exchange.feed(CONTENT[3:])
    assert raised.value.code == "upload_length"
    assert draft.send("HEAD", path).code == "not_found"


def test_a_cancelled_upload_is_gone(draft: Sender) -> None:
    path = begun(draft, CONTENT)
    assert draft.send("DELETE", path).status == 204
    assert draft.send("HEAD", path).code == "not_found"
    assert append(draft, path, 11, b"").code == "not_found"


def test_a_broken_upload_goes_on_where_its_first_request_ended(draft: Sender) -> None:
    """The upload that a 104 has named, when the one request that should have been enough breaks."""
    fields = {"upload-complete": "?1", "content-type": "image/png"}
    with draft.half_sent("PUT", "/upload/a.png", fields, CONTENT[:7], len(CONTENT)):
        pass
    (told,) = draft.interim
    assert dict(told)["Upload-Draft-Interop-Version"] == "8"
    path = dict(told)["Location"]
    assert state(draft, path) == ("7", "?0")
    assert fields_of(draft.send("HEAD", path))["Upload-Length"] == "11"
    assert append(draft, path, 7, CONTENT[7:], upload_complete="?1").status == 200
    assert list(draft.store.names()) == [SHA256]


def test_nothing_stays_of_a_broken_upload_that_no_104_has_named(draft: Sender) -> None:
    draft.takes_interim = False
    fields = {"upload-complete": "?1", "content-type": "image/png"}
    with draft.half_sent("PUT", "/upload/a.png", fields, CONTENT[:7], len(CONTENT)):
        pass
    assert draft.store.resumables.remove_older(-2) == 0


def test_progress_is_told_when_it_is_durable(draft: Sender) -> None:
    """At least each 32 MiB, without the name of the upload (section "Upload Append")."""
    path = begun(draft)
    draft.interim.clear()
    content = bytes(33 << 20)
    assert append(draft, path, 0, content).status == 204
    assert [dict(fields) for fields in draft.interim] == [
        {"Upload-Offset": str(32 << 20), "Upload-Draft-Interop-Version": "8"}
    ]


def test_no_104_is_made_for_a_client_of_another_version(draft: Sender) -> None:
    draft.always = {}
    draft.send("PUT", "/upload/a.png", {"upload-complete": "?1"}, CONTENT)
    assert draft.interim == []


def test_a_piece_with_another_digest_is_not_appended(draft: Sender) -> None:
    path = begun(draft)
    digest = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    response = append(draft, path, 0, CONTENT, content_digest=f"sha-256=:{digest}:")
    assert (response.status, response.code) == (400, "digest_mismatch")
    assert state(draft, path) == ("0", "?0")


def test_a_digest_of_the_whole_upload_is_not_that_of_a_piece(draft: Sender) -> None:
    path = begun(draft)
    digest = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    assert append(draft, path, 0, CONTENT[:4], repr_digest=f"sha-256=:{digest}:").status == 204


def test_an_upload_of_unknown_length_has_at_most_the_bytes_of_a_body(draft: Sender) -> None:
    """Section "Limits": the 413 says the limit."""
    draft.settings = Settings(limits=Limits(max_body=20))
    path = begun(draft, bytes(15))
    response = append(draft, path, 15, bytes(6))
    assert (response.status, response.code) == (413, "body_too_large")
    assert fields_of(response)["Upload-Limit"].startswith("max-size=20, ")


def test_an_upload_of_one_protocol_may_be_continued_by_the_other(draft: Sender) -> None:
    path = begun(draft, CONTENT[:3], upload_length="11")
    tus = Sender(draft.store, {"tus-resumable": "1.0.0"})
    assert fields_of(tus.send("HEAD", path))["Upload-Offset"] == "3"
    fields = {"content-type": "application/offset+octet-stream", "upload-offset": "3"}
    assert tus.send("PATCH", path, fields, CONTENT[3:]).status == 204
    assert state(draft, path) == ("11", "?1")
