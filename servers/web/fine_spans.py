"""Spans as the page shows them: names and values apart, each with its path in the result and its rule."""

from typing import NamedTuple


class FineSpan(NamedTuple):
    """`length` bytes from `start`.

    `role` is what they are. `path` is the value of the result (contract section 3) that they stand for, such
    as `form[0].value`, and `how` is how they are decoded to it: a key of `decoding.DECODERS`. `rule` is the
    rule that decided, and `also` is the path of a value that these bytes are a part of. A span without a
    value has empty texts.
    """

    start: int
    length: int
    role: str
    path: str = ""
    rule: str = ""
    also: str = ""
    how: str = ""

    @property
    def end(self) -> int:
        return self.start + self.length

    def moved(self, start: int, length: int) -> "FineSpan":
        """The same span at another place."""
        return self._replace(start=start, length=length)


class Cutter:
    """Cuts bytes into spans from left to right. `end` is where the next span begins."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.spans: list[FineSpan] = []
        self.end = 0

    def cut(
        self, length: int, path: str = "", rule: str = "", *, role: str = "", also: str = "", how: str = ""
    ) -> None:
        """The next `length` bytes are one span. Nothing happens if there are none."""
        if length > 0:
            self.spans.append(FineSpan(self.end, length, role or self.role, path, rule, also, how))
            self.end += length

    def extend(self, spans: list[FineSpan]) -> None:
        """The next bytes are these spans, whose places count from here."""
        begin = self.end
        for span in spans:
            self.spans.append(span._replace(start=begin + span.start))
            self.end = begin + span.end
