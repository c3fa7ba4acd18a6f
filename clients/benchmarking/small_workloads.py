"""W2 and W3: small requests. W4 and W6: the same beside idle connections and beside slow uploads."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from .answers import check_stored
from .beside import Held, idle_connections, slow_uploads
from .place import remove_files_of
from .samples import Sample
from .serving import Running
from .small_answers import sent_and_checked
from .small_load import SmallLoad
from .small_requests import FILE_BYTES, Kind, SmallRequests
from .workloads import Bench

_NUMBERS = 1_000_000
"""So many numbers are set aside for one small load; it sends fewer requests."""
_WARM_UP_SECONDS = 1.0
_KIB = 1024


@dataclass(frozen=True, slots=True)
class SmallUploads:
    """Requests of one kind over keep-alive connections."""

    name: str
    title: str
    kind: Kind
    family: str
    connections: int = 32
    unit: str = "requests"
    cpu_per: float = 1e6
    cpu_unit: str = "us/request"

    def prepare(self, bench: Bench) -> None:
        """The requests need no files."""

    def warm_up(self, bench: Bench, running: Running) -> Sample:
        """A short load, with nothing beside it."""
        return self._load(bench, running, min(_WARM_UP_SECONDS, bench.seconds), nullcontext(Held()))

    def measure(self, bench: Bench, running: Running) -> Sample:
        """One load."""
        return self._load(bench, running, bench.seconds, self.beside(running.port))

    def finish(self) -> None:
        """There is nothing to remove."""

    def _load(
        self, bench: Bench, running: Running, seconds: float, beside: AbstractContextManager[Held]
    ) -> Sample:
        requests = SmallRequests(self.kind, running.server.path)
        first = bench.next_number() * _NUMBERS
        load = SmallLoad(running.port, requests, self.connections, seconds, first, _NUMBERS)
        before = running.session.usage()
        running.session.reset_peak()
        with beside as held:
            opened = running.session.usage()
            checked = running.server.checked
            answered = sent_and_checked(load, bench.sender, bench.place.contents, checked)
            used = running.session.usage().cpu_seconds - opened.cpu_seconds
            extra = self.held_figures(held, opened.resident_bytes - before.resident_bytes)
        peak = running.session.peak_bytes() - before.resident_bytes
        if checked and self.kind == "multipart":
            check_stored(running.store, FILE_BYTES, answered.digests)
            if bench.place.in_memory:  # on a disk, creating files just after deleting many is slow
                remove_files_of(running.store, FILE_BYTES)
        return Sample(
            work=answered.count,
            seconds=answered.seconds,
            cpu_seconds=used,
            peak_bytes=peak,
            latencies=answered.latencies,
            errors=answered.errors,
            extra=extra,
            failure=answered.failure,
        )

    def beside(self, port: int) -> AbstractContextManager[Held]:
        """What goes on at the same time."""
        return nullcontext(Held())

    def held_figures(self, held: Held, grown_bytes: int) -> dict[str, float]:
        """The figures of what goes on at the same time, for which memory has grown by so many bytes."""
        return {}


@dataclass(frozen=True, slots=True)
class BesideIdle(SmallUploads):
    """W2 while `idle` connections are open that send nothing."""

    idle: int = 1000

    def beside(self, port: int) -> AbstractContextManager[Held]:
        """Open them."""
        return idle_connections(port, self.idle)

    def measure(self, bench: Bench, running: Running) -> Sample:
        """One load with nothing beside it, and then the one that counts."""
        alone = self._load(bench, running, bench.seconds, nullcontext(Held()))
        sample = SmallUploads.measure(self, bench, running)
        to_alone = {"to_alone": sample.rate / alone.rate} if alone.rate else {}
        return replace(sample, extra={**sample.extra, **to_alone})

    def held_figures(self, held: Held, grown_bytes: int) -> dict[str, float]:
        """How many were still open at the end, and the memory of each one that was opened."""
        grown = max(0, grown_bytes) / _KIB
        return {"held": held.count(), "idle_kib": grown / held.opened if held.opened else 0.0}


@dataclass(frozen=True, slots=True)
class BesideSlow(SmallUploads):
    """W2 while `slow` other clients upload a few bytes a second."""

    slow: int = 200

    def beside(self, port: int) -> AbstractContextManager[Held]:
        """Begin them."""
        return slow_uploads(port, self.slow)

    def held_figures(self, held: Held, grown_bytes: int) -> dict[str, float]:
        """How many were still open at the end."""
        return {"held": held.count()}
