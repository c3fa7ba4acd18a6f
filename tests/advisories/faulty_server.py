"""A server with every fault that `assertions.py` looks for. `python faulty_server.py` prints its port.

The request target says which fault; it is a program of its own, so that its cost can be measured.
"""

import re
import socket

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_BODY = b'{"code":"bad_header","target":"/x"}'
_REFUSAL = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
    b"X-Content-Type-Options: nosniff\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)
_held: list[bytes] = []


def _receive(connection: socket.socket) -> bytes:
    received = b""
    while data := connection.recv(1 << 20):
        received += data
        head, end, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: ([0-9]+)", head)
        if end and len(body) >= (int(length[1]) if length else 0):
            break
    return received


def _answer(received: bytes) -> bytes:
    target = received.split(b" ", 2)[1]
    if target == b"/linear":
        sum(range(len(received) * 40))
    elif target == b"/quadratic":
        sum(range(len(received) ** 2 // 100))
    elif target == b"/hoarding":
        _held.append(bytearray(received) * 4)  # type: ignore[arg-type]
    elif target == b"/smuggling":
        return _REFUSAL + _REFUSAL
    elif target == b"/refusing":
        return _REFUSAL
    return _OK


def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                if received := _receive(connection):
                    connection.sendall(_answer(received))
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(1 << 16):
                        pass


if __name__ == "__main__":
    main()
