"""A defect of Werkzeug's development server, in its smallest form: see README.md."""

import socket
import threading

from werkzeug.serving import make_server
from werkzeug.wrappers import Response

REQUEST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"


def test_100_continue_is_sent_twice() -> None:
    """By http.server because of Expect, and again by Werkzeug. Java 17 takes the second one as final."""
    server = make_server("127.0.0.1", 0, Response(b"ok"), threaded=True)
    thread = threading.Thread(target=server.handle_request, daemon=True)
    thread.start()
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(REQUEST + b"x")
            received = b"".join(iter(lambda: client.recv(65536), b""))
    finally:
        thread.join(10)
        server.server_close()
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + b"HTTP/1.1 200 OK\r\n")
