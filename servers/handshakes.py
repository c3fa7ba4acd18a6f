"""Listening sockets that take no new connections, before they are closed.

When a listening socket is closed, the kernel resets the connections that nobody has accepted. So a server
that stops accepts them first. But another one may be made in between: a client is connected as soon as it has
the kernel's answer (SYN-ACK), before the server can know. Here the kernel drops what begins a connection (a
SYN without an ACK), so that soon nothing is under way. A client whose SYN was dropped sends it again after a
second. Then it is refused, and a proxy asks the next host.
"""

import socket
import struct
import sys
from array import array
from collections.abc import Iterable

SETTLE_SECONDS = 0.2
"""How long handshakes that have begun take at most, unless a packet is lost: longer than most ways are."""

_SO_ATTACH_FILTER = 26
_FLAGS = 13  # the offset of the flags in a TCP header (RFC 9293 3.1)
_SYN, _ACK = 0x02, 0x10
# A program for the kernel (classic BPF): an operation, how far to jump if true, if false, and an operand. It
# runs for each packet, and returns how many bytes of it are taken.
_PROGRAM = (
    (0x30, 0, 0, _FLAGS),  # load the byte at this offset
    (0x54, 0, 0, _SYN | _ACK),  # and it with this
    (0x15, 0, 1, _SYN),  # is it equal to this?
    (0x06, 0, 0, 0),  # return 0
    (0x06, 0, 0, 0xFFFFFFFF),  # return all
)


def take_no_new(sockets: Iterable[socket.socket]) -> bool:
    """Let the kernel drop new handshakes. What has begun goes on, and may be accepted as before.

    It holds for all processes that share the sockets. Returns whether it could be done for one of them: on
    Linux, and not for Unix sockets.
    """
    if not sys.platform.startswith("linux"):
        return False
    program = array("B", b"".join(struct.pack("HBBI", *step) for step in _PROGRAM))
    filter_ = struct.pack("HP", len(_PROGRAM), program.buffer_info()[0])  # its length and its address
    done = False
    for sock in sockets:
        try:
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_)
                done = True
        except OSError:  # a kernel, or a sandbox, without such filters
            continue
    return done
