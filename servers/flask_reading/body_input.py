"""`wsgi.input` as a body that ends where the head said, or not at all (B2, B36, defects 2 to 4)."""

import time
from collections.abc import Callable, Iterator
from io import BufferedReader
from typing import TYPE_CHECKING, cast

from gunicorn.http.errors import ParseException
from werkzeug.serving import DechunkedInput

from servers.contract.limits import MIB, Limits
from servers.contract.problems import Problem
from servers.contract.request import RequestHead
from servers.flask_reading.chunks import ChunkedStream

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PIECE = MIB


class _Pace:
    """The least rate of a body: an idle time-out alone could be outwitted for ever, byte by byte."""

    def __init__(self, limits: Limits) -> None:
        self._least = limits.min_body_rate * limits.body_rate_window
        self._window = limits.body_rate_window
        self._end = time.monotonic() + self._window
        self._arrived = 0

    def check(self, size: int) -> None:
        """Count bytes. Raises Problem `request_timeout` at the end of a window that had too few."""
        self._arrived += size
        now = time.monotonic()
        if now < self._end:
            return
        if self._arrived < self._least:
            raise Problem("request_timeout", f"less than {self._least} bytes in {self._window} s")
        self._end, self._arrived = now + self._window, 0


class BodyInput:
    """The pieces of one body, of at most 1 MiB each. `ended` tells whether all of it was read."""

    def __init__(self, environ: "WSGIEnvironment", head: RequestHead, limits: Limits) -> None:
        stream = environ["wsgi.input"]
        # What has arrived, where the stream can tell: `read` waits until it has all that it was asked for.
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        self._pace = _Pace(limits)
        self._left = head.content_length or 0
        self._chunked = head.chunked
        self.ended = not (self._left or self._chunked)
        if isinstance(stream, DechunkedInput):
            # Werkzeug's own decoder is no match for hostile chunks; what it reads from is (B26 to B36).
            raw = cast(BufferedReader, stream._rfile)
            has_type = head.field("content-type") is not None
            self._read = ChunkedStream(raw.read1, limits, has_type=has_type).read

    def __iter__(self) -> Iterator[bytes]:
        """Raises Problem `body_truncated`, `bad_chunk`, `request_timeout` or `body_too_large`."""
        while not self.ended:
            piece = self._receive(PIECE if self._chunked else min(PIECE, self._left))
            self._left -= len(piece)
            if piece:
                self._pace.check(len(piece))
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
