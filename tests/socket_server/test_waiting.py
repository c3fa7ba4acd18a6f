"""What a connection is in when the system does not let it wait."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from errno import ENOSPC
from typing import Any

import pytest

from servers.socket_server.loop import READ, Loop
from servers.socket_server.phase import Phase
from servers.socket_server.waiting import Waiting


class _Waiter:
    """A connection of nobody."""

    client = None

    def on_ready(self) -> None:
        """The socket is ready."""

    def guard(self, step: Callable[[], None]) -> None:
        """Run it."""
        step()

    def on_deadline(self) -> None:
        """There is none."""

    def discard(self, outcome: Future[Any]) -> None:
        """Nothing is kept."""


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop that does not run."""
    loop = Loop(1)
    yield loop
    loop.stop()
    loop.run()


def test_if_the_socket_cannot_be_watched_no_thread_works(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is closed then. In BUSY it would leave its files to a thread that never comes."""

    def watch(*_: object) -> None:
        raise OSError(ENOSPC, "no space for one more socket")

    begun: list[str] = []
    with socket.socket() as sock:
        waiting = Waiting(sock, loop, _Waiter())
        waiting.phase = Phase.BODY
        monkeypatch.setattr(loop, "watch", watch)
        with pytest.raises(OSError, match="one more socket"):
            waiting.for_thread(
                lambda: begun.append("work"), lambda _: begun.append("then"), phase=Phase.BUSY, events=READ
            )
    assert (waiting.phase, begun) == (Phase.BODY, [])
