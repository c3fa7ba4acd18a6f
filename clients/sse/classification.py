"""Says whether a stream was real, from nothing but the times at which its events came."""

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# Below these, in seconds, a stream and a burst look alike. The first is the time in which the events were
# made one by one. When the request does not say how fast they are made, the second is the time in which they
# came.
_SHORTEST_MAKING = 0.05
_SHORTEST_COMING = 0.5
# The part of the pace that counts as a gap, and the shortest gap in seconds: a burst may take several reads.
_TOGETHER = 0.1
_LEAST_GAP = 0.001


class StreamKind(StrEnum):
    """What kind of stream it was for the client that read it."""

    REAL = "real stream"
    PSEUDO = "pseudo-stream (the client read it whole)"
    BUFFERED = "buffered on the way (events came in bursts)"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Classification:
    """The kind of a stream, and sentences that show why."""

    kind: StreamKind
    evidence: tuple[str, ...]


def classify_stream(
    times: Sequence[float], *, delay: float | None = None, read_whole: bool = False
) -> Classification:
    """Classify a stream by the `times` of its events, in seconds since the request had been sent.

    `delay` is the pause in seconds that the request asked the server to make after each event, None when it
    did not say. `read_whole`: the client read the response to its end before it looked at it.

    A client that read the response whole has seen a *pseudo-stream*, whatever the server and the network did.
    Otherwise the number of events that came on their own counts, with a gap before and a gap after. A server
    that sends each event as soon as it is made leaves a gap of at least the delay. When something on the way
    collects events, in pairs, in blocks or all at the end, hardly any event comes on its own.

    - *real stream*: at least half of the events came on their own;
    - *buffered on the way*: fewer did;
    - *undecided*: there are fewer than two events, or it was too fast to tell.

    A busy machine does not change the result. When this process or the network stalls for a moment, only the
    events of that moment come together. A server that is late makes gaps longer, never shorter.

    A gap is a tenth of the pace, and at least 1 ms. The pace is the delay of the request. Without a delay, or
    when the events came faster than it allows because the server ignored it, the pace is the median gap. It
    was too fast to tell when the delay lets all events be made within 0.05 s, or, without a delay that the
    server respects, when all came within 0.5 s.
    """
    if read_whole:
        return Classification(StreamKind.PSEUDO, _pseudo_evidence(times))
    if len(times) < 2:
        return _undecided(f"{_count(len(times), 'event')}: there is no gap to look at")
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    respected = delay if delay is not None and times[-1] >= len(gaps) * delay / 2 else None
    if _too_fast(times, respected):
        return _undecided(f"{len(times)} events within {times[-1]:.3f} s: too fast to tell")
    least = max(_TOGETHER * (respected or statistics.median(gaps)), _LEAST_GAP)
    bursts = _bursts(gaps, least)
    evidence = [_alone_evidence(times, bursts, least), _first_evidence(times, respected)]
    if 2 * bursts.count(1) < len(times):
        return Classification(StreamKind.BUFFERED, tuple(evidence))
    return Classification(StreamKind.REAL, (*evidence, _gaps_evidence(gaps, respected)))


def _too_fast(times: Sequence[float], respected: float | None) -> bool:
    if respected is None:
        return times[-1] < _SHORTEST_COMING
    return (len(times) - 1) * respected < _SHORTEST_MAKING


def _undecided(why: str) -> Classification:
    return Classification(StreamKind.UNDECIDED, (why,))


def _bursts(gaps: Sequence[float], least: float) -> list[int]:
    """How many events came together, burst by burst; 1 is an event on its own."""
    bursts = [1]
    for gap in gaps:
        if gap < least:
            bursts[-1] += 1
        else:
            bursts.append(1)
    return bursts


def _alone_evidence(times: Sequence[float], bursts: Sequence[int], least: float) -> str:
    alone = bursts.count(1)
    text = f"{alone} of {len(times)} events came on their own, {least * 1000:g} ms or more from the next"
    together = [size for size in bursts if size > 1]
    if together:
        text += f"; the others in {_count(len(together), 'burst')} of up to {max(together)}"
    return text


def _first_evidence(times: Sequence[float], delay: float | None) -> str:
    first = f"the first event came after {times[0]:.3f} s"
    if delay is None:
        return f"{first}, the last {times[-1] - times[0]:.3f} s later"
    ahead = (len(times) - 1) * delay - times[0]
    if ahead > 0:
        return f"{first}, {ahead:.3f} s before the last could be made"
    return f"{first}: by then the last could have been made for {-ahead:.3f} s"


def _gaps_evidence(gaps: Sequence[float], delay: float | None) -> str:
    text = f"gaps: {statistics.median(gaps):.3f} s in the median, {min(gaps):.3f} to {max(gaps):.3f}"
    return text if delay is None else f"{text}; the request asked for {delay:g} s"


def _pseudo_evidence(times: Sequence[float]) -> tuple[str, ...]:
    if not times:
        return ("no event",)
    return (f"the client handed over {_count(len(times), 'event')} at {times[-1]:.3f} s, none before",)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
