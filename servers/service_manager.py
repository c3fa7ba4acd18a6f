"""Tells the service manager that the server is ready, or stops (sd_notify(3), `Type=notify` of systemd)."""

import contextlib
import os
import socket
from typing import Literal


def tell(state: Literal["READY=1", "STOPPING=1"]) -> None:
    """Send the state to the socket that the service manager names. Without one nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address[0] == "@":  # an abstract socket: its name begins with a zero byte
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        sock.send(state.encode("ascii"))
