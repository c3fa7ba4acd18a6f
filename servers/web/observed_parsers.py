"""The parsers of a connection that is shown: they say what they consume, and what they refuse."""

from typing import Protocol

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import MediaType
from ..sansio.connection import Event, RequestReader
from ..sansio.multipart import FormDataParser
from ..sansio.parsers import SansIoParsers
from ..sansio.stream import Need, Role


class Watcher(Protocol):
    """Gets what the parsers say, as `SpanBuilder` does."""

    def trace(self, role: Role, data: bytes | memoryview) -> None:
        """A parser has consumed these bytes."""

    def read_as_form(self) -> None:
        """The body is parsed as a form."""

    def refuse_last(self, problem: Problem) -> None:
        """The reader refuses the line that it has traced last."""


class ObservedReader(RequestReader):
    """A RequestReader that says when it refuses what it has traced last."""

    def __init__(self, limits: Limits, watcher: Watcher) -> None:
        super().__init__(limits, watcher.trace)
        self._watcher = watcher

    def next_event(self) -> Event | Need:
        try:
            return super().next_event()
        except Problem as problem:
            if problem.code != "body_truncated":  # the bytes before the end are not at fault
                self._watcher.refuse_last(problem)
            raise


class ObservedParsers(SansIoParsers):
    """Parsers that say when they begin to parse a form."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher.trace)
        self._watcher = watcher

    def multipart(self, media_type: MediaType, limits: Limits) -> FormDataParser:
        parser = super().multipart(media_type, limits)
        self._watcher.read_as_form()
        return parser
