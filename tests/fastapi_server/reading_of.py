"""What the guest's reading makes of bytes, in a form to compare: the result, or the code of the problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, ParamSpec, TypeVar

from servers.contract.limits import Limits
from servers.contract.parsers import Parsers
from servers.contract.problems import Problem
from servers.contract.request import MediaType, Pair, PartData, PartEnd, PartHead
from servers.fastapi_reading import PythonMultipartReading

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
LIMITS = Limits()


class Part(NamedTuple):
    """A part with all of its data."""

    head: PartHead
    data: bytes


def outcome(
    read: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result | str:
    """What `read` returns for the arguments, or the code of the problem that it raises."""
    try:
        return read(*args, **kwargs)
    except Problem as problem:
        return problem.code


def parts_of(
    pieces: Iterable[bytes], boundary: str = "b", *, reading: Parsers | None = None, limits: Limits = LIMITS
) -> list[Part]:
    """The parts of a body that comes in `pieces`. Raises Problem."""
    media_type = MediaType("multipart/form-data", (Pair("boundary", boundary),))
    parser = (reading or PythonMultipartReading()).multipart(media_type, limits)
    parts: list[Part] = []
    open_head: list[PartHead] = []
    data = bytearray()
    for feed, piece in [*((parser.feed, piece) for piece in pieces), (None, b"")]:
        for event in parser.finish() if feed is None else feed(piece):
            match event:
                case PartHead():
                    assert not open_head, "a part begins in a part"
                    open_head.append(event)
                case PartData():
                    assert open_head, "data outside of a part"
                    data += event.data
                case PartEnd():
                    parts.append(Part(open_head.pop(), bytes(data)))
                    data.clear()
    assert not open_head, "a part without an end"
    return parts


def body_of(*blocks: bytes, data: Sequence[bytes] = (b"v",)) -> bytes:
    """A body whose parts have these header blocks, given without their last CRLF."""
    values = [*data, *[data[-1]] * len(blocks)]
    parts = [b"--b\r\n%b\r\n\r\n%b\r\n" % pair for pair in zip(blocks, values, strict=False)]
    return b"".join(parts) + b"--b--\r\n"
