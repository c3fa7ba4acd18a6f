"""Runs the strict decoder over a body in given pieces and says what came out, in a form to compare."""

from collections.abc import Iterable

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


def one_part(*lines: bytes, data: bytes = b"v") -> bytes:
    """A body of one part with these header lines."""
    return b"--b\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + data + b"\r\n--b--\r\n"
