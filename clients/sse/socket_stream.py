"""Opens a stream with a request made by hand on a socket. It passes on each read before the next one."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..http1.request import build_request
from ..http1.socket_transport import SocketConnection
from ..http1.upload_call import Call
from ..http1.wire import Wire
from .streaming_response import StreamingResponse


@contextmanager
def open_stream(
    call: Call, wire: Wire, whole: bool = False, *, cafile: str | None = None
) -> Iterator[StreamingResponse]:
    """Send `call`, whose body is in memory, and wait for the head of the response.

    `cafile` has the certificates to trust instead of the system's. Raises UsageError for a call that does not
    make a request, and Unreachable when there is no response.
    """
    with SocketConnection(build_request(**call.arguments()), wire, cafile, streamed=True) as connection:
        connection.send()
        parser = connection.incoming.parser
        while parser.head is None:
            connection.incoming.final()  # raises when the connection has ended
            connection.receive()
        pieces = _pieces(connection)
        yield StreamingResponse(parser.head, iter([b"".join(pieces)]) if whole else pieces)


def _pieces(connection: SocketConnection) -> Iterator[bytes]:
    incoming = connection.incoming
    while True:
        if piece := incoming.parser.take_body():
            yield piece
        if incoming.final() is not None:
            return
        connection.receive()
