"""All that a server has sent for one request, judged by our own strict reader, whoever received it.

http.client takes an answer whose head breaks off for a whole one, and guesses where a length is malformed.
"""

from __future__ import annotations

from dataclasses import dataclass

from .digest import Block
from .errors import Unreachable, UploadFailed
from .request import Request
from .response_parser import Response, ResponseError, Responses, read_responses
from .wire import FINAL_RESPONSE, Wire

MAX_RESPONSE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class DecodedResponse(Response):
    """An answer from whose body requests has taken the content coding; `received` is the body with it."""

    received: bytes


class ReceivedResponse:
    """The bytes so far of the answer to `message`, and whether the peer has `ended`."""

    def __init__(self, message: Request) -> None:
        self.ended = False
        self._message = message
        self._peer = message.url.authority
        self._data = bytearray()
        self._sent = 0

    def watch(self, wire: Wire) -> None:
        """Take all that passes `wire`."""
        wire.listen(self.count_sent, self.add)

    def count_sent(self, block: Block) -> None:
        """Count what has been sent."""
        self._sent += len(block)

    def add(self, block: Block) -> None:
        """Take what has been received; nothing is the end. Raises UploadFailed beyond MAX_ANSWER_BYTES."""
        self._data += block
        self.ended = not len(block)
        if len(self._data) > MAX_RESPONSE_BYTES:
            raise UploadFailed(f"the answer is larger than {MAX_RESPONSE_BYTES >> 20} MiB")

    @property
    def begun(self) -> bool:
        """Whether a final answer has begun."""
        return FINAL_RESPONSE.match(self._data) is not None

    @property
    def continues(self) -> int:
        """How many interim answers have come."""
        return self._answers().continues

    def final(self) -> Response | None:
        """The final answer, or None while it may still come.

        Raises Unreachable when the bytes are no answer or the peer has ended before its answer did.
        """
        responses = self._answers()
        if responses.complete:
            return responses.complete[0]
        if not self.ended:
            return None
        if responses.unfinished:
            why = f"closed the connection in the middle of its answer: {responses.unfinished}"
        else:
            why = f"closed the connection without an answer, after {self._sent} bytes of the request"
        raise Unreachable(f"{self._peer} {why}")

    def whole(self) -> Response:
        """The final answer, for whoever reads no more. Raises Unreachable when there is none."""
        response = self.final()
        if response is None:
            raise Unreachable(f"{self._peer} does not answer in HTTP/1.1: {self._answers().unfinished}")
        return response

    def _answers(self) -> Responses:
        try:
            return read_responses(
                bytes(self._data), (self._message.method.encode("ascii"),), ended=self.ended
            )
        except ResponseError as error:
            raise Unreachable(f"{self._peer} does not answer in HTTP/1.1: {error}") from None
