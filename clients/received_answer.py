"""All that a server has sent for one request, judged by our own strict reader, whoever received it.

http.client takes an answer whose head breaks off for a whole one, and guesses where a length is malformed.
"""

from __future__ import annotations

from dataclasses import dataclass

from clients.answers import Answer, AnswerError, Answers, read_answers
from clients.digest import Block
from clients.errors import Unreachable, UploadFailed
from clients.message import Message
from clients.wire import FINAL_ANSWER, Wire

MAX_ANSWER_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class DecodedAnswer(Answer):
    """An answer from whose body requests has taken the content coding; `received` is the body with it."""

    received: bytes


class ReceivedAnswer:
    """The bytes so far of the answer to `message`, and whether the peer has `ended`."""

    def __init__(self, message: Message) -> None:
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
        if len(self._data) > MAX_ANSWER_BYTES:
            raise UploadFailed(f"the answer is larger than {MAX_ANSWER_BYTES >> 20} MiB")

    @property
    def begun(self) -> bool:
        """Whether a final answer has begun."""
        return FINAL_ANSWER.match(self._data) is not None

    @property
    def continues(self) -> int:
        """How many interim answers have come."""
        return self._answers().continues

    def final(self) -> Answer | None:
        """The final answer, or None while it may still come.

        Raises Unreachable when the bytes are no answer or the peer has ended before its answer did.
        """
        answers = self._answers()
        if answers.complete:
            return answers.complete[0]
        if not self.ended:
            return None
        if answers.unfinished:
            why = f"closed the connection in the middle of its answer: {answers.unfinished}"
        else:
            why = f"closed the connection without an answer, after {self._sent} bytes of the request"
        raise Unreachable(f"{self._peer} {why}")

    def whole(self) -> Answer:
        """The final answer, for whoever reads no more. Raises Unreachable when there is none."""
        answer = self.final()
        if answer is None:
            raise Unreachable(f"{self._peer} does not answer in HTTP/1.1: {self._answers().unfinished}")
        return answer

    def _answers(self) -> Answers:
        try:
            return read_answers(bytes(self._data), (self._message.method.encode("ascii"),), ended=self.ended)
        except AnswerError as error:
            raise Unreachable(f"{self._peer} does not answer in HTTP/1.1: {error}") from None
