"""What one round measured, and the figures that several rounds make: medians, ratios, percentiles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

MIB = 1 << 20


class WrongAnswerError(Exception):
    """A server said that it had read something else than was sent, or stored other bytes: its run is void."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one server.

    `work` is how many units were done in `seconds` (requests, MiB; the workload names the unit), without
    those that failed, which are `errors`. `cpu_seconds` are those of all processes of the server.
    `peak_bytes` is its memory over what it had when the round began. `latencies` are the seconds of each
    request that succeeded. `extra` holds figures that only this workload has. `failure` is what the last
    error was.
    """

    work: float
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    latencies: tuple[float, ...]
    errors: int = 0
    extra: Mapping[str, float] = field(default_factory=dict)
    failure: str = ""

    @property
    def rate(self) -> float:
        """Units a second."""
        return self.work / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Figure:
    """What the rounds of one server make of one workload.

    `ratio` is the median rate as a multiple of the median rate of the reference, None without one, and
    `spread` the smallest and the largest ratio of a round. `cpu` is CPU seconds for `cpu_per` units of work.
    """

    ratio: float | None
    spread: tuple[float, float] | None
    rate: float
    cpu: float | None
    peak_mib: float
    p50_ms: float | None
    p99_ms: float | None
    errors: int
    rounds: int
    extra: Mapping[str, float] = field(default_factory=dict)


def figure_of(samples: Sequence[Sample], reference: Sequence[Sample], cpu_per: float) -> Figure:
    """The figure of one server. `samples` and `reference` are in the order of the rounds."""
    base = median(sample.rate for sample in reference) if reference else 0.0
    rate = median(sample.rate for sample in samples)
    costs = [sample.cpu_seconds / sample.work * cpu_per for sample in samples if sample.work]
    latencies = sorted(latency for sample in samples for latency in sample.latencies)
    return Figure(
        ratio=rate / base if base else None,
        spread=_spread(samples, reference),
        rate=rate,
        cpu=median(costs) if costs else None,
        peak_mib=max(0.0, median(sample.peak_bytes for sample in samples) / MIB),
        p50_ms=_milliseconds(latencies, 0.50),
        p99_ms=_milliseconds(latencies, 0.99),
        errors=sum(sample.errors for sample in samples),
        rounds=len(samples),
        extra=_extra(samples),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _milliseconds(ordered: Sequence[float], share: float) -> float | None:
    return percentile(ordered, share) * 1000 if ordered else None


def _spread(samples: Sequence[Sample], reference: Sequence[Sample]) -> tuple[float, float] | None:
    """Rounds of one number ran one after the other, so what the machine did then is in both of them."""
    ratios = [one.rate / other.rate for one, other in zip(samples, reference, strict=False) if other.rate > 0]
    return (min(ratios), max(ratios)) if ratios else None


def _extra(samples: Sequence[Sample]) -> dict[str, float]:
    names = dict.fromkeys(name for sample in samples for name in sample.extra)
    return {name: median(one.extra[name] for one in samples if name in one.extra) for name in names}
