"""Notes the coarse spans of one body while the parsers of `sansio` read it."""

from ..contract.problems import Problem
from ..sansio.stream import Role
from .coarse_spans import NotedSpans
from .observed_parsers import Watcher
from .spans import NoRole, Span, SpanBuilder


class BodyTrace:
    """A `Watcher` from the end of the head to the end of the body."""

    def __init__(self) -> None:
        self._noted = NotedSpans()
        self._spans = SpanBuilder(self._add)
        self._is_known = True

    def trace(self, role: Role, data: bytes | memoryview) -> None:
        """A parser has consumed these bytes."""
        self._spans.trace(role, data)
        if not self._spans.is_form:
            self._spans.settle()  # else the bytes would be kept

    def read_as_form(self) -> None:
        """The body is parsed as a form."""
        self._spans.read_as_form()

    def refuse_last(self, problem: Problem) -> None:
        """Does nothing: the end of a refused request is worked out when somebody looks."""

    def _add(self, span: Span) -> None:
        self._is_known = self._is_known and not isinstance(span.role, NoRole)
        if self._is_known:
            self._noted.add(span.role, len(span.data))

    def blob(self, start: int) -> bytes:
        """The spans, packed; the first one begins at `start`."""
        self._spans.settle()
        self._spans.refuse()
        return self._noted.pack(start)


class BothWatchers:
    """Tells two watchers what the parsers say."""

    def __init__(self, first: Watcher, second: Watcher) -> None:
        self._watchers = (first, second)

    def trace(self, role: Role, data: bytes | memoryview) -> None:
        """A parser has consumed these bytes."""
        for watcher in self._watchers:
            watcher.trace(role, data)

    def read_as_form(self) -> None:
        """The body is parsed as a form."""
        for watcher in self._watchers:
            watcher.read_as_form()

    def refuse_last(self, problem: Problem) -> None:
        """The reader refuses the line that it has traced last."""
        for watcher in self._watchers:
            watcher.refuse_last(problem)
