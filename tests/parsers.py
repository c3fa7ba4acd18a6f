"""Every reading of this project, to be asked in process: the same question to each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from servers.contract.limits import Limits
from servers.contract.parsers import MultipartParser, Parsers
from servers.contract.problems import Problem
from servers.contract.request import PartData, PartHead
from servers.flask_reading.forms import WerkzeugParsers
from servers.sansio.parsers import SansIoParsers

LIMITS = Limits()


ALL_PARSERS: Mapping[str, Parsers] = {"sansio": SansIoParsers(), "flask": WerkzeugParsers()}


@dataclass(frozen=True)
class Part:
    """One part: its header block and its data."""

    head: PartHead
    data: bytes


Form = Sequence[Part] | str
"""The parts in order, or the code of the refusal."""


def read_form(reading: Parsers, content_type: str, pieces: Iterable[bytes | memoryview]) -> Form:
    """What a reading makes of a multipart body that arrives in these pieces."""
    try:
        parser = reading.multipart(reading.content_type(content_type), LIMITS)
        return _parts(parser, pieces)
    except Problem as problem:
        return problem.code


def _parts(parser: MultipartParser, pieces: Iterable[bytes | memoryview]) -> Sequence[Part]:
    heads: list[PartHead] = []
    data: list[bytearray] = []
    for piece in (*pieces, None):
        for event in parser.finish() if piece is None else parser.feed(piece):
            if isinstance(event, PartHead):
                heads.append(event)
                data.append(bytearray())
            elif isinstance(event, PartData):
                data[-1] += event.data
    return [Part(head, bytes(held)) for head, held in zip(heads, data, strict=True)]
