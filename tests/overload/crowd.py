"""Slow and silent clients, all at once, in a process of their own: `python -m tests.overload.crowd PORT ...`.

    idle      connected, and nothing is ever sent
    heads     a head of which one byte comes a second; a new one begins when the server ends the connection
    bodies    an upload that announces a gigabyte, of which 300 bytes come a second
    deaf      a GET for a large file, of which nothing is ever read

It prints `ready` when all are connected, and `{"late_heads": [seconds, ...], "lost": N}` when its standard
input ends. `late_heads` are the ages of the heads that the server ended. `lost` counts the other clients that
it has ended.
"""

import argparse
import contextlib
import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from clients.launch import PROJECT_ROOT

ADDRESS = "127.0.0.2"
HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"PUT /upload/slow.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n"
_BODY_PIECE = bytes(300)  # a second; the minimum rate is 256
_SLICES = 20  # the slow clients send at as many moments of each second


@dataclass
class Client:
    """One connection. `begun` is when its head began, on the monotonic clock."""

    kind: str
    sock: socket.socket
    begun: float = field(default_factory=time.monotonic)


class Crowd:
    """All clients of one process."""

    def __init__(self, port: int, target: str) -> None:
        self.late_heads: list[float] = []
        self.lost = 0
        self._port = port
        self._begin = {
            "idle": b"",
            "heads": HEAD,
            "bodies": BODY,
            "deaf": f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode("ascii"),
        }
        self._clients: dict[int, Client] = {}
        self._poll = select.epoll()

    def join(self, kind: str) -> None:
        """Connect one more client of this kind."""
        sock = socket.socket()
        if kind == "deaf":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(60)
        sock.bind((ADDRESS, 0))
        sock.connect(("127.0.0.1", self._port))
        sock.setblocking(False)
        if self._begin[kind]:
            sock.send(self._begin[kind])
        self._clients[sock.fileno()] = Client(kind, sock)
        # Of a deaf client only the end of its connection is noticed.
        self._poll.register(sock, 0 if kind == "deaf" else select.EPOLLIN)

    def run_until(self, stop: int) -> None:
        """Send slowly, until the descriptor `stop` is readable."""
        self._poll.register(stop, select.EPOLLIN)
        tick = 0
        due = time.monotonic()
        while True:
            due += 1 / _SLICES
            tick += 1
            self._send(tick % _SLICES)
            while (left := due - time.monotonic()) > 0:
                for number, _ in self._poll.poll(left):
                    if number == stop:
                        return
                    self._ended(number)

    def _send(self, remainder: int) -> None:
        for number, client in list(self._clients.items()):
            if number % _SLICES == remainder and client.kind in ("heads", "bodies"):
                with contextlib.suppress(OSError):
                    client.sock.send(b"x" if client.kind == "heads" else _BODY_PIECE)

    def _ended(self, number: int) -> None:
        client = self._clients.pop(number)
        self._poll.unregister(number)
        client.sock.close()
        if client.kind == "heads":
            self.late_heads.append(time.monotonic() - client.begun)
            self.join("heads")
        else:
            self.lost += 1


def main() -> None:
    """The program of the process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--target", default="/")
    for kind in ("idle", "heads", "bodies", "deaf"):
        parser.add_argument(f"--{kind}", type=int, default=0)
    given = parser.parse_args()
    crowd = Crowd(given.port, given.target)
    for kind in ("idle", "bodies", "deaf", "heads"):
        for _ in range(getattr(given, kind)):
            crowd.join(kind)
    print("ready", flush=True)
    crowd.run_until(sys.stdin.fileno())
    print(json.dumps({"late_heads": crowd.late_heads, "lost": crowd.lost}), flush=True)


@contextlib.contextmanager
def crowd(port: int, *, target: str = "/", **counts: int) -> Iterator[dict[str, Any]]:
    """Run such a process. What it prints at its end is in the dictionary afterwards."""
    flags = [part for kind, count in counts.items() for part in (f"--{kind}", str(count))]
    command = [sys.executable, "-m", "tests.overload.crowd", str(port), "--target", target, *flags]
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
