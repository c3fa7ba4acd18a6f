"""Uploads of several clients at once, noted in a journal, while something happens to the server."""

import http.client
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from clients.launch import HOST
from tests.durability.journal import Journal

_BOUNDARY = "b0undary"
# Sizes of files: in one read, kept in memory until the end, and written while they come.
_SIZES = (1, 4_000, 70_000, 400_000)


def form_of(*contents: bytes) -> bytes:
    """A multipart body with these files."""
    parts = (
        b'--%b\r\nContent-Disposition: form-data; name="f"; filename="f%d"\r\n\r\n%b\r\n'
        % (_BOUNDARY.encode(), number, content)
        for number, content in enumerate(contents)
    )
    return b"".join(parts) + b"--%b--\r\n" % _BOUNDARY.encode()


def upload_to(connection: http.client.HTTPConnection, *contents: bytes) -> int:
    """Upload one file raw, or several as a form. Returns the status. Raises OSError or HTTPException."""
    if len(contents) == 1:
        connection.request("PUT", "/upload/f", contents[0])
    else:
        kind = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        connection.request("POST", "/upload/", form_of(*contents), kind)
    response = connection.getresponse()
    response.read()
    return response.status


def small_uploads(client: int) -> Iterator[tuple[bytes, ...]]:
    """Single files of all sizes, and each fifth time three in a form, one of which all clients share."""
    for turn in itertools.count():
        own = b"%d %d %d " % (os.getpid(), client, turn) + os.urandom(16)
        if turn % 5 == 4:
            yield own, b"shared %d" % turn, own[::-1] + bytes(_SIZES[turn % 4])
        else:
            yield (own + bytes(_SIZES[turn % 4]),)


class Load:
    """`clients` threads that upload to a port again and again. One whose connection fails connects anew.

    `uploads` yields the files of each request of a client, which it gets the number of.
    """

    def __init__(
        self,
        port: int,
        journal: Journal,
        clients: int = 4,
        *,
        uploads: Callable[[int], Iterator[tuple[bytes, ...]]] = small_uploads,
    ) -> None:
        self._uploads = uploads
        self._port = port
        self._journal = journal
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._upload, args=(number,)) for number in range(clients)]
        self.unexpected: list[object] = []
        """Statuses other than 200, and failures of the client itself."""

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Upload until the end of the context."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self.stop()

    def stop(self) -> None:
        """Let each thread end after its upload, and wait for it."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(60)

    def _upload(self, client: int) -> None:
        try:
            for contents in self._uploads(client):
                if self._stopped.is_set():
                    return
                self._journal.intend(*contents)
                if self._is_acknowledged(contents):
                    self._journal.acknowledge(*contents)
        except Exception as error:
            self.unexpected.append(error)

    def _is_acknowledged(self, contents: tuple[bytes, ...]) -> bool:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=20)
        try:
            status = upload_to(connection, *contents)
        except (OSError, http.client.HTTPException):  # the server has just been killed
            self._stopped.wait(0.01)
            return False
        finally:
            connection.close()
        if status != 200:
            self.unexpected.append(status)
        return status == 200
