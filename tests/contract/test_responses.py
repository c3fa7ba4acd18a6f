"""The responses of routes, before a backend sends them (RFC 9457, contract sections 2 and 4)."""

import json
from collections.abc import Generator
from dataclasses import dataclass, field

import pytest

from servers.contract.problems import Problem
from servers.contract.responses import (
    Event,
    EventStream,
    FileSlice,
    Response,
    event_stream_response,
    json_response,
    problem_response,
)
from servers.storage.memory import MemoryFile
from tests.contract.heads import head

_DYNAMIC = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Wireproof-Contract": "1"}


def _members(response: Response) -> dict[str, object]:
    assert isinstance(response.body, bytes)
    members = json.loads(response.body)
    assert isinstance(members, dict)
    return members


def test_json_is_canonical_and_dynamic() -> None:
    response = json_response({"b": 1, "a": 2})
    assert (response.status, response.body, response.content_length) == (200, b'{"a":2,"b":1}\n', 14)
    assert dict(response.headers) == {"Content-Type": "application/json", **_DYNAMIC}


def test_head_has_the_length_of_the_body_that_is_not_sent() -> None:
    response = json_response({}, head_only=True)
    assert (response.head_only, response.content_length) == (True, 3)


def test_a_problem_has_the_members_of_rfc_9457() -> None:
    response = problem_response(
        Problem("method_not_allowed", "takes GET", headers=(("Allow", "GET"),)), head=head()
    )
    assert response.status == 405
    assert _members(response) == {
        "type": "/problems/method_not_allowed",
        "title": "This route takes other methods",
        "status": 405,
        "code": "method_not_allowed",
        "detail": "takes GET",
    }
    assert dict(response.headers) == {"Content-Type": "application/problem+json", **_DYNAMIC, "Allow": "GET"}


@pytest.mark.parametrize(
    ("method", "head_only"), [("HEAD", True), ("GET", False), ("POST", False), ("head", False)]
)
def test_a_refusal_of_head_has_no_body(method: str, head_only: bool) -> None:
    """A malformed head is refused with a body, whatever its method."""
    assert problem_response(Problem("not_found", ""), head=head(method)).head_only == head_only
    assert not problem_response(Problem("bad_header", "")).head_only


@pytest.mark.parametrize(
    ("code", "family"), [("bad_value", "invalid_request_error"), ("store_unavailable", "server_error")]
)
def test_a_refusal_under_v1_has_the_error_member_of_openai(code: str, family: str) -> None:
    response = problem_response(Problem(code, "x is y"), head=head(path="/v1/chat/completions"))
    error = _members(response).pop("error")
    assert isinstance(error, dict)
    assert (error["type"], error["code"]) == (family, code)
    assert str(error["message"]).endswith(": x is y")
    assert dict(response.headers)["Content-Type"] == "application/json"
    assert "error" not in _members(problem_response(Problem(code, ""), head=head(path="/v1x/")))


def test_a_detail_from_the_request_is_escaped_in_the_json() -> None:
    response = problem_response(Problem("not_found", '"}\r\n\x00\u20ac\ud800'))
    assert _members(response)["detail"] == '"}\r\n\x00\u20ac\ud800'
    assert isinstance(response.body, bytes)
    assert response.body.isascii()


@dataclass
class _File(MemoryFile):
    """A stored file that counts how often it was closed, and may become shorter."""

    content: bytes
    closed: int = 0
    reads: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.content)

    def read(self, offset: int, length: int, /) -> bytes:
        self.reads.append(length)
        return self.content[offset : offset + length]

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize(
    ("offset", "length"), [(0, 600_000), (0, 0), (5, 1), (599_999, 1), (262_144, 262_145)]
)
def test_a_slice_is_read_in_blocks_and_closed(offset: int, length: int) -> None:
    content = bytes(range(256)) * 2344
    file = _File(content)
    assert b"".join(FileSlice(file, offset, length).blocks()) == content[offset : offset + length]
    assert file.closed == 1
    assert max(file.reads, default=0) <= 256 * 1024


def test_a_slice_is_closed_when_its_iterator_is_closed() -> None:
    file = _File(b"x" * 600_000)
    blocks = FileSlice(file, 0, 600_000).blocks()
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]
    assert file.closed == 1


def test_a_file_that_became_shorter_is_never_padded() -> None:
    file = _File(b"abc")
    with pytest.raises(OSError, match="shorter"):
        list(FileSlice(file, 0, 4).blocks())
    assert file.closed == 1


@pytest.mark.parametrize("status", [200, 304])
def test_the_length_of_a_file_is_that_of_its_slice(status: int) -> None:
    """S6: a 304 has none."""
    file = _File(b"abcdef")
    response = Response(status, (), FileSlice(file, 1, 3))
    assert response.content_length == (None if status == 304 else 3)
    response.close()
    assert file.closed == 1
    Response(200, (), b"").close()


def test_a_stream_has_no_length_and_stops_when_it_is_closed() -> None:
    """S10."""
    made: list[int] = []

    def events() -> Generator[Event, None, None]:
        for number in range(3):
            made.append(number)
            yield Event(b"data: %d\n\n" % number, 0.1)

    response = event_stream_response(events())
    assert isinstance(response.body, EventStream)
    assert (response.status, response.content_length) == (200, None)
    assert dict(response.headers) == {
        "Content-Type": "text/event-stream",
        **_DYNAMIC,
        "X-Accel-Buffering": "no",
    }
    assert next(response.body.events) == (b"data: 0\n\n", 0.1)
    response.close()
    assert (list(response.body.events), made) == ([], [0])
