"""Was it a stream? Judged from the times at which its events came, and from nothing else."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# Below these, in seconds, a stream and a burst look alike: how long the events must have taken to be made,
# and where nobody says how fast they are made, how long they took to come.
_SHORTEST_MAKING = 0.05
_SHORTEST_COMING = 0.5
# Of the pace; and the least that counts as a gap at all, for a burst may take several reads.
_TOGETHER = 0.1
_LEAST_GAP = 0.001


class StreamVerdict(StrEnum):
    """What kind of stream it was for the one who read it."""

    REAL = "real stream"
    PSEUDO = "pseudo-stream (the client read it whole)"
    BUFFERED = "buffered on the way (events came in bursts)"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and the sentences that show why."""

    verdict: StreamVerdict
    evidence: tuple[str, ...]


def judge(times: Sequence[float], *, delay: float | None = None, read_whole: bool = False) -> Judgement:
    """Judge events by `times`, in seconds since the request had been sent.

    `delay` is the pause in seconds that the request asked the server to make after each event, None when it
    did not say. `read_whole`: the client read the answer to its end before it looked at it.

    The rule. A client that read the answer whole has seen a *pseudo-stream*, whatever the server and the
    network did. Else what counts is which events came on their own, with a gap before and a gap after. Who
    makes events one by one and sends each at once gives every event a gap of at least the delay; who
    collects them takes the gaps away: in pairs, in blocks or all at the end, hardly any comes on its own.

    - *real stream*: at least half of the events came on their own;
    - *buffered on the way*: fewer did;
    - *undecided*: there are fewer than two events, or it was too fast to tell.

    This holds on a busy machine. When this process or the network stalls for a moment, the events of that
    moment come together and all others do not; a server that is late makes gaps longer, never shorter.

    What counts as a gap is a tenth of the pace, and at least 1 ms. The pace is the request's delay; without
    one, or when the events came faster than it allows (nobody heeded it), it is the median gap. It was too
    fast to tell when a heeded delay lets the events be made within 0.05 s, or, where the pace is known from
    the arrivals alone, when all came within 0.5 s.
    """
    if read_whole:
        return Judgement(StreamVerdict.PSEUDO, _pseudo_evidence(times))
    if len(times) < 2:
        return _undecided(f"{_count(len(times), 'event')}: there is no gap to judge")
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    heeded = delay if delay is not None and times[-1] >= len(gaps) * delay / 2 else None
    if _too_fast(times, heeded):
        return _undecided(f"{len(times)} events within {times[-1]:.3f} s: too fast to tell")
    least = max(_TOGETHER * (heeded or statistics.median(gaps)), _LEAST_GAP)
    bursts = _bursts(gaps, least)
    evidence = [_alone_evidence(times, bursts, least), _first_evidence(times, heeded)]
    if 2 * bursts.count(1) < len(times):
        return Judgement(StreamVerdict.BUFFERED, tuple(evidence))
    return Judgement(StreamVerdict.REAL, (*evidence, _gaps_evidence(gaps, heeded)))


def _too_fast(times: Sequence[float], heeded: float | None) -> bool:
    if heeded is None:
        return times[-1] < _SHORTEST_COMING
    return (len(times) - 1) * heeded < _SHORTEST_MAKING


def _undecided(why: str) -> Judgement:
    return Judgement(StreamVerdict.UNDECIDED, (why,))


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
