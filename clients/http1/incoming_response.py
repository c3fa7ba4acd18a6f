"""The response to one request while it arrives: the strict parser, with its errors in words for the user.

Both clients read with it. http.client accepts a response whose head breaks off, and guesses where a length is
malformed; so the requests client gives every received byte to this parser too.
"""

from .digest import Block
from .errors import BadResponse, UploadFailed
from .request import Request
from .response_parser import Response, ResponseError, ResponseParser
from .wire import Wire

MAX_RESPONSE_BYTES = 64 << 20
_MAX_STREAM_HEAD = 1 << 16


class IncomingResponse:
    """What has come of the response to `request`, sent over `wire`, and whether the peer has `ended`.

    A `streamed` response may have any size, because its caller takes the body while it comes; any other is
    limited to MAX_RESPONSE_BYTES.
    """

    def __init__(self, request: Request, wire: Wire, *, streamed: bool = False) -> None:
        self.ended = False
        max_head = _MAX_STREAM_HEAD if streamed else None
        self.parser = ResponseParser((request.method.encode("ascii"),), max_head=max_head)
        self._peer = request.url.authority
        self._wire = wire
        self._streamed = streamed
        self._received = 0

    def feed(self, block: Block) -> None:
        """Take received bytes; an empty block is the end.

        Raises BadResponse when they are not a response, and UploadFailed beyond MAX_RESPONSE_BYTES.
        """
        self._received += len(block)
        self.ended = not len(block)
        if self._received > MAX_RESPONSE_BYTES and not self._streamed:
            raise too_large()
        try:
            self.parser.feed(bytes(block))
        except ResponseError as error:
            raise self._malformed(str(error)) from None

    def final(self) -> Response | None:
        """The final response, or None while it may still come.

        Raises BadResponse when the peer has ended before its response did.
        """
        responses = self.parser.responses
        if responses.complete:
            return responses.complete[0]
        if not self.ended:
            return None
        if responses.unfinished:
            why = f"in the middle of its response: {responses.unfinished}"
        else:
            why = f"without a response, after {self._wire.sent} bytes of the request"
        raise BadResponse(f"{self._peer} closed the connection {why}")

    def whole(self) -> Response:
        """The final response, for a caller that reads no more. Raises BadResponse when there is none."""
        response = self.final()
        if response is None:
            raise self._malformed(self.parser.responses.unfinished)
        return response

    def _malformed(self, why: str) -> BadResponse:
        return BadResponse(f"{self._peer} does not answer in HTTP/1.1: {why}")


def too_large() -> UploadFailed:
    """The error for a response beyond MAX_RESPONSE_BYTES."""
    return UploadFailed(f"the response is larger than {MAX_RESPONSE_BYTES >> 20} MiB")
