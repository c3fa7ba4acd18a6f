"""The history for sending: the row of a request that was sent, and the bytes of one to send again."""

import time
from typing import Any

from ..contract.problems import Problem
from .history import History
from .history_writer import Busy, Failed
from .message import Message, Piece
from .recorded import methods_in
from .redaction import redact_any

# The history writes what has happened within some 50 milliseconds.
_LOOK_SECONDS = 0.5
_POLL_SECONDS = 0.02


def last_change(history: History) -> int:
    """The number of the last change of the history, before a message is sent. Raises Busy and Failed."""
    with history.reading() as connection:
        return int(connection.execute("SELECT change FROM counters").fetchone()["change"])


def row_after(history: History, change: int, message: Message) -> int | None:
    """The number of the request that the message has become, or None if no row has its bytes soon.

    A server with another store writes no row here.
    """
    beginning = redact_any(message.beginning())
    deadline = time.monotonic() + _LOOK_SECONDS
    try:
        while (found := _find(history, change, message.size, beginning)) is None:
            if time.monotonic() > deadline:
                return None
            time.sleep(_POLL_SECONDS)
    except (Busy, Failed):
        return None
    return found


def _find(history: History, change: int, size: int, beginning: bytes) -> int | None:
    with history.reading() as connection:
        rows = connection.execute(
            "SELECT id, kept FROM requests WHERE change > ? AND total = ? ORDER BY change DESC",
            (change, size),
        )
        return next((row["id"] for row in rows if _begins(row["kept"], beginning)), None)


def _begins(kept: bytes | None, beginning: bytes) -> bool:
    if kept is None:
        return False
    length = min(len(kept), len(beginning))
    return kept[:length] == beginning[:length]


def message_again(row: Any) -> Message:
    """The kept bytes of a request. Raises Problem `bad_value` if they are not those that were sent."""
    kept, total = row["kept"], row["total"]
    if kept is None:
        raise Problem("bad_value", "no server saw the bytes of this request, so they cannot be sent again")
    if row["redacted"]:
        raise Problem("bad_value", "this request had credentials, and the history does not keep them")
    if len(kept) != total:
        raise Problem("bad_value", f"the history keeps {len(kept)} of the {total} bytes of this request")
    return Message(methods_in(kept), (Piece(kept),), verbatim=True)
