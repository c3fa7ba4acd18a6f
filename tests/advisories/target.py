"""A server under attack: its port, processes, store and log."""

import os
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from clients.launch import RunningBackend, start
from tests.advisories import measures
from tests.advisories.conversation import SECONDS, Reply, talk
from tests.patience import patient

ALIVE_SECONDS = 5.0
TOKEN = "a-token-of-the-tests"
_PULSE_SECONDS = 0.25
_LOG_SECONDS = 0.2  # much longer than a line waits until it is written
_HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n"

# The settings of servers that are not the default one. Rows with many files test parsing, so they use the
# memory store, which works in one process only.
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "disk": {},
    "memory": {"WIREPROOF_STORE": "memory:", "WIREPROOF_WORKERS": "1"},
    "small": {
        "WIREPROOF_MAX_BODY": str(measures.MIB),
        "WIREPROOF_HEAD_TIMEOUT": "2",
        "WIREPROOF_KEEP_ALIVE_TIMEOUT": "2",
    },
    "fast": {"WIREPROOF_DURABILITY": "fast"},
    "token": {"WIREPROOF_TOKEN": TOKEN},
    "optimised": {"PYTHONOPTIMIZE": "1"},
}


@dataclass(slots=True)
class Target:
    """One running server; `name` is its backend's, `variant` a key of VARIANTS."""

    name: str
    variant: str
    backend: RunningBackend
    slowest: float = field(default=0.0)

    @property
    def port(self) -> int:
        return self.backend.port

    @property
    def pid(self) -> int:
        return self.backend.pid

    def talk(
        self,
        pieces: Iterable[bytes] | bytes,
        *,
        expected: int = 1,
        half_close: bool = False,
        methods: tuple[bytes, ...] | None = None,
        seconds: float = SECONDS,
    ) -> Reply:
        """`conversation.talk` with this server."""
        return talk(
            self.port, pieces, expected=expected, half_close=half_close, methods=methods, seconds=seconds
        )

    def connect(self) -> socket.socket:
        """A new connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=patient(SECONDS))

    def log(self) -> str:
        """The log without the lines of `/healthz`, when no other has come for a while: they come late."""
        before = None
        while (log := self._logged()) != before:
            before = log
            time.sleep(_LOG_SECONDS)
        return log

    def _logged(self) -> str:
        lines = self.backend.log().splitlines(keepends=True)
        return "".join(line for line in lines if " /healthz " not in line)

    def stored(self) -> frozenset[str]:
        """The names of all stored files; empty for a store in memory.

        Only hashes count: `/healthz` tries the store with a file of another name.
        """
        return frozenset(path.name for path in (self.backend.store / "files").glob("[0-9a-f]" * 64))

    def temporary(self) -> list[Path]:
        """What the store holds besides its marker and stored files: leftovers, or uploads in progress.

        Uploads that come in pieces stay until they are complete, or expire.
        """
        store = self.backend.store
        # os.walk lets folders vanish while it looks.
        walked = ((Path(folder), names, more) for folder, names, more in os.walk(store))
        inside = [folder / name for folder, names, more in walked for name in (*names, *more)]
        ours = {store / "files", store / "staging", store / "wireproof-store"}
        others = [path for path in inside if path not in ours and path.parent.name != "files"]
        return [path for path in others if path.relative_to(store).parts[0] != "resumable"]

    @contextmanager
    def alive(self) -> Iterator[None]:
        """ALIVE: until the end of the context, each other connection is served within `patient(5)` seconds,
        and no process is replaced."""
        pids = measures.tree(self.pid)
        pulse = _Pulse(self.port)
        try:
            yield
        finally:
            pulse.stop()
        assert not pulse.failure, f"not ALIVE: {pulse.failure}"
        assert measures.tree(self.pid) == pids, "not ALIVE: a process of the server was replaced"
        self.slowest = max(self.slowest, pulse.slowest)


def start_variant(name: str, variant: str) -> Target:
    """Start a backend with what that variant sets."""
    env = VARIANTS[variant]
    # The socket server's command names its store, which goes before the environment.
    memory = name == "socket" and "WIREPROOF_STORE" in env
    flags = ("--store", env["WIREPROOF_STORE"]) if memory else ()
    return Target(name, variant, start(name, env=env, flags=flags))


class _Pulse:
    """Requests /healthz over new connections, again and again, until `stop`."""

    def __init__(self, port: int) -> None:
        self.failure = ""
        self.slowest = 0.0
        self._port = port
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self.failure:
            started = time.monotonic()
            self._ask()
            self.slowest = max(self.slowest, time.monotonic() - started)
            if self._stopped.wait(_PULSE_SECONDS):
                return

    def _ask(self) -> None:
        try:
            began = time.monotonic()
            reply = talk(self._port, _HEALTH, half_close=True)
        except OSError as error:
            self.failure = f"/healthz: {error}"
            return
        seconds = time.monotonic() - began
        if not reply.responses or reply.responses[0].status != 200 or seconds > patient(ALIVE_SECONDS):
            self.failure = f"/healthz: {reply.raw[:80]!r} ({reply.fault or 'late'}, {seconds:.1f} s)"
