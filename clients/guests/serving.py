"""Serves a guest on a free port of 127.0.0.1 while it is asked."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ..launch import HOST, free_port
from ..packages import environment_of_tools
from ..programs import AbsentError, filled
from .table import SCRIPTS, Guest

_START_SECONDS = 30.0
_POLL_SECONDS = 0.02


@contextmanager
def serving(guest: Guest, folder: Path) -> Iterator[str]:
    """The URL of the guest. Raises AbsentError when it does not start."""
    port = free_port()
    command = [word.replace("{port}", str(port)) for word in filled(guest.command, folder, SCRIPTS)]
    log = folder / "log"
    with (
        # Many parsers leave the files of an upload behind.
        TemporaryDirectory(prefix="wireproof-guest-", ignore_cleanup_errors=True) as temporaries,
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment_of_tools() | {"TMPDIR": temporaries},
        ) as process,
    ):
        try:
            _wait(process, port, guest, log)
            yield f"http://{HOST}:{port}/"
        finally:
            process.kill()


def _wait(process: subprocess.Popen[bytes], port: int, guest: Guest, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > deadline:
            end = log.read_text("utf-8", "replace")[-2000:]
            raise AbsentError(f"{guest.name} did not start:\n{end}")
        time.sleep(_POLL_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex((HOST, port)) == 0
