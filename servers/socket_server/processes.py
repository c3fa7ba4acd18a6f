"""The sockets that all workers listen on."""

import socket

from ..settings import Settings, SettingsError

_BACKLOG = 1024


def listen(settings: Settings) -> list[socket.socket]:
    """Listening sockets on every address of `settings.host` (IPv4 and IPv6), all on the same port.

    Raises SettingsError when the host is not known or the port is in use.
    """
    port = settings.port
    sockets: list[socket.socket] = []
    try:
        infos = socket.getaddrinfo(
            settings.host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, address in dict.fromkeys(infos):
            sock = _bind(socket.socket(family, kind, protocol), (address[0], port, *address[2:]))
            sockets.append(sock)
            port = sock.getsockname()[1]
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that IDNA cannot encode
        for sock in sockets:
            sock.close()
        why = error.strerror if isinstance(error, OSError) else "it is not a valid host name"
        raise SettingsError(f"cannot listen on {settings.host} port {port}: {why}") from None
    return sockets


def _bind(sock: socket.socket, address: tuple[object, ...]) -> socket.socket:
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def url_of(sockets: list[socket.socket]) -> str:
    """The URL of the server that listens on these sockets."""
    host, port = sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
