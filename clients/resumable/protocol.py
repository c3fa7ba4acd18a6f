"""What both protocols of resumable uploads do: make an upload, ask how far it is, append to it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from ..http1.errors import BadResponse
from ..http1.request import OnBlock
from ..http1.response_parser import Response
from .requester import Gone, Refused, Requester
from .sent_file import SentFile

# An sf-integer has 15 digits at most (RFC 9651, section 3.3.1); tus has no limit.
_NUMBER = re.compile(r"[0-9]{1,18}")
# The server has forgotten the upload, or never knew it. tus also allows 403, which may have other reasons.
_GONE = frozenset({404, 410})
# The offset is another one, or another request has the upload now (409, and 423 of tusd); a piece had another
# checksum (460 of tus). All of that is over when the offset was asked for again.
_ASK_AGAIN = frozenset({409, 423, 460})


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server takes, in bytes: a whole file of `max_size`, and `max_append` in one request."""

    max_size: int | None = None
    max_append: int | None = None

    def narrowed(self, other: Limits) -> Limits:
        """The smaller of both in everything."""
        return Limits(_least(self.max_size, other.max_size), _least(self.max_append, other.max_append))


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload on the server: `offset` bytes of it are there, and nothing more is to be sent if `complete`.

    `response` is the one that said so.
    """

    url: str
    offset: int
    complete: bool
    response: Response
    limits: Limits = field(default_factory=Limits)


class ResumableProtocol(ABC):
    """A protocol. Its methods raise Refused, Gone and Unreachable."""

    name: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, requester: Requester) -> None:
        self.requester = requester

    @abstractmethod
    def create(self, file: SentFile) -> Upload:
        """Make an upload for the file, with no byte of it, at the endpoint of the requester."""

    @abstractmethod
    def find(self, url: str, file: SentFile) -> Upload:
        """Ask how far an upload is."""

    @abstractmethod
    def append(self, upload: Upload, end: int, file: SentFile, on_block: OnBlock) -> Upload:
        """Send the bytes from the offset of the upload to before `end`."""


def known(response: Response) -> Response:
    """The response for an upload that the server knows. Raises Gone and Refused."""
    if 200 <= response.status < 300:
        return response
    if response.status in _GONE:
        raise Gone(response)
    raise Refused(response, transient=True if response.status in _ASK_AGAIN else None)


def number_in(response: Response, name: str) -> int | None:
    """The number in a field, or None when there is none, or something else."""
    value = response.header(name)
    return int(value) if value is not None and _NUMBER.fullmatch(value) else None


def offset_in(response: Response, size: int) -> int:
    """The offset that a response tells. Raises BadResponse for none, and for one beyond `size`."""
    offset = number_in(response, "upload-offset")
    if offset is None or offset > size:
        given = response.header("upload-offset")
        raise BadResponse(f"the server tells no offset of the {size} bytes: Upload-Offset is {given!r}")
    return offset


def _least(first: int | None, second: int | None) -> int | None:
    given = [each for each in (first, second) if each is not None]
    return min(given, default=None)
