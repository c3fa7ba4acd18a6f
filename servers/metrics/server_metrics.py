"""Counts what the processes of a server do, and shows it for `GET /metrics`.

A request adds to plain numbers in memory (`tallies`) and does nothing else. Twice a second a thread adds
these numbers to the files of this process (`series`), which are in a folder that all processes of the server
share (`shared_folder`). Whichever process gets `GET /metrics`, it writes its own numbers down, and then sums
up the files of all. So the numbers of the others are about half a second old, and a process that is killed
loses no more than that.
"""

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from ..contract.metrics import CONNECTION_PHASES
from ..contract.version import version
from . import definitions as known
from .series import Series
from .shared_folder import SharedFolder
from .tallies import Counted, Durations, Tallies

LOG = logging.getLogger("wireproof.metrics")
_WRITE_SECONDS = 0.5


class ServerMetrics(Tallies):
    """See `contract.metrics.Metrics`. Any thread may use it.

    `uploads` says how many uploads are in flight in this process. If the files cannot be made, the log says
    so once, requests are served as ever, and the numbers wait in memory until the files can be made.
    """

    def __init__(self) -> None:
        self.connections: Callable[[], Mapping[str, int]] | None = None
        self.uploads: Callable[[], int] | None = None
        self._folder: SharedFolder | None = None
        self._beginning = threading.Lock()
        self._process = 0
        self._forget("")

    def _forget(self, backend: str) -> None:
        self._backend = backend
        super().__init__()
        self._slot: str | None = None
        self._series: Series | None = None
        self._writing = threading.Lock()
        self._failure: str | None = None

    def prepare(self) -> None:
        """Make the folder for this process and those that it forks. Call it before the first fork.

        Raises OSError.
        """
        if self._folder is None:
            self._folder = SharedFolder()
            atexit.register(self._end)

    def begin(self, backend: str) -> None:
        """Count in this process from now on, see `contract.metrics.Metrics`."""
        if self._process == os.getpid():
            return
        with self._beginning:
            if self._process == os.getpid():
                return
            self._forget(backend)
            self._process = os.getpid()
        with suppress(RuntimeError):  # no more threads: then `exposition` alone writes the numbers down
            threading.Thread(target=self._run, name="metrics", daemon=True).start()

    def exposition(self) -> bytes:
        """The values of all processes, see `contract.metrics.Metrics`."""
        self.drain()
        folder = self._folder
        if folder is None or not folder.path.is_dir():
            raise FileNotFoundError("the folder of the metrics is gone")
        with folder.free_slots() as slots:
            for slot in slots:  # processes that have ended have no uploads and no connections
                mark_process_dead(slot, str(folder.path))
        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(folder.path))
        return generate_latest(registry)

    def drain(self) -> None:
        """Write down what was counted, see `contract.metrics.Metrics`."""
        if self._process != os.getpid():
            return
        try:
            with self._writing:
                self._write()
        except Exception as error:
            self._fail(error)
        else:
            self._failure = None

    def _end(self) -> None:
        """This process ends, or one that it has forked."""
        self.drain()
        if self._folder is not None:
            self._folder.remove()

    def _run(self) -> None:
        while True:
            self.drain()
            time.sleep(_WRITE_SECONDS)

    def _write(self) -> None:
        series = self._series
        if series is None:
            series = self._series = self._begun_series()
        _add(series, self.take())
        series.set(known.WORKERS, (self._backend, version()), 1)
        if self.uploads is not None:
            series.set(known.UPLOADS, (), self.uploads())
        if self.connections is not None:
            phases = self.connections()
            for phase in CONNECTION_PHASES:
                series.set(known.CONNECTIONS, (phase,), phases.get(phase, 0))

    def _fail(self, error: Exception) -> None:
        failure = f"{type(error).__name__}: {error}"
        if failure != self._failure:
            self._failure = failure
            LOG.error("this process cannot show what it counts: %s", failure)

    def _begun_series(self) -> Series:
        """The series of this process. Those that an alert may be about are there from the start."""
        self.prepare()
        assert self._folder is not None
        if self._slot is None:
            self._slot = self._folder.take_slot()
        series = Series(self._folder.path, self._slot)
        for metric in known.METRICS:
            if metric.kind == "counter":
                series.reserve(metric)
        for operation in known.OPERATIONS:
            series.observe(known.STORE_DURATION, (operation,), Durations(known.STORE_DURATION.bounds))
            for code in known.STORE_CODES:
                series.add(known.STORE_ERRORS, (operation, code), 0)
        return series


def _add(series: Series, counted: Counted) -> None:
    for (route, method, status, code), tally in counted.requests.items():
        of_route = (route or "",)
        series.add(known.REQUESTS, (*of_route, method or "", str(status or ""), code or ""), tally.count)
        series.add(known.RECEIVED, of_route, tally.received)
        series.add(known.SENT, of_route, tally.sent)
        series.observe(known.DURATION, of_route, tally)
    for operation, durations in counted.store.items():
        series.observe(known.STORE_DURATION, (operation,), durations)
    for labels, number in counted.store_errors.items():
        series.add(known.STORE_ERRORS, labels, number)
