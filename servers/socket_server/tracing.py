"""Notes for the history what the parsers find in a body of which only the beginning is kept."""

from typing import TYPE_CHECKING

from ..contract.capture import Capture
from ..contract.request import RequestHead
from ..sansio.connection import RequestReader
from ..sansio.parsers import SansIoParsers

if TYPE_CHECKING:
    from .observer import Observer

# A shorter body with a Content-Length is kept as a whole.
_LONG = 64 * 1024


def traced(
    capture: Capture,
    reader: RequestReader,
    head: RequestHead,
    parsers: SansIoParsers,
    observer: "Observer | None",
) -> SansIoParsers:
    """The parsers for the body of this request. If it may be long, they and the reader are traced."""
    if not head.chunked and (head.content_length or 0) <= _LONG:
        return parsers
    from ..web.body_trace import BodyTrace, BothWatchers
    from ..web.observed_parsers import ObservedParsers, Watcher

    trace = BodyTrace()
    capture.spans(trace)
    watcher: Watcher = trace if observer is None else BothWatchers(observer, trace)
    reader.trace(watcher.trace)
    return ObservedParsers(watcher)
