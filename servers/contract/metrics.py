"""What a backend tells the metrics, if they are on. The backends know only this protocol."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .request_log import RequestRecord

CONNECTION_PHASES = ("idle", "reading_head", "reading_body", "working", "responding", "closing")
"""What a connection may be counted as. `working`: the request waits for its turn, a thread or the disk."""


class Metrics(Protocol):
    """Counts what one process does. No method but `exposition` and `drain` waits, and only it raises."""

    connections: Callable[[], Mapping[str, int]] | None
    """How many connections of this process are in each of the `CONNECTION_PHASES`.

    None: this server cannot tell. Another thread calls it, twice a second.
    """

    def begin(self, backend: str) -> None:
        """Count in this process. Call it in the process that serves, because a fork would lose a thread.

        Further calls do nothing. What was counted before the first one is forgotten.
        """

    def request_ended(self, record: "RequestRecord", seconds: float) -> None:
        """A request is over. It took so many seconds, counted as in the log."""

    def exposition(self) -> bytes:
        """The values of all processes of this server, in the text format of Prometheus. Raises OSError."""

    def drain(self) -> None:
        """Let the other processes see what was counted. Call it before the process ends. Never raises."""
