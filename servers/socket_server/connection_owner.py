"""What a connection needs of the worker that it belongs to."""

import socket
from typing import TYPE_CHECKING, Protocol

from ..contract.remembered import KnownHeads
from ..contract.route import Context
from ..sansio.connection import HeadReceived
from .loop import Loop

if TYPE_CHECKING:
    from .connection import Connection
    from .observer import Observer


class ConnectionOwner(Protocol):
    """A worker, as its connections see it. With `stopping` idle connections are closed, too."""

    loop: Loop
    context: Context
    known_heads: KnownHeads[HeadReceived]
    stopping: bool

    @property
    def leaves(self) -> bool:
        """Whether each response is the last one of its connection."""

    def observer(self, sock: socket.socket) -> "Observer | None":
        """The observer that prints this connection's bytes (`--wire`), or None."""

    def connection_closed(self, connection: "Connection") -> None:
        """Called once, when the connection is closed."""
