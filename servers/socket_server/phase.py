"""The states of one connection: what it waits for, and how it moves from one to the next.

    phase      waits for                          watches  deadline, and what happens then
    IDLE       the first byte of a request        READ     keep_alive_timeout: close
    HEAD       the rest of the head               READ     head_timeout from its first byte: 408
    BODY       the rest of the body               READ     idle time-out or minimum rate: 408
    QUEUED     its turn, after other connections  -        -
    BUSY       a thread that handles the request  READ     -
    SENDING    room in the socket                 WRITE    send_timeout without progress: close
    READING    a thread that reads a stored file  -        -
    PAUSING    the next event of a stream         READ     the event is due: send it
    LINGERING  the end of the client's side       READ     LINGER_SECONDS: close
    CLOSED     nothing                            -        -

BUSY watches nothing while the thread receives a large body itself (`large_body.py`). BUSY and PAUSING stop
watching when enough was received ahead or the client has ended its side.

    from               to         when
    IDLE               HEAD       a head has begun and is not complete
    IDLE, HEAD         BODY       the head is complete
    IDLE, BODY         QUEUED     this connection has used up its turn
    QUEUED             BODY       its turn has come, and a request is under way
    QUEUED             IDLE       its turn has come, and no request is under way
    BODY               BUSY       a large piece is parsed, or the store is used, in a thread
    BUSY               BODY       the thread has finished
    IDLE, HEAD, BODY   SENDING    the request is complete, or a Problem refuses it
    SENDING            READING    the next block of a stored file is read in a thread
    READING            SENDING    the thread has finished
    SENDING            PAUSING    the next event is not due yet
    PAUSING            SENDING    it is due
    SENDING            IDLE       the response is sent, and the connection is kept
    SENDING            LINGERING  the last response is sent, and the client has not ended its side
    any                CLOSED     the client has gone, the last response is sent, or a deadline says so

In BUSY and READING the connection stays open until the thread has finished, even if the client has gone. So
no more work waits for a thread than there are connections, and no file is closed while a thread uses it.
"""

from enum import Enum


class Phase(Enum):
    """What a connection waits for."""

    IDLE = "the next request"
    HEAD = "the rest of the head"
    BODY = "the rest of the body"
    QUEUED = "its turn"
    BUSY = "a thread"
    SENDING = "the client to read"
    READING = "a thread that reads a file"
    PAUSING = "the time of the next event"
    LINGERING = "the client to notice a refusal"
    CLOSED = "nothing"


RECEIVING = frozenset({Phase.IDLE, Phase.HEAD, Phase.BODY})
"""In these phases received bytes are parsed as they arrive."""

IN_THREAD = frozenset({Phase.BUSY, Phase.READING})
"""In these phases a thread uses the request or the response."""

COUNTED_AS = {
    Phase.IDLE: "idle",
    Phase.HEAD: "reading_head",
    Phase.BODY: "reading_body",
    Phase.QUEUED: "working",
    Phase.BUSY: "working",
    Phase.SENDING: "responding",
    Phase.READING: "responding",
    Phase.PAUSING: "responding",
    Phase.LINGERING: "closing",
    Phase.CLOSED: "closing",
}
"""What a connection in this phase is for the metrics, see `contract.metrics.CONNECTION_PHASES`."""
