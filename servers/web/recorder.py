"""Records the requests of one connection: a `Capture` that a backend fills in while it serves."""

import time
from typing import TYPE_CHECKING, Any

from ..contract.capture import Data, Spans
from ..contract.request import RequestHead
from ..contract.request_log import RequestRecord
from ..contract.responses import EventStream, Response
from .body_sample import KEPT_BODY, BodySample
from .kept_bytes import KeptBytes
from .redaction import strings_of
from .run import KEPT_ANSWER, MOST_EVENTS, Arriving, Run

if TYPE_CHECKING:
    from .history_writer import HistoryWriter

_OURS = ("/ui/", "/requests/")
_OUR_ROUTES = frozenset({"/ui", "/healthz", "/metrics"})
_SEE_OTHER = 303


def _is_ours(path: str) -> bool:
    """Whether a request is about the server itself, so that it is not in the history."""
    return path.startswith(_OURS) or path in _OUR_ROUTES


class Recorder:
    """One connection to `backend`. `wire` says whether it sees the bytes of its requests.

    The methods are called in the order of events, and cost next to nothing: what is recorded is redacted,
    hashed and written by the thread of the writer.

    A request that the writer does not want is not noted at all. The writer is asked when the first bytes of a
    request arrive. If they came before the end of the request before it, both are noted or neither.
    """

    __slots__ = (
        *("_arriving", "_backend", "_begins", "_begun", "_ends_clean", "_kept", "_rests", "_run", "_streams"),
        "_writer",
    )

    def __init__(self, writer: "HistoryWriter", backend: str, *, wire: bool) -> None:
        self._writer = writer
        self._backend = backend
        self._kept = KeptBytes() if wire else None
        self._arriving: Arriving | None = None
        self._rests = False  # the request at hand is not noted
        self._begins = self._kept is not None  # the next read is the beginning of a request
        self._ends_clean = False  # nothing came behind the request at hand
        self._clear()

    def _clear(self) -> None:
        self._run = Run()
        self._streams = False
        self._begun = 0.0

    def read(self, size: int) -> None:
        """So many bytes have arrived in one read."""
        if self._begins and size:
            self._begins = False
            self._rests = not self._writer.wants_next()
        elif self._rests:
            self._ends_clean = False  # it may be the beginning of the next request
        if self._kept is not None and not self._rests:
            self._kept.read(size)

    def feed(self, data: bytes) -> None:
        """The parser gets these bytes."""
        if self._kept is not None and not self._rests:
            self._kept.feed(data)

    def head_complete(self, head: RequestHead, behind: int = 0) -> None:
        """The head was accepted. `behind` of the bytes that were fed came behind it."""
        if self._rests:
            return
        run = self._run
        run.head, run.backend = head, self._backend
        self._begun = time.monotonic()
        if self._kept is not None:
            self._kept.head_complete(behind)
        length = head.content_length or 0
        if head.chunked or length > KEPT_BODY or self._kept is None:
            run.sample = BodySample()
        if (head.chunked or length > behind) and not _is_ours(head.path):
            self._arriving = Arriving(run, self._kept, self._begun)
            self._writer.watch(self._arriving)

    def body(self, data: Data) -> None:
        """The next bytes of the body, without chunked coding."""
        if self._rests:
            return
        run = self._run
        run.size += len(data)
        if run.sample is not None:
            run.sample.feed(data)

    def complete(self, behind: int = 0, *, fed_again: bool = False) -> None:
        """The request is complete. `behind` of the bytes that were fed belong to the next request."""
        self._ends_clean = not behind
        if self._rests:
            return
        self._run.is_complete = True
        if self._kept is not None:
            self._run.wire = self._kept.cut(behind, fed_again=fed_again)

    def spans(self, spans: Spans) -> None:
        """The spans of the body are noted there while it arrives."""
        if not self._rests:
            self._run.spans = spans

    def environ(self, environ: dict[str, Any]) -> None:
        """What a WSGI server has made of the request."""
        if not self._rests:
            self._run.environ = strings_of(environ)

    def respond(self, response: Response) -> None:
        """The response is known. The last one counts."""
        if self._rests:
            return
        run = self._run
        run.status, run.code, run.problem = response.status, response.code, response.problem
        run.headers = response.headers
        run.answer_size = response.content_length
        run.events = run.answer = None
        self._streams = isinstance(response.body, EventStream)
        if self._streams:
            run.answer, run.events = bytearray(), []
        elif isinstance(response.body, bytes) and not response.head_only:
            run.answer = response.body

    def piece(self, data: Data) -> None:
        """A piece of the response's body was sent."""
        if self._rests or not self._streams:
            return
        run = self._run
        assert isinstance(run.answer, bytearray)
        assert run.events is not None
        run.answer_size = (run.answer_size or 0) + len(data)
        if len(run.events) < MOST_EVENTS:
            run.events.append(time.monotonic())
        if len(run.answer) < KEPT_ANSWER:
            run.answer += data[: KEPT_ANSWER - len(run.answer)]

    def end(self, record: RequestRecord, milliseconds: float) -> None:
        """The response is sent, or the connection is gone."""
        if self._rests:
            self._begins, self._ends_clean = self._ends_clean, False
            self._writer.skip()
            return
        run = self._run
        arriving, self._arriving = self._arriving, None
        if arriving is not None:
            self._writer.unwatch(arriving)
        if run.wire is None and self._kept is not None:
            run.wire = self._kept.cut()
        self._begins = self._ends_clean and self._kept is not None and self._kept.is_empty
        self._ends_clean = False
        began = self._begun
        self._clear()
        path = run.head.path if run.head is not None else record.target or ""
        if _is_ours(path) or run.status == _SEE_OTHER:
            return
        run.backend = self._backend
        run.at = time.time() - milliseconds / 1000
        run.milliseconds = milliseconds
        run.method, run.target = record.method, record.target
        if run.events:
            run.events = [round((at - began) * 1000, 2) for at in run.events]
        run.is_over = True
        self._writer.put(run)
