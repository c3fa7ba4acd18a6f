"""The workloads W1 to W3: what is sent in one round of one server, and the sample that it makes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from .answers import Expected, check_answer, check_stored
from .forked import in_a_fork
from .large_load import Content, LargeFile, Upload, send_large
from .place import Place, remove_files_of, touch_memory
from .samples import MIB, Sample
from .servers import Running
from .small_load import Collected, SmallLoad, send_small, status_and_body
from .small_requests import FILE_BYTES, FILE_FIELD, Kind, SmallRequests

GIB = 1 << 30
_MIB_A_GIB = GIB / MIB
_NUMBERS = 1_000_000
"""So many numbers are set aside for one small load; it sends fewer requests."""


@dataclass(slots=True)
class Bench:
    """What all workloads share: how large a file is, how long a small load lasts, and where files are.

    Each content has a number of its own, so that no two have the same bytes.
    """

    place: Place
    size: int
    seconds: float
    numbers: Iterable[int] = field(default_factory=lambda: itertools.count(1))

    def next_number(self) -> int:
        """A number that no content has had."""
        return next(iter(self.numbers))


class Workload(Protocol):
    """`rate` of its samples is in `unit` a second, and `cpu` in CPU seconds for `cpu_per` units."""

    @property
    def name(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def cpu_per(self) -> float: ...
    @property
    def cpu_unit(self) -> str: ...

    def prepare(self, bench: Bench) -> None:
        """Make what the rounds send."""

    def warm_up(self, bench: Bench, running: Running) -> None:
        """Do a little of it, so that the server has loaded everything. Raises WrongAnswerError."""

    def measure(self, bench: Bench, running: Running) -> Sample:
        """One round. Raises WrongAnswerError."""

    def finish(self, bench: Bench) -> None:
        """Remove what `prepare` has made."""


@dataclass(slots=True)
class LargeUpload:
    """W1: one file in a multipart body."""

    name: str
    title: str
    content: Content
    share: float = 1.0
    """Of the bench's size."""
    family: str = "w1"
    unit: str = "MiB"
    cpu_per: float = _MIB_A_GIB
    cpu_unit: str = "s/GiB"
    _file: LargeFile | None = None

    def prepare(self, bench: Bench) -> None:
        self._file = LargeFile(bench.place.contents, self.content, int(bench.size * self.share))

    def warm_up(self, bench: Bench, running: Running) -> None:
        small = LargeFile(bench.place.contents, self.content, min(bench.size, 8 * MIB))
        upload_once(running, small, bench.next_number())

    def measure(self, bench: Bench, running: Running) -> Sample:
        assert self._file is not None, "prepare makes it"
        return upload_once(running, self._file, bench.next_number())

    def finish(self, bench: Bench) -> None:
        if self._file is not None:
            self._file.remove()


def upload_once(running: Running, file: LargeFile, number: int, *, keep: bool = False) -> Sample:
    """One upload of a large file, checked; with `keep` it stays in the store. Raises WrongAnswerError."""
    server = running.server
    upload = Upload(running.port, server.path, server.form, file, number)
    touch_memory(file.size)
    before = running.session.usage()
    running.session.reset_peak()
    seconds, answer = in_a_fork(lambda: send_large(upload))
    used = running.session.usage().cpu_seconds - before.cpu_seconds
    peak = running.session.peak_bytes() - before.resident_bytes
    status, body = status_and_body(answer) if answer else (0, b"")
    if not 200 <= status < 300:
        return Sample(0.0, seconds, used, peak, (), errors=1)
    if server.checked and server.answers:
        check_answer(body, Expected(files=((FILE_FIELD, file.sha256(number)),)))
    if server.checked:
        check_stored(running.store, file.size, {file.sha256(number)})
    if not keep:
        remove_files_of(running.store, file.size)
    return Sample(file.size / MIB, seconds, used, peak, (seconds,))


@dataclass(frozen=True, slots=True)
class SmallUploads:
    """W2 and W3: small requests over keep-alive connections."""

    name: str
    title: str
    kind: Kind
    family: str
    connections: int = 32
    unit: str = "requests"
    cpu_per: float = 1e6
    cpu_unit: str = "us"

    def prepare(self, bench: Bench) -> None:
        """The requests need no files."""

    def warm_up(self, bench: Bench, running: Running) -> None:
        self._run(bench, running, min(1.0, bench.seconds / 2))

    def measure(self, bench: Bench, running: Running) -> Sample:
        return self._run(bench, running, bench.seconds)

    def finish(self, bench: Bench) -> None:
        """There is nothing to remove."""

    def _run(self, bench: Bench, running: Running, seconds: float) -> Sample:
        requests = SmallRequests(self.kind, running.server.path)
        first = bench.next_number() * _NUMBERS
        load = SmallLoad(running.port, requests, self.connections, seconds, first, _NUMBERS)
        return measured_load(bench, running, load)


def measured_load(bench: Bench, running: Running, load: SmallLoad) -> Sample:
    """The sample of a small load, whose answers are checked. Raises WrongAnswerError."""
    before = running.session.usage()
    running.session.reset_peak()
    answered = in_a_fork(lambda: _sent_and_checked(load, running.server.checked))
    used = running.session.usage().cpu_seconds - before.cpu_seconds
    peak = running.session.peak_bytes() - before.resident_bytes
    if running.server.checked and load.requests.kind == "multipart":
        check_stored(running.store, FILE_BYTES, answered.digests)
        if bench.place.in_memory:  # on a disk, creating files just after deleting many is slow
            remove_files_of(running.store, FILE_BYTES)
    latencies = answered.latencies
    return Sample(len(latencies), answered.seconds, used, peak, latencies, answered.errors)


@dataclass(frozen=True, slots=True)
class _Answered:
    seconds: float
    latencies: tuple[float, ...]
    digests: set[str]
    errors: int


def _sent_and_checked(load: SmallLoad, checked: bool) -> _Answered:
    collected: Collected = send_small(load)
    latencies: list[float] = []
    digests: set[str] = set()
    errors = collected.errors
    for number, seconds, answer in collected.answers:
        status, body = status_and_body(answer)
        if not 200 <= status < 300:
            errors += 1
            continue
        latencies.append(seconds)
        if checked:
            expected = load.requests.expected(number)
            check_answer(body, expected)
            digests.update(digest for _, digest in expected.files)
    return _Answered(collected.seconds, tuple(latencies), digests, errors)


WORKLOADS: tuple[Workload, ...] = (
    LargeUpload("w1", "W1: one file in multipart, random bytes", "random"),
    LargeUpload("w1-delimiters", "W1: one file in multipart, near-delimiters", "delimiters"),
    LargeUpload("w1-crlf", "W1: one file in multipart, CR LF only", "crlf"),
    SmallUploads("w2", "W2: three fields and a 4 KiB file, 32 connections", "multipart", "w2"),
    SmallUploads("w3", "W3: a urlencoded form, 32 connections", "urlencoded", "w3"),
    SmallUploads("w3-json", "W3: a JSON object, 32 connections", "json", "w3"),
)
