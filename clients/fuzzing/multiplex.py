"""Sends many requests to several backends at a time, from one thread, and reads all that comes back.

It sends as `http1.exchange` does: the write side is shut after the last byte, and an early response is read.
It is a separate engine for two reasons. One thread holds all connections in one selector, which takes about
half the CPU time of `exchange` in a pool of threads. And a conversation ends only when the server closes:
here a server that keeps the connection open has a fault, while `exchange` stops waiting after a moment. Linux
only.
"""

import selectors
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..comparison.runner import Backend
from ..http1.exchange import Exchange, request_methods
from ..http1.response_parser import ResponseError, read_responses
from .draft import FuzzRequest

SECONDS = 10.0
"""A conversation that takes longer has failed."""

_READ = 1024 * 1024
_POLL_SECONDS = 0.25


class Conversation:
    """One request to one backend. `outcome` is None until the conversation is over."""

    def __init__(
        self, backend: Backend, pieces: Sequence[bytes], methods: tuple[bytes, ...], deadline: float
    ) -> None:
        self.outcome: Exchange | None = None
        self.deadline = deadline
        self._methods = methods
        self._unsent = [memoryview(piece) for piece in reversed(pieces)]
        self._received: list[bytes] = []
        self.socket = socket.socket()
        try:
            self.socket.settimeout(deadline - time.monotonic())
            self.socket.connect((backend.host, backend.port))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.setblocking(False)
        except OSError as error:
            self.socket.close()
            self.outcome = Exchange(no_response=f"no connection: {error}")

    @property
    def wants_to_send(self) -> bool:
        """Whether there are bytes left to send."""
        return bool(self._unsent)

    def send(self) -> None:
        """Send the next piece, or as much as the socket takes; after the last one shut the write side."""
        try:
            piece = self._unsent[-1]
            sent = self.socket.send(piece) if piece else 0
            if sent == len(piece):
                self._unsent.pop()
            else:
                self._unsent[-1] = piece[sent:]
            if not self._unsent:
                self.socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError:  # the server closed early; its response can still be read
            self._unsent.clear()

    def receive(self) -> None:
        """Read what is there. The conversation is over when the server closes."""
        try:
            data = self.socket.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._received.append(data)
        else:
            self.outcome = self._exchange(ended=True)

    def give_up(self) -> None:
        """End the conversation because its time is over."""
        self.outcome = self._exchange(ended=False)

    def _exchange(self, *, ended: bool) -> Exchange:
        try:
            responses = read_responses(b"".join(self._received), self._methods, ended=ended)
        except ResponseError as error:
            return Exchange(bad_response=f"not a response: {error}")
        complete, continues = tuple(responses.complete), responses.continues
        if responses.unfinished:
            how = "the connection ended" if ended else "time-out"
            return Exchange(complete, continues, bad_response=f"{responses.unfinished} ({how})")
        if ended:
            return Exchange(complete, continues, closed=not complete)
        if complete:  # the server must close: it has seen the end of our side
            return Exchange(complete, continues, bad_response="the connection was not closed")
        return Exchange(continues=continues, no_response="no response came in time")


class _Pending:
    """A request and its conversations."""

    def __init__(self, request: FuzzRequest, backends: Sequence[Backend], deadline: float) -> None:
        self.request = request
        methods, pieces = request_methods(request.data), request.pieces
        self.conversations = {
            backend.name: Conversation(backend, pieces, methods, deadline)
            for backend in backends
            if request.tier <= backend.tier
        }

    def outcomes(self) -> Mapping[str, Exchange] | None:
        """What came back, by backend; None while a conversation is not over."""
        found = {name: one.outcome for name, one in self.conversations.items() if one.outcome is not None}
        return found if len(found) == len(self.conversations) else None


Received = tuple[FuzzRequest, Mapping[str, Exchange]]


class _Multiplexer:
    """All conversations that are not over."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.requests = 0
        self.received: list[Received] = []
        self._selector = selector
        self._owners: dict[Conversation, _Pending] = {}
        self._expired_at = time.monotonic()

    def start(self, pending: _Pending) -> None:
        self.requests += 1
        for conversation in pending.conversations.values():
            if conversation.outcome is None:
                conversation.send()
                writing = selectors.EVENT_WRITE if conversation.wants_to_send else 0
                self._selector.register(conversation.socket, selectors.EVENT_READ | writing, conversation)
                self._owners[conversation] = pending
        self._settle(pending)

    def advance(self) -> None:
        """Wait until a socket can send or read, and do so."""
        for key, events in self._selector.select(_POLL_SECONDS):
            conversation: Conversation = key.data
            if events & selectors.EVENT_WRITE:
                conversation.send()
                if not conversation.wants_to_send:
                    self._selector.modify(key.fileobj, selectors.EVENT_READ, conversation)
            if events & selectors.EVENT_READ:
                conversation.receive()
                self._retire(conversation)
        now = time.monotonic()
        if now > self._expired_at + _POLL_SECONDS:
            self._expired_at = now
            for conversation in [one for one in self._owners if now > one.deadline]:
                conversation.give_up()
                self._retire(conversation)

    def close(self) -> None:
        for conversation in self._owners:
            conversation.socket.close()

    def _retire(self, conversation: Conversation) -> None:
        if conversation.outcome is None:
            return
        self._selector.unregister(conversation.socket)
        conversation.socket.close()
        self._settle(self._owners.pop(conversation))

    def _settle(self, pending: _Pending) -> None:
        outcomes = pending.outcomes()
        if outcomes is not None:
            self.requests -= 1
            self.received.append((pending.request, outcomes))


def converse(
    requests: Iterable[FuzzRequest],
    backends: Sequence[Backend],
    *,
    in_flight: int = 12,
    seconds: float = SECONDS,
) -> Iterator[Received]:
    """Send each request to the backends of its tier, and yield what came back, in any order.

    At most `in_flight` requests are under way at a time. No conversation takes longer than `seconds`.
    """
    source = iter(requests)
    exhausted = False
    with selectors.DefaultSelector() as selector:
        crowd = _Multiplexer(selector)
        try:
            while not exhausted or crowd.requests:
                while not exhausted and crowd.requests < in_flight:
                    request = next(source, None)
                    if request is None:
                        exhausted = True
                    else:
                        crowd.start(_Pending(request, backends, time.monotonic() + seconds))
                if crowd.requests:
                    crowd.advance()
                received, crowd.received = crowd.received, []
                yield from received
        finally:
            crowd.close()
