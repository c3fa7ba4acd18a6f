"""What one connection waits for: the states of its machine."""

from enum import Enum


class Phase(Enum):
    """What a connection waits for."""

    IDLE = "the next request"
    HEAD = "the rest of the head"
    BODY = "the rest of the body"
    QUEUED = "its turn"
    BUSY = "a thread"
    SENDING = "the client to read"
    PAUSING = "the time of the next event"
    LINGERING = "the client to notice a refusal"
    CLOSED = "nothing"


RECEIVING = frozenset({Phase.IDLE, Phase.HEAD, Phase.BODY})
"""In these the bytes at hand are judged as they come."""
