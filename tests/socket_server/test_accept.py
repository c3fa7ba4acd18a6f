"""How an accepted connection is prepared."""

import socket

import pytest

from tests.socket_server.worker_thread import serving

_OPTIONS = {
    "a response never waits for the acknowledgement of the one before": (
        socket.IPPROTO_TCP,
        socket.TCP_NODELAY,
    ),
    "a peer that vanished is noticed": (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
}


@pytest.mark.parametrize("why", _OPTIONS)
def test_a_connection_has_the_options_of_a_server(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    are_set: list[bool] = []
    with serving() as served:
        accept = served.worker.accept

        def watched(sock: socket.socket) -> None:
            accept(sock)
            are_set.append(bool(sock.getsockopt(*_OPTIONS[why])))

        monkeypatch.setattr(served.worker, "accept", watched)
        with served.client() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").response()
    assert are_set == [True]
