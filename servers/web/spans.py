"""The received bytes of one connection as spans: each byte once, in the order of the wire, with its role.

Two parsers say what bytes are. The reader of requests reports every byte of the connection; for it a body
has one role, BODY. The parser of a form reports the bytes of the body once more, as delimiters, header blocks
and data of parts. It reports them later, because it gets the body without the chunked coding, and because it
waits for the end of a delimiter or a header block, which may be several chunks away.

`SpanBuilder` joins both reports, so that the framing of chunks appears between the bytes of the parts:

    received             the reader has reported          the parser of the form has reported
    _unread       ->     _queue                    ->     a span

Bytes in `_queue` that are not of a body become spans as soon as all bytes before them are. The last ones stay
until `settle` or the next report, because the reader may refuse the line that it has reported last.
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from ..contract.problems import Problem
from ..sansio.stream import Role

FORM_ROLES = frozenset(
    {
        Role.PREAMBLE,
        Role.DELIMITER,
        Role.PART_FIELD,
        Role.PART_DATA,
        Role.CLOSE_DELIMITER,
        Role.EPILOGUE,
    }
)
"""The roles of the bytes of a multipart body."""

# The reader checks these lines after it has reported them.
_CHECKED_LINES = frozenset(
    {Role.REQUEST_LINE, Role.FIELD, Role.CHUNK_SIZE, Role.LAST_CHUNK, Role.END_OF_CHUNK, Role.TRAILER}
)
_EMPTY_LINES = {Role.FIELD: Role.END_OF_HEAD, Role.TRAILER: Role.END_OF_CHUNKS}
_ZERO = re.compile(rb"0+[ \t;\r]")


class NoRole(Enum):
    """Why bytes have no role when a request is refused or the connection ends."""

    UNDECIDED = "undecided"  # a parser waits for more bytes to know what they are
    AT_FAULT = "at fault"
    NOT_READ = "not read"


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive bytes of one role. `offset` is the number of bytes that the connection brought before them.

    `at_fault` says that these bytes are the reason of a refusal.
    """

    role: Role | NoRole
    offset: int
    data: memoryview
    at_fault: bool = False

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


@dataclass(slots=True)
class _Reported:
    """Bytes that the reader has reported and that are not a span yet, and why it refuses them, if it does."""

    role: Role
    data: memoryview
    problem: Problem | None = None


class SpanBuilder:
    """Calls `emit` with each span, in the order of the bytes.

    `offset` is the number of bytes that have become spans, `received` the number of all bytes so far, and
    `body_size` the number of bytes of the current body, without the chunked coding. `is_form` says whether
    the parser of a form reports the bytes of this body.
    """

    def __init__(self, emit: Callable[[Span], None]) -> None:
        self.offset = 0
        self.received = 0
        self.body_size = 0
        self.is_form = False
        self._emit = emit
        self._unread: deque[memoryview] = deque()
        self._queue: deque[_Reported] = deque()
        self._body_offset = 0  # how many bytes of the current body have become spans

    def receive(self, data: bytes) -> None:
        """These bytes have arrived."""
        if data:
            self._unread.append(memoryview(data))
        self.received += len(data)

    def begin_body(self) -> None:
        """The head of a request is complete: the bytes that follow belong to its body."""
        self.body_size = self._body_offset = 0
        self.is_form = False

    def read_as_form(self) -> None:
        """The parser of a form reports the bytes of this body."""
        self.is_form = True

    def trace(self, role: Role, data: bytes | memoryview) -> None:
        """A parser has consumed these bytes: a `Trace` of `sansio.stream`."""
        view = memoryview(data)
        if role in FORM_ROLES:
            self._explain(role, view)
            return
        self._drop_unread(len(view))
        if role is Role.BODY:
            self.body_size += len(view)
        self._queue.append(_Reported(_refined(role, view), view))
        self._pass_framing(keep=1)

    def refuse_last(self, problem: Problem) -> None:
        """The reader refuses the line that it has reported last."""
        if self._queue and self._queue[-1].role in _CHECKED_LINES:
            self._queue[-1].problem = problem

    def settle(self) -> None:
        """The parsers wait for more bytes: emit all that they have reported."""
        while self._queue and not (self.is_form and self._queue[0].role is Role.BODY):
            self._pass_first()

    def refuse(self, problem: Problem | None = None) -> None:
        """The request is refused for this reason, or the connection has ended.

        Bytes of a form that its parser has not reported have no role.
        """
        fault = (problem and problem.fault) or range(0)
        while self._queue:
            first = self._queue.popleft()
            if first.role is Role.BODY:
                self._pass_unexplained(first.data, fault)
            else:
                at_fault = problem is not None and problem is first.problem
                self._pass(first.role, first.data, at_fault=at_fault)

    def end(self) -> None:
        """No parser reads what is left."""
        self.refuse()
        for view in self._unread:
            self._pass(NoRole.NOT_READ, view)
        self._unread.clear()

    def _explain(self, role: Role, view: memoryview) -> None:
        """The parser of the form has reported the next bytes of the body as `role`."""
        while view:
            self._pass_framing(keep=0)
            size = min(len(view), len(self._queue[0].data)) if self._queue else len(view)
            self._body_offset += size
            self._pass(role, view[:size])
            view = view[size:]
            if self._queue:
                self._queue[0].data = self._queue[0].data[size:]
                if not self._queue[0].data:
                    self._queue.popleft()

    def _pass_framing(self, keep: int) -> None:
        """Emit what comes before the next bytes of a body, but keep the last `keep` reports."""
        while len(self._queue) > keep and self._queue[0].role is not Role.BODY:
            self._pass_first()

    def _pass_first(self) -> None:
        first = self._queue.popleft()
        if first.role is Role.BODY:
            self._body_offset += len(first.data)
        self._pass(first.role, first.data)

    def _pass_unexplained(self, view: memoryview, fault: range) -> None:
        begin, end = self._body_offset, self._body_offset + len(view)
        cuts = {begin, end, *(cut for cut in (fault.start, fault.stop) if begin < cut < end)}
        for start, stop in pairwise(sorted(cuts)):
            role: Role | NoRole = Role.BODY
            if start in fault:
                role = NoRole.AT_FAULT
            elif self.is_form:
                role = NoRole.NOT_READ if start >= fault.stop > 0 else NoRole.UNDECIDED
            self._pass(role, view[start - begin : stop - begin], at_fault=start in fault)
        self._body_offset = end

    def _pass(self, role: Role | NoRole, view: memoryview, *, at_fault: bool = False) -> None:
        offset, self.offset = self.offset, self.offset + len(view)
        self._emit(Span(role, offset, view, at_fault))

    def _drop_unread(self, size: int) -> None:
        while size and self._unread:
            first = self._unread.popleft()
            if len(first) > size:
                self._unread.appendleft(first[size:])
            size -= min(size, len(first))


def _refined(role: Role, line: bytes | memoryview) -> Role:
    """The parsers report an empty line, and the chunk of size 0, like the other lines of their kind."""
    if line == b"\r\n":
        return _EMPTY_LINES.get(role, role)
    if role is Role.CHUNK_SIZE and _ZERO.match(line):
        return Role.LAST_CHUNK
    return role
