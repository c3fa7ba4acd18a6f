"""Backends that the page starts for itself, when no URL is given."""

from __future__ import annotations

import threading

from ..launch import LaunchError, RunningBackend, start


class OwnServer:
    """A backend on a free port, which lives until `stop`.

    It is started and stopped by a thread of its own. The kernel ends a backend together with the thread that
    started it, and Streamlit uses a new thread for each run of the page. Raises LaunchError when the backend
    does not start.
    """

    def __init__(self, name: str) -> None:
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._backend: RunningBackend | None = None
        self._error: LaunchError | None = None
        self._thread = threading.Thread(target=self._hold, args=(name,), name=f"own-{name}", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error

    @property
    def url(self) -> str:
        """Its URL, without a final slash."""
        assert self._backend is not None
        return self._backend.url

    @property
    def pid(self) -> int:
        """The process id of its first process."""
        assert self._backend is not None
        return self._backend.pid

    def stop(self) -> None:
        """Stop the backend and remove its store. Returns when all its processes have ended."""
        self._stopping.set()
        self._thread.join()

    def _hold(self, name: str) -> None:
        try:
            with start(name) as self._backend:
                self._ready.set()
                self._stopping.wait()
        except LaunchError as error:
            self._error = error
        finally:
            self._ready.set()
