"""The requests that a RequestReader finds in some bytes, without the split of their bodies."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.request import RequestHead
from servers.sansio.connection import (
    BodyComplete,
    BodyReceived,
    ConnectionClosed,
    HeadReceived,
    RequestReader,
)
from servers.sansio.stream import NEED_DATA

LIMITS = Limits()


@dataclass
class Requests:
    """The heads and complete bodies of a connection in order, and how it ended.

    `problem` is the code of its Problem. `closed`: the reader returned ConnectionClosed.
    """

    heads: list[HeadReceived] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    complete: int = 0
    problem: str | None = None
    closed: bool = False

    @property
    def head(self) -> RequestHead:
        (received,) = self.heads
        return received.head

    @property
    def body(self) -> bytes:
        assert self.problem is None
        (body,) = self.bodies
        return body


def read_requests(pieces: Iterable[bytes], limits: Limits = LIMITS) -> Requests:
    """Feed a reader with `pieces` and the end, and pull all events after each piece."""
    reader = RequestReader(limits)
    requests = Requests()
    for piece in (*pieces, b""):
        reader.feed(piece)
        try:
            if _pull(reader, requests):
                break
        except Problem as problem:
            requests.problem = problem.code
            break
    return requests


def _pull(reader: RequestReader, requests: Requests) -> bool:
    """Whether the reader returned ConnectionClosed."""
    while (event := reader.next_event()) is not NEED_DATA:
        if isinstance(event, HeadReceived):
            requests.heads.append(event)
            requests.bodies.append(b"")
        elif isinstance(event, BodyReceived):
            assert len(event.data), "an event without data"
            requests.bodies[-1] += event.data
        elif isinstance(event, BodyComplete):
            requests.complete += 1
        else:
            assert isinstance(event, ConnectionClosed)
            requests.closed = True
            return True
    return False


def request(head: bytes, body: bytes = b"") -> Requests:
    """Read a whole request. `head` has no empty line, and LF instead of CRLF."""
    return read_requests([head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body])
