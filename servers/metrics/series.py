"""The numbers of one process in the files that the multiprocess mode of prometheus-client reads.

Its own classes are not used to write. They take a lock and several writes for each number, and a file that
grows in a file system that is full ends the process with SIGBUS. Here the files have their full size before
they are mapped, and they never grow.
"""

import struct
from contextlib import suppress
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict, mmap_key

from .definitions import OTHER, Kind, Metric
from .tallies import Durations

_GAUGE = "gauge_livesum"  # the sum over the processes that live
_MIB = 1024 * 1024
# Thousands of series of the requests; the others are few.
SIZES: dict[Kind, int] = {"counter": _MIB, "histogram": _MIB // 4, "gauge": _MIB // 16}
_FILES: dict[Kind, str] = {"counter": "counter", "histogram": "histogram", "gauge": _GAUGE}
_HEADER = 8
# Beside its key: the length, at most 8 bytes of padding, the value and a time.
_ENTRY = 4 + 8 + struct.calcsize("dd")


class Series:
    """All series of the process that has the slot `slot` in `folder`.

    Counters and histograms go on from what the last process in this slot has left. Only one thread may use it
    at a time. Raises OSError if there is no room for its files.
    """

    def __init__(self, folder: Path, slot: str) -> None:
        (folder / f"{_GAUGE}_{slot}.db").unlink(missing_ok=True)
        self._files: dict[Kind, _File] = {}
        self._keys: dict[tuple[str, tuple[str, ...]], str] = {}
        self._whole: set[tuple[str, tuple[str, ...]]] = set()  # the histograms whose buckets are all written
        try:
            for kind, name in _FILES.items():
                self._files[kind] = _File(folder / f"{name}_{slot}.db", SIZES[kind])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the files. What they have stays."""
        for file in self._files.values():
            file.close()

    def add(self, metric: Metric, labels: tuple[str, ...], amount: float) -> None:
        """Add to a counter. When there is no room for one more series, it counts among the others."""
        file = self._files["counter"]
        key = self._key(metric, metric.name, metric.labels, labels)
        if not file.has_room_for(key):
            key = self._key(metric, metric.name, metric.labels, (OTHER,) * len(labels))
        file.add(key, amount)

    def set(self, metric: Metric, labels: tuple[str, ...], value: float) -> None:
        """Set a gauge of this process."""
        self._files["gauge"].set(self._key(metric, metric.name, metric.labels, labels), value)

    def observe(self, metric: Metric, labels: tuple[str, ...], durations: Durations) -> None:
        """Add durations to a histogram. Once, the buckets that were never hit are written, too."""
        file = self._files["histogram"]
        is_new = (metric.name, labels) not in self._whole
        self._whole.add((metric.name, labels))
        file.add(self._key(metric, metric.name + "_sum", metric.labels, labels), durations.total)
        for bound, number in zip((*metric.bounds, float("inf")), durations.buckets, strict=True):
            if number or is_new:
                bucket = (*labels, str(bound))
                file.add(self._key(metric, metric.name + "_bucket", (*metric.labels, "le"), bucket), number)

    def reserve(self, metric: Metric) -> None:
        """Begin the series of a counter that counts what has no room of its own."""
        self.add(metric, (OTHER,) * len(metric.labels), 0)

    def _key(self, metric: Metric, name: str, names: tuple[str, ...], values: tuple[str, ...]) -> str:
        key = self._keys.get((name, values))
        if key is None:
            family = metric.name.removesuffix("_total")
            key = self._keys[name, values] = mmap_key(family, name, list(names), list(values), metric.help)
        return key


class _File:
    """One file of a process, of a fixed size."""

    def __init__(self, path: Path, size: int) -> None:
        if not path.exists():
            _make(path, size)
        self._values = MmapedDict(str(path))
        keys = [key for key, _value, _time in self._values.read_all_values()]
        self._known = set(keys)
        self._room = size - _HEADER - sum(map(_size, keys))

    def has_room_for(self, key: str) -> bool:
        """Whether it has this series, or has room for it."""
        return key in self._known or _size(key) <= self._room

    def add(self, key: str, amount: float) -> None:
        """Add to a value. A new one is 0 before."""
        if key not in self._known:
            self.set(key, amount)
        elif amount:
            self.set(key, self._values.read_value(key)[0] + amount)

    def set(self, key: str, value: float) -> None:
        """Set a value."""
        if key not in self._known:
            if not self.has_room_for(key):
                raise OSError(f"there is no room for one more series: {key}")
            self._known.add(key)
            self._room -= _size(key)
        self._values.write_value(key, value, 0.0)

    def close(self) -> None:
        """Close it."""
        self._values.close()


def _size(key: str) -> int:
    return len(key.encode()) + _ENTRY


def _make(path: Path, size: int) -> None:
    """A file of zeros, whole or not at all. Zeros that are written take their room now, unlike a hole."""
    unfinished = path.with_suffix(".new")
    try:
        with unfinished.open("wb") as file:
            file.write(bytes(size))
        unfinished.rename(path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink()
        raise
