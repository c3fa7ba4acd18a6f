"""Runs the strict decoder over a body in given pieces and says what came out, in a form to compare."""

from collections.abc import Iterable, Iterator

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.request import PartData, PartEnd, PartHead
from servers.flask_reading.multipart import StrictMultipart

Part = tuple[str, str | None, bytes]
DISPOSITION = b'Content-Disposition: form-data; name="a"'


def parts(body: bytes, *, boundary: bytes = b"b", pieces: Iterable[bytes] = ()) -> list[Part] | str:
    """Name, filename and bytes of each part, or the code of the problem."""
    found: list[Part] = []
    data = bytearray()
    head: PartHead | None = None
    parser = StrictMultipart(boundary, Limits())
    try:
        for piece in pieces or [body]:
            for event in parser.feed(piece):
                if isinstance(event, PartHead):
                    head = event
                elif isinstance(event, PartData):
                    data += event.data
                elif isinstance(event, PartEnd):
                    assert head is not None
                    found.append((head.name, head.filename, bytes(data)))
                    head = None
                    data.clear()
        assert not list(parser.finish())
    except Problem as problem:
        return problem.code
    assert head is None
    return found


def heads(body: bytes) -> list[PartHead]:
    """The header blocks of a body that is accepted."""
    parser = StrictMultipart(b"b", Limits())
    found = [event for event in parser.feed(body) if isinstance(event, PartHead)]
    list(parser.finish())
    return found


def one_part(*lines: bytes, data: bytes = b"v") -> bytes:
    """A body of one part with these header lines."""
    return b"--b\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + data + b"\r\n--b--\r\n"


def cuts(body: bytes) -> Iterator[list[bytes]]:
    """Every split in two, byte by byte, and in pieces of three."""
    for position in range(len(body) + 1):
        yield [body[:position], body[position:]]
    yield [body[position : position + 1] for position in range(len(body))]
    yield [body[position : position + 3] for position in range(0, len(body), 3)]
