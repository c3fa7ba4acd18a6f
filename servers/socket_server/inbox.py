"""What has arrived on one connection, as the reader's events; the pieces of a body at hand come as one."""

from ..contract.problems import Problem
from ..sansio.connection import BodyReceived, Event, RequestReader
from ..sansio.stream import NEED_DATA, Need

PIECE = 1024 * 1024
"""So much of a body is handed over at once, at most, and so much is kept ahead."""

_MOST_CHUNKS = 512  # a body in tiny chunks is handed over before finding them has taken long


class Inbox:
    """Between the socket and the reader: keeps bytes ahead, and gathers what thousands of chunks bring."""

    def __init__(self, reader: RequestReader) -> None:
        self._reader = reader
        self._ahead: list[bytes] = []
        self._ahead_size = 0
        self._ended = False
        self._pending: Event | Need = NEED_DATA

    @property
    def buffered(self) -> int:
        """How many bytes no event has consumed."""
        return self._reader.buffered + self._ahead_size

    @property
    def at_rest(self) -> bool:
        """Whether nothing of a next request has arrived."""
        return self._reader.between_requests and not self._ahead

    @property
    def is_full(self) -> bool:
        """Whether so much is kept ahead that no more should be read."""
        return self._ahead_size >= PIECE

    def feed(self, data: bytes) -> None:
        """Take what arrived; b"" says that the peer has ended its side."""
        self._reader.feed(data)

    def receive_ahead(self, data: bytes) -> bool:
        """Keep what arrives while its turn has not come; whether there is room for more."""
        self._ahead.append(data)
        self._ahead_size += len(data)
        self._ended = self._ended or not data
        return bool(data) and not self.is_full

    def next_event(self) -> Event | Need:
        """The next event, or NEED_DATA. Raises Problem; what came before a fault is told first."""
        pending, self._pending = self._pending, NEED_DATA
        if pending is not NEED_DATA:
            return pending
        pieces: list[memoryview] = []
        size = 0
        while size < PIECE and len(pieces) < _MOST_CHUNKS:
            event = self._next_of_reader(told_before=not pieces)
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

    def _next_of_reader(self, *, told_before: bool) -> Event | Need:
        try:
            return self._reader.next_event()
        except Problem:
            if told_before:
                raise
            return NEED_DATA  # the reader will raise it again

    def _take_ahead(self) -> None:
        data, self._ahead, self._ahead_size = b"".join(self._ahead), [], 0
        if data:
            self._reader.feed(data)
        if self._ended:
            self._reader.feed(b"")
