"""What a backend tells the history of requests, if there is one. The backends know only these protocols."""

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol

from .request import RequestHead
from .responses import Response

if TYPE_CHECKING:
    from .request_log import RequestRecord

Data = bytes | bytearray | memoryview


class Spans(Protocol):
    """The spans of a body."""

    def blob(self, start: int) -> bytes:
        """All of them, packed; the first one begins at `start` on the wire. Call it when the body is over."""


class Capture(Protocol):
    """The requests of one connection, one after the other. No method waits, and none raises.

    A backend that sees the wire calls `read` for each read, and `feed` with the bytes that its parser gets,
    `head_complete` and `complete` with the number of bytes that were fed and belong to what follows.
    """

    def read(self, size: int) -> None:
        """So many bytes have arrived in one read."""

    def feed(self, data: bytes) -> None:
        """The parser gets these bytes."""

    def head_complete(self, head: RequestHead, behind: int = 0) -> None:
        """The head was accepted. `behind` of the bytes that were fed came behind it."""

    def body(self, data: Data) -> None:
        """The next bytes of the body, without chunked coding."""

    def complete(self, behind: int = 0, *, fed_again: bool = False) -> None:
        """The request is complete. `behind` of the bytes that were fed belong to the next request.

        `fed_again` says that they will be fed once more.
        """

    def spans(self, spans: "Spans") -> None:
        """The spans of the body are noted there while it arrives."""

    def environ(self, environ: dict[str, Any]) -> None:
        """What a WSGI server has made of the request."""

    def respond(self, response: Response) -> None:
        """The response is known."""

    def piece(self, data: Data) -> None:
        """A piece of the response's body was sent."""

    def end(self, record: "RequestRecord", milliseconds: float) -> None:
        """The response is sent, or the connection is gone."""


def history_at(history: "Capturing | None", local: object) -> "Capturing | None":
    """The history for a connection that arrived at this address, as `getsockname` returns it."""
    if history is None or not history.loopback_only or not isinstance(local, tuple):
        return history
    try:
        is_loopback = ip_address(local[0].partition("%")[0]).is_loopback
    except ValueError:  # some ASGI servers give a name
        return None
    return history if is_loopback else None


class Capturing(Protocol):
    """The history, as far as a backend knows it."""

    loopback_only: bool
    """Whether only requests that arrive at a loopback address are recorded."""

    def capture(self, backend: str, *, wire: bool) -> Capture:
        """The capture of a new connection to this backend. `wire`: it sees the bytes of its requests."""

    def drain(self) -> None:
        """Wait a short time until what is recorded is written. Call it before the process ends."""

    def stop(self) -> None:
        """The process stops: streams of events end, so that nothing waits for them."""
