"""What has arrived on one connection, as the reader's events; small pieces of a body are joined."""

from collections import deque
from collections.abc import Iterator

from ..contract.capture import Capture
from ..contract.problems import Problem
from ..sansio.connection import BodyReceived, Event, RequestReader
from ..sansio.stream import NEED_DATA, Need

PIECE = 512 * 1024
"""About so many bytes of a body are handled at once, and received ahead."""

# Pieces are joined up to this size. To copy a larger one takes longer than to handle it alone.
_JOINED = 64 * 1024

_MOST_CHUNKS = 512  # bounds the time that finding tiny chunks takes before an event is returned


class Inbox:
    """Stands between the socket and the reader: keeps bytes that came ahead, and joins small chunks.

    `ended` says whether the client has ended its side. The `capture` gets what the reader gets.
    """

    def __init__(self, reader: RequestReader, capture: Capture | None = None) -> None:
        self.ended = False
        self._reader = reader
        self._capture = capture
        self._ahead: deque[bytes] = deque()
        self._ahead_size = 0
        self._pending: Event | Need = NEED_DATA
        self._is_exhausted = False  # whether the reader has said that it needs more bytes

    @property
    def needs_data(self) -> bool:
        """Whether nothing but more bytes of the client leads to the next event.

        It is known after `next_event` or `more_of_body` has returned all that there was.
        """
        return self._is_exhausted and not (self.ended or self._ahead)

    @property
    def buffered(self) -> int:
        """How many bytes no event has consumed."""
        return self._reader.buffered + self._ahead_size

    @property
    def unparsed(self) -> int:
        """How many bytes the reader has got and not consumed."""
        return self._reader.buffered

    @property
    def between_requests(self) -> bool:
        """Whether nothing of the next request has arrived."""
        return self._reader.between_requests and not self._ahead

    @property
    def request_line(self) -> tuple[str | None, str | None]:
        """The method and the target of the head at hand, or None twice until its line was accepted."""
        return self._reader.request_line

    @property
    def may_receive(self) -> bool:
        """Whether more may be received ahead: not too much is kept, and the client has not ended its side."""
        return not self.ended and self._ahead_size < PIECE

    def feed(self, data: bytes) -> None:
        """Hand what arrived to the reader. b"" means that the client has ended its side."""
        self.ended = self.ended or not data
        if self._capture is not None and data:
            self._capture.feed(data)
        self._is_exhausted = False
        self._reader.feed(data)

    def receive_ahead(self, data: bytes) -> bool:
        """Keep what arrives before its turn. Returns whether there is room for more."""
        self.ended = self.ended or not data
        self._ahead.append(data)
        self._ahead_size += len(data)
        return self.may_receive

    def next_event(self) -> Event | Need:
        """The next event, or NEED_DATA. Raises Problem, after the events of the bytes before the fault."""
        pending, self._pending = self._pending, NEED_DATA
        return self._gather(may_raise=True) if pending is NEED_DATA else pending

    def more_of_body(self, size: int) -> Iterator[memoryview]:
        """Further pieces of the body that have arrived, until they have `size` bytes."""
        while size > 0 and self._pending is NEED_DATA:
            event = self._gather(may_raise=False)
            if not isinstance(event, BodyReceived):
                self._pending = event
                return
            yield event.data
            size -= len(event.data)

    def _gather(self, *, may_raise: bool) -> Event | Need:
        """The next event; small pieces of a body are one."""
        pieces: list[memoryview] = []
        size = 0
        while size < _JOINED and len(pieces) < _MOST_CHUNKS:
            event = self._read_event(may_raise=may_raise and not pieces)
            if isinstance(event, BodyReceived):
                pieces.append(event.data)
                size += len(event.data)
            elif event is NEED_DATA and self._ahead:
                self._take_ahead()
            elif pieces:
                self._pending = event
                break
            else:
                return event
        return BodyReceived(pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces)))

    def _read_event(self, *, may_raise: bool) -> Event | Need:
        try:
            event = self._reader.next_event()
        except Problem:
            if may_raise:
                raise
            return NEED_DATA  # the reader raises it again at the next call
        self._is_exhausted = event is NEED_DATA
        return event

    def _take_ahead(self) -> None:
        taken = [self._ahead.popleft()]
        size = len(taken[0])
        while self._ahead and size + len(self._ahead[0]) <= _JOINED:
            taken.append(self._ahead.popleft())
            size += len(taken[-1])
        self._ahead_size -= size
        data = b"".join(taken)
        if data:
            if self._capture is not None:
                self._capture.feed(data)
            self._reader.feed(data)
        if self.ended and not self._ahead:
            self._reader.feed(b"")
