"""The listening sockets: which addresses a host stands for, and their URLs."""

import errno
import socket
from contextlib import suppress

from ..settings import Settings, StartError

_BACKLOG = 1024
# The errors of socket(2) and bind(2) for an address that this machine does not have: ::1 without IPv6.
_ABSENT = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})

# For each address that stands for all: the loopback address, and an address elsewhere (RFC 5737, RFC 3849).
_WILDCARDS = {"0.0.0.0": ("127.0.0.1", "203.0.113.1"), "::": ("::1", "2001:db8::1")}

_SocketAddress = tuple[object, ...]


def listen(settings: Settings) -> list[socket.socket]:
    """Listening sockets on the addresses of `settings.host` (IPv4 and IPv6), all on the same port.

    A name may have addresses that this machine lacks. They are left out if another one is there.
    Raises StartError when the host is not known, no address is there, or the port is in use.
    """
    port = settings.port
    sockets: list[socket.socket] = []
    absent: OSError | None = None
    try:
        for family, address in _addresses_of(settings.host):
            try:
                sockets.append(_bind(family, (address[0], port, *address[2:])))
                port = sockets[-1].getsockname()[1]
            except OSError as error:
                if error.errno not in _ABSENT:
                    raise
                absent = error
        if absent and not sockets:
            raise absent
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that IDNA cannot encode
        for sock in sockets:
            sock.close()
        why = error.strerror if isinstance(error, OSError) else "it is not a valid host name"
        raise StartError(f"cannot listen on {settings.host} port {port}: {why}") from None
    return sockets


def _addresses_of(host: str) -> dict[tuple[socket.AddressFamily, _SocketAddress], None]:
    """The family and address of each socket, in the system's order. Raises OSError, UnicodeError."""
    infos = socket.getaddrinfo(host.strip("[]"), 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return dict.fromkeys((family, address) for family, _, _, _, address in infos)


def _bind(family: socket.AddressFamily, address: _SocketAddress) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def urls_of(sockets: list[socket.socket]) -> list[str]:
    """The URLs that reach these sockets. For 0.0.0.0 and :: they have this machine's own addresses."""
    return [
        f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        for sock in sockets
        for port in [sock.getsockname()[1]]
        for host in _reachable(sock)
    ]


def _reachable(sock: socket.socket) -> list[str]:
    address: str = sock.getsockname()[0]
    if address not in _WILDCARDS:
        return [address]
    loopback, elsewhere = _WILDCARDS[address]
    with suppress(OSError), socket.socket(sock.family, socket.SOCK_DGRAM) as probe:
        probe.connect((elsewhere, 9))  # sends nothing: it only chooses the address to send from
        return [loopback, probe.getsockname()[0]]
    return [loopback]  # there is no network
