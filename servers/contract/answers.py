"""What a route answers, before a backend sends it its own way."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from servers.contract.description import canonical_json
from servers.contract.problems import Problem
from servers.storage.base import ReadableFile

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"

DYNAMIC = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Wireproof-Contract", "1"),
)
"""The fields of every dynamic answer (contract section 2)."""

_BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class FileSlice:
    """`length` bytes of a stored file from `offset`; whoever sends it closes it, sent or not."""

    file: ReadableFile
    offset: int
    length: int

    def blocks(self) -> Iterator[bytes]:
        """The bytes in blocks of at most 256 KiB; closes the file at the end or when dropped."""
        try:
            offset, left = self.offset, self.length
            while left:
                block = self.file.read(offset, min(left, _BLOCK))
                if not block:
                    raise OSError("a stored file became shorter while it was sent")
                yield block
                offset += len(block)
                left -= len(block)
        finally:
            self.file.close()

    def close(self) -> None:
        self.file.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, header fields in order, and a body. Content-Length is not among the fields: see below.

    With `head_only` the fields are those of the full answer and the body is not sent (RFC 9110 9.3.2).
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | FileSlice = b""
    head_only: bool = False

    @property
    def content_length(self) -> int | None:
        """The Content-Length to send, in bytes; None for a 304, which has none (S6)."""
        if self.status == 304:
            return None
        return len(self.body) if isinstance(self.body, bytes) else self.body.length

    def close(self) -> None:
        """Give back what the body holds; for answers that are not, or not wholly, sent."""
        if isinstance(self.body, FileSlice):
            self.body.close()


def json_answer(value: Any, *, status: int = 200, head_only: bool = False) -> Answer:
    """Canonical JSON with the fields of every dynamic answer."""
    return Answer(status, (("Content-Type", JSON), *DYNAMIC), canonical_json(value), head_only)


def problem_answer(problem: Problem, *, head_only: bool = False) -> Answer:
    """The answer to a refused request (RFC 9457, contract section 4).

    `head_only` is for a HEAD request whose head was well-formed: a malformed head is refused with a body,
    whatever the method.
    """
    kind = problem.kind
    members: dict[str, Any] = {
        "type": f"/problems/{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "code": kind.code,
        "detail": problem.detail,
    }
    headers = (("Content-Type", PROBLEM_JSON), *DYNAMIC, *problem.headers)
    return Answer(kind.status, headers, canonical_json(members), head_only)
