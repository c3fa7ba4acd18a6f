"""Reads `wsgi.input` until the end that the head announced. An earlier end is an error (B2, B36)."""

from collections.abc import Callable, Iterator
from io import BufferedReader
from typing import TYPE_CHECKING, cast

from gunicorn.http.errors import ParseException
from werkzeug.serving import DechunkedInput

from ..contract.limits import MIB, Limits
from ..contract.problems import Problem
from ..contract.request import RequestHead
from ..flask_reading.chunks import ChunkedStream
from ..flask_reading.framing import Framing
from .pace import Pace

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PIECE = MIB // 4
LARGE_PIECE = MIB
LARGE = 16 * MIB
"""Bytes of a body, behind which it is read in large pieces.

A block that was allocated for a read shrinks to what has come, and what is free behind it may be too small
for the next read. An upload in pieces goes from thread to thread, and took 22 to 36 MiB with large reads, 4
with small ones. A large body takes a sixth longer with small reads.
"""


class BodyInput:
    """The pieces of one body, at most 1 MiB each. `ended` says whether the whole body was read."""

    def __init__(
        self, environ: "WSGIEnvironment", framing: Framing | RequestHead, limits: Limits, *, has_type: bool
    ) -> None:
        """`has_type`: the head has a Content-Type, so a Content-Type in the trailers is a duplicate."""
        stream = environ["wsgi.input"]
        # `read1` returns what has arrived. `read` would wait for all that it was asked for.
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        self._pace = Pace(limits)
        self._size = 0
        self._left = framing.content_length or 0
        self._chunked = framing.chunked
        self.ended = not (self._left or self._chunked)
        if isinstance(stream, DechunkedInput):
            # Werkzeug's decoder is not safe against hostile chunks. Read what it would read (B26 to B36).
            raw = cast(BufferedReader, stream._rfile)
            chunks = ChunkedStream(raw.read1, limits, has_type=has_type, check_rate=self._pace.check)
            self._read = chunks.read

    def __iter__(self) -> Iterator[bytes]:
        """Raises Problem `body_truncated`, `bad_chunk`, `request_timeout` or `body_too_large`."""
        while not self.ended:
            most = PIECE if self._size < LARGE else LARGE_PIECE
            piece = self._receive(most if self._chunked else min(most, self._left))
            self._left -= len(piece)
            if piece:
                self._size += len(piece)
                if not self._chunked:  # a chunked stream checks each read, chunk lines and trailers included
                    self._pace.check(self._size)
                yield piece
            elif self._chunked:
                self.ended = True
            else:
                what = f"{self._left} bytes of the body are missing (B2)"
                raise Problem("body_truncated", what, rule="B2")
            self.ended = self.ended or (not self._chunked and self._left == 0)

    def _receive(self, size: int) -> bytes:
        try:
            return self._read(size)
        except ParseException as error:
            # It comes from gunicorn's reader of chunks, which does not say by which rule.
            raise Problem("bad_chunk", f"the chunked body is malformed: {error}", rule=None) from error
        except TimeoutError:
            what = "no byte of the body came for too long"
            raise Problem("request_timeout", what, rule="B3") from None
        except OSError as error:  # gunicorn's NoMoreData is one too
            what, rule = f"the connection broke: {error}", "B36" if self._chunked else "B2"
            raise Problem("body_truncated", what, rule=rule) from None
