"""One client that uploads on many connections at once: `python -m tests.overload.flood PORT COUNT SIZE`.

Each connection sends an upload of SIZE bytes, waits for the response, and sends the next one. The process
prints `ready` when all have begun, and the number of responses by status when its standard input ends.
"""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from clients.launch import PROJECT_ROOT

ADDRESS = "127.0.0.2"
_BLOCK = os.urandom(256 * 1024)


class Uploader:
    """One connection, over and over."""

    def __init__(self, port: int, size: int, number: int) -> None:
        self._port = port
        self._size = size
        self._count = number << 32
        self._head = b"PUT /upload/a.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size
        self.connect()

    def connect(self) -> None:
        """Begin anew."""
        self.sock = socket.socket()
        self.sock.bind((ADDRESS, 0))
        self.sock.settimeout(60)
        self.sock.connect(("127.0.0.1", self._port))
        self.sock.setblocking(False)
        self._begin()

    def _begin(self) -> None:
        self._count += 1
        self._left = self._size
        self._answer = b""
        self._out = memoryview(self._head)

    @property
    def sends(self) -> bool:
        """Whether more of the upload is to be sent."""
        return bool(self._out or self._left)

    def send(self) -> None:
        """Send what the socket takes, at most one block. Every upload has other bytes."""
        if not self._out:
            block = self._count.to_bytes(8, "big") + _BLOCK[8:]
            self._out = memoryview(block)[: self._left]
            self._left -= len(self._out)
        with contextlib.suppress(BlockingIOError):
            self._out = self._out[self.sock.send(self._out) :]

    def receive(self) -> int | None:
        """The status when the response is complete. Raises OSError if the connection has ended."""
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionResetError
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0] or 0)
        if not end or len(body) < length:
            return None
        status = int(head[9:12])
        if status >= 400 or b"\r\nConnection: close" in head:
            raise Refused(status)
        self._begin()
        return status


class Refused(OSError):
    """The response was a refusal, so the connection ends."""

    def __init__(self, status: int) -> None:
        self.status = status


def main() -> None:
    """The program of the process."""
    port, count, size = map(int, sys.argv[1:])
    poll = select.epoll()
    uploaders: dict[int, Uploader] = {}
    statuses: Counter[str] = Counter()
    for number in range(count):
        uploader = Uploader(port, size, number)
        uploaders[uploader.sock.fileno()] = uploader
        poll.register(uploader.sock, select.EPOLLIN | select.EPOLLOUT)
    poll.register(sys.stdin.fileno(), select.EPOLLIN)
    print("ready", flush=True)
    while True:
        for number, events in poll.poll():
            if number == sys.stdin.fileno():
                print(json.dumps(statuses), flush=True)
                return
            uploader = uploaders[number]
            try:
                if events & ~select.EPOLLOUT and (status := uploader.receive()) is not None:
                    statuses[str(status)] += 1
                if events & select.EPOLLOUT and uploader.sends:
                    uploader.send()
            except OSError as error:
                statuses[str(error.status if isinstance(error, Refused) else "ended")] += 1
                uploader.sock.close()
                del uploaders[number]
                uploader.connect()
                uploaders[uploader.sock.fileno()] = uploader
                poll.register(uploader.sock, select.EPOLLIN | select.EPOLLOUT)
                continue
            poll.modify(number, select.EPOLLIN | (select.EPOLLOUT if uploader.sends else 0))


@contextlib.contextmanager
def flood(port: int, count: int, size: int) -> Iterator[dict[str, Any]]:
    """Run such a process. The numbers by status are in the dictionary afterwards."""
    command = [sys.executable, "-m", "tests.overload.flood", str(port), str(count), str(size)]
    report: dict[str, Any] = {}
    with subprocess.Popen(
        command, cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield report
            process.stdin.close()
            report.update(json.loads(process.stdout.readline()))
        finally:
            process.kill()


if __name__ == "__main__":
    main()
