"""A listening socket that takes no new connections serves those that have begun."""

import socket
import sys

import pytest

from servers.handshakes import take_no_new

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has such filters")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_who_has_connected_is_served_and_who_comes_later_waits(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener, socket.socket(family) as early, socket.socket(family) as late:
        try:
            listener.bind((address, 0))
        except OSError:
            pytest.skip(f"this machine has no {address}")
        listener.listen()
        early.connect(listener.getsockname())
        assert take_no_new([listener])
        late.settimeout(0.2)
        with pytest.raises(TimeoutError):
            late.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            early.sendall(b"ping" * 50_000)
            received = accepted.recv(200_000, socket.MSG_WAITALL)
            accepted.sendall(received)
            assert early.recv(200_000, socket.MSG_WAITALL) == b"ping" * 50_000
        listener.close()
        with socket.socket(family) as third:
            assert third.connect_ex(early.getpeername()) != 0


def test_a_unix_socket_is_left_as_it_is() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        assert not take_no_new([listener])
