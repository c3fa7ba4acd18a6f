"""A backend inside this process whose parsers can be made to fail: MemoryError at the n-th call (H109).

The server listens on a socket of its own and runs in threads of its own; those are traced, ours is not.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from werkzeug.serving import make_server

from clients.launch import PROJECT_ROOT
from servers.flask_upload import create_app
from servers.settings import Settings
from servers.socket_server.listening import listen
from servers.socket_server.worker import Worker

_SERVERS = PROJECT_ROOT / "servers"
_READINGS: Mapping[str, str] = {"socket": "sansio", "flask": "flask_reading"}
_SHARED = tuple(str(_SERVERS / "contract" / name) for name in ("body.py", "form.py", "json_reader.py"))


class Injector:
    """Counts the calls of functions of a reading and of the body's builders, and makes one of them fail."""

    def __init__(self, reading: str, at: int) -> None:
        """`at`: the number of the call that fails, from 1; 0 only counts."""
        self.calls = 0
        self.hit = False
        self._at = at
        self._folder = str(_SERVERS / reading)

    def trace(self, frame: FrameType, event: str, _argument: Any) -> None:
        """A trace function that looks at calls alone."""
        if event != "call" or not self._is_watched(frame.f_code.co_filename):
            return
        self.calls += 1
        if self.calls == self._at:
            self.hit = True
            raise MemoryError("injected")

    def _is_watched(self, filename: str) -> bool:
        return filename.startswith(self._folder) or filename in _SHARED


@contextlib.contextmanager
def injected(name: str, store: Path, at: int = 0) -> Iterator[tuple[int, Injector]]:
    """Run that backend in threads; its port and its injector, which fails the call number `at`."""
    injector = Injector(_READINGS[name], at)
    threading.settrace(injector.trace)
    try:
        with _RUNNING[name](
            replace(Settings(), port=0, quiet=True, store=str(store), durability="fast")
        ) as port:
            yield port, injector
    finally:
        threading.settrace(None)


@contextlib.contextmanager
def _socket(settings: Settings) -> Iterator[int]:
    sockets = listen(settings)
    worker = Worker(sockets, settings.context(settings.open_store()))
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield sockets[0].getsockname()[1]
    finally:
        worker.loop.call_soon_from_thread(worker.stop)
        thread.join()


@contextlib.contextmanager
def _flask(settings: Settings) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


_RUNNING: Mapping[str, Callable[[Settings], contextlib.AbstractContextManager[int]]] = {
    "socket": _socket,
    "flask": _flask,
}
