"""The backends as they are, but each event of `/stream_echo` leaves a line in a file when it is made.

`python -m tests.streams.watched` is the socket server, `tests.streams.watched:app` the Flask application and
`tests.streams.watched:fastapi_app` FastAPI's. The file is named by WATCHED_EVENTS. A line is the JSON of
`[query, index, time]`, with the index -1 when the generator has been closed; the monotonic clock is one for
all processes.
"""

import json
import os
import re
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from clients.launch import BACKENDS, RunningBackend, start
from servers.contract.responses import Event
from servers.routes import stream_echo

WATCHED_EVENTS = "WATCHED_EVENTS"
_CLOSED = -1
_make = stream_echo._characters


def _watched(query: str, delay: float) -> Generator[Event, None, None]:
    with Path(os.environ[WATCHED_EVENTS]).open("a", buffering=1) as record:

        def note(index: int) -> None:
            record.write(json.dumps([query, index, time.monotonic()]) + "\n")

        try:
            for index, event in enumerate(_make(query, delay)):
                note(index)
                yield event
        finally:
            note(_CLOSED)


def _watch() -> None:
    stream_echo._characters = _watched


def __getattr__(name: str) -> Any:
    if name not in ("app", "fastapi_app"):
        raise AttributeError(name)
    _watch()
    backend = import_module("servers.flask_upload" if name == "app" else "servers.fastapi_upload")
    app = globals()[name] = backend.create_app()
    return app


@dataclass(frozen=True)
class Watched:
    """A running backend whose events are recorded in `record`."""

    backend: RunningBackend
    record: Path

    @property
    def url(self) -> str:
        return f"{self.backend.url}/stream_echo"

    def made(self, query: str) -> list[float]:
        """When each event of `query` was made, on the monotonic clock."""
        return [at for index, at in self._lines(query) if index != _CLOSED]

    def closed(self, query: str) -> list[float]:
        """When each generator for `query` was closed."""
        return [at for index, at in self._lines(query) if index == _CLOSED]

    def _lines(self, query: str) -> list[tuple[int, float]]:
        if not self.record.exists():
            return []
        whole = self.record.read_text("ascii").rpartition("\n")[0]
        lines = map(json.loads, whole.splitlines())
        return [(index, at) for of, index, at in lines if of == query]


@contextmanager
def watched(name: str, folder: Path, *, flags: tuple[str, ...] = ()) -> Iterator[Watched]:
    """Start the backend `name` with an eye on its events; `folder` gets the record."""
    record = folder / f"{name}-events"
    kind = BACKENDS[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKENDS, name, replace(kind, command=tuple(_watched_command(kind.command))))
        backend = start(name, env={WATCHED_EVENTS: str(record)}, flags=flags)
    with backend:
        yield Watched(backend, record)


def _watched_command(command: tuple[str, ...]) -> Iterator[str]:
    for word in command:
        word = word.replace("servers.fastapi_upload:app", f"{__name__}:fastapi_app")
        yield re.sub(r"^servers\.(socket|flask)_upload$", __name__, word)
        if word.endswith("gunicorn_conf"):
            yield f"{__name__}:app"  # instead of the application that the settings name


if __name__ == "__main__":
    from servers.socket_upload import main

    _watch()
    main()
