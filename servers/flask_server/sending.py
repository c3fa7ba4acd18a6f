"""The bodies of responses that are made while a WSGI server sends them (PEP 3333)."""

import os
import time
from collections.abc import Iterator

from ..contract.request_log import RequestRecord
from ..contract.responses import EventStream, FileSlice


class Sending:
    """A body that is made while it is sent. The server closes it at the end, or when the client has left.

    A generator would not be closed if its first byte was never asked for. This object is.
    """

    def __init__(self, body: FileSlice | EventStream) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self._body.blocks() if isinstance(self._body, FileSlice) else _paced(self._body)

    @property
    def file(self) -> FileSlice | None:
        """The file that the system can send by itself, if the body is one."""
        body = self._body
        return body if isinstance(body, FileSlice) and body.descriptor is not None else None

    def close(self) -> None:
        """Called by the WSGI server (PEP 3333)."""
        self._body.close()


class SentFile:
    """A stored file as `wsgi.file_wrapper` takes it: the server reads it, or the system sends it by itself.

    A server that lets the system send the descriptor moves the position behind what was sent.
    """

    def __init__(self, file: FileSlice, descriptor: int, record: RequestRecord) -> None:
        self._file = file
        self._descriptor = descriptor
        self._record = record
        self._begin = file.position
        self._blocks = file.blocks()
        os.lseek(descriptor, self._begin, os.SEEK_SET)

    def fileno(self) -> int:
        """The descriptor, which stands at the first byte."""
        return self._descriptor

    def read(self, size: int = -1, /) -> bytes:
        """The next block, of any size; empty at the end."""
        block = next(self._blocks, b"")
        self._record.sent += len(block)
        return block

    def seek(self, position: int, /) -> int:
        """So far the system has sent the file."""
        self._record.sent = position - self._begin
        return position

    def close(self) -> None:
        """Called by the server at the end, or when the client has left."""
        try:
            self._file.close()
        finally:
            self._record.end()


def _paced(stream: EventStream) -> Iterator[bytes]:
    """Yield each event, which the server sends at once, before the next one is made (S7)."""
    for event in stream.events:
        if event.data:
            yield event.data
        if event.wait:
            time.sleep(event.wait)
