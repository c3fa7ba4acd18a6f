"""The end of a connection whose peer may still send (contract section 4, RFC 9112 9.6)."""

import socket
import time

from ..contract.limits import LINGER_BYTES

_READ = 65536


def drain(connection: socket.socket, seconds: float) -> bool:
    """Read and drop what comes, for `seconds` or LINGER_BYTES at most. Returns whether the peer has ended.

    With 0 seconds only what has already arrived is read. Raises OSError when the connection breaks.
    """
    deadline = time.monotonic() + seconds
    left = LINGER_BYTES
    while left > 0:
        connection.settimeout(max(0.0, deadline - time.monotonic()))
        try:
            data = connection.recv(_READ)
        except (TimeoutError, BlockingIOError):
            return False
        if not data:
            return True
        left -= len(data)
    return False
