"""A worker in a thread of this process: it starts in milliseconds, with any limits and any store."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from servers.contract.limits import Limits
from servers.contract.shutdown import Shutdown
from servers.settings import Settings
from servers.socket_server.listening import listen
from servers.socket_server.wire.screen import Screen
from servers.socket_server.worker import Worker
from servers.storage.base import Store
from servers.storage.memory import MemoryStore
from tests.socket_server.client import Client

_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02


@dataclass
class Served:
    """A running worker, and the store that it uses."""

    worker: Worker
    thread: threading.Thread
    port: int
    store: Store

    def client(self, *, receive_buffer: int = 0) -> Client:
        return Client(self.port, receive_buffer=receive_buffer)

    def do(self, step: Callable[[], None]) -> None:
        """Let the loop call this, and return when it has: on a busy machine that takes a while."""
        done = threading.Event()

        def step_of_the_loop() -> None:
            step()
            done.set()

        self.worker.loop.call_soon_from_thread(step_of_the_loop)
        while not done.wait(_POLL_SECONDS) and self.thread.is_alive():
            pass

    def stop(self) -> None:
        """Stop the worker as SIGTERM does."""
        self.do(self.worker.stop)

    def ended(self, seconds: float) -> bool:
        """Whether the worker ends by itself within so many seconds."""
        self.thread.join(seconds)
        return not self.thread.is_alive()


@contextmanager
def serving(
    store: Store | None = None,
    *,
    delay: float = 0.0,
    grace: float = 5.0,
    token: str | None = None,
    screen: Screen | None = None,
    **limits: int,
) -> Iterator[Served]:
    """Serve on a free port of 127.0.0.1 until the context ends."""
    store = MemoryStore() if store is None else store
    settings = Settings(port=0, token=token, quiet=True, limits=replace(Limits(), **limits))
    listeners = listen(settings)
    port: int = listeners[0].getsockname()[1]
    context = replace(settings.context(store), shutdown=Shutdown(delay, grace))
    worker = Worker(listeners, context, screen=screen)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            worker.run()
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=run, name="worker")
    thread.start()
    served = Served(worker, thread, port, store)
    try:
        yield served
    finally:
        for stop in (worker.stop, worker.stop_at_once):
            if thread.is_alive():
                worker.loop.call_soon_from_thread(stop)
                thread.join(0.2)
        thread.join(_STOP_SECONDS)
        _close_what_is_left(worker)
    assert failures == []
    assert not thread.is_alive()


def _close_what_is_left(worker: Worker) -> None:
    """A worker that ends at once does not close its sockets, because its process usually ends too."""
    connections: Any = worker._connections
    for connection in connections:
        leftover: socket.socket = connection._socket
        leftover.close()
        response = connection._sender._outbox._response
        if response is not None:
            response.close()
