"""Receives the body of one PUT after the other, writes and hashes it: python pipeline_server.py PORT

One thread receives into buffers that go round, another one writes and hashes them. Nothing is parsed but the
length, and nothing is checked: it shows what Python can do at most with a large upload.
"""

import os
import re
import socket
import sys
import threading
import uuid
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue

STORE = Path(os.environ["PEER_STORE"])
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
BUFFERS = 4
SIZE = 1 << 20


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()


def serve(client):
    free, filled = SimpleQueue(), SimpleQueue()
    for _ in range(BUFFERS):
        free.put(memoryview(bytearray(SIZE)))
    with client:
        while head := read_head(client):
            path = STORE / uuid.uuid4().hex
            digest = sha256()
            writer = threading.Thread(target=write, args=(path, digest, filled, free))
            writer.start()
            left = int(LENGTH.search(head)[1])
            while left:
                buffer = free.get()
                count = client.recv_into(buffer, min(left, SIZE))
                if not count:
                    break
                filled.put((buffer, count))
                left -= count
            filled.put(None)
            writer.join()
            answer = digest.hexdigest().encode()
            client.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))


def read_head(client):
    """Byte by byte, so that the body is left to the buffers. It is empty when the client has left."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def write(path, digest, filled, free):
    with path.open("wb", buffering=0) as file:
        while item := filled.get():
            buffer, count = item
            file.write(buffer[:count])
            digest.update(buffer[:count])
            free.put(buffer)


main()
