"""Reads each request to its end and answers the same bytes to all: python null_server.py PORT

It parses no form and stores nothing, so its rate is what the harness can measure at most.
"""

import os
import re
import selectors
import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n{}\n"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)
BUFFER = bytearray(1 << 20)
PROCESSES = 2


class Connection:
    def __init__(self, accepted):
        self.socket = accepted
        self.left = 0
        self.head = b""
        self.closes = False

    def receive(self):
        """Return False when the client has closed the connection."""
        count = self.socket.recv_into(BUFFER)
        if not count:
            return False
        if self.left:
            self.left -= count
        else:
            self.begin(BUFFER[:count])
        if not self.left and not self.head:
            self.socket.sendall(ANSWER)
            return not self.closes
        return True

    def begin(self, data):
        self.head += data
        end = self.head.find(b"\r\n\r\n")
        if end >= 0:
            length = LENGTH.search(self.head, 0, end + 2)
            self.left = end + 4 + (int(length[1]) if length else 0) - len(self.head)
            self.closes = CLOSES.search(self.head, 0, end + 2) is not None
            self.head = b""


def serve(listener, parent):
    """Serve until the parent ends."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while os.getppid() == parent:
        for key, _ in selector.select(1):
            if key.data is None:
                accept(listener, selector)
                continue
            try:
                open_still = key.data.receive()
            except OSError:
                open_still = False
            if not open_still:
                selector.unregister(key.fileobj)
                key.fileobj.close()


def accept(listener, selector):
    try:
        accepted, _ = listener.accept()
    except BlockingIOError:  # another process was faster
        return
    selector.register(accepted, selectors.EVENT_READ, Connection(accepted))


def main():
    for n in range(PROCESSES):
        parent = os.getpid() if n < PROCESSES - 1 else os.getppid()
        if n == PROCESSES - 1 or os.fork() == 0:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(("127.0.0.1", int(sys.argv[1])))
            listener.listen(1024)
            listener.setblocking(False)
            serve(listener, parent)


main()
