"""`wsgi.input` as a body that ends where the head said, or not at all (B2, B36, defects 2 to 4)."""

from collections.abc import Callable, Iterator
from io import BufferedReader
from typing import TYPE_CHECKING, cast

from gunicorn.http.errors import ParseException
from werkzeug.serving import DechunkedInput

from ..contract.limits import MIB, Limits
from ..contract.problems import Problem
from ..contract.request import RequestHead
from ..flask_reading.chunks import ChunkedStream
from .pace import Pace

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PIECE = MIB


class BodyInput:
    """The pieces of one body, of at most 1 MiB each. `ended` tells whether all of it was read."""

    def __init__(self, environ: "WSGIEnvironment", head: RequestHead, limits: Limits) -> None:
        stream = environ["wsgi.input"]
        # What has arrived, where the stream can tell: `read` waits until it has all that it was asked for.
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        self._pace = Pace(limits)
        self._size = 0
        self._left = head.content_length or 0
        self._chunked = head.chunked
        self.ended = not (self._left or self._chunked)
        if isinstance(stream, DechunkedInput):
            # Werkzeug's own decoder is no match for hostile chunks; what it reads from is (B26 to B36).
            raw = cast(BufferedReader, stream._rfile)
            has_type = head.field("content-type") is not None
            chunks = ChunkedStream(raw.read1, limits, has_type=has_type, check_rate=self._pace.check)
            self._read = chunks.read

    def __iter__(self) -> Iterator[bytes]:
        """Raises Problem `body_truncated`, `bad_chunk`, `request_timeout` or `body_too_large`."""
        while not self.ended:
            piece = self._receive(PIECE if self._chunked else min(PIECE, self._left))
            self._left -= len(piece)
            if piece:
                self._size += len(piece)
                if not self._chunked:  # else its stream looks at every read, chunk lines and trailers too
                    self._pace.check(self._size)
                yield piece
            elif self._chunked:
                self.ended = True
            else:
                raise Problem("body_truncated", f"{self._left} bytes of the body are missing (B2)")
            self.ended = self.ended or (not self._chunked and self._left == 0)

    def _receive(self, size: int) -> bytes:
        try:
            return self._read(size)
        except ParseException as error:
            raise Problem("bad_chunk", f"the chunked body is malformed: {error}") from error
        except TimeoutError:
            raise Problem("request_timeout", "no byte of the body came for too long") from None
        except OSError as error:  # gunicorn's NoMoreData is one as well
            raise Problem("body_truncated", f"the connection broke: {error}") from None
