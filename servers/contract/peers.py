"""The servers that the page may send requests to: the setting `peers`."""

import ipaddress
import re
from dataclasses import dataclass
from typing import NamedTuple

MAX_PEERS = 8

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_URL = re.compile(r"http://(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?/?")
_DEFAULT_PORT = 80


class Address(NamedTuple):
    """Where a server listens; an IPv6 `host` has no brackets."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Peer:
    """A server by its name."""

    name: str
    address: Address

    @property
    def url(self) -> str:
        """`http://HOST:PORT`, without a final slash."""
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def read_peers(text: str) -> tuple[Peer, ...]:
    """The peers in `NAME=URL,NAME=URL`. Raises ValueError, whose message follows the setting's name."""
    peers: dict[str, Peer] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, equals, url = (part.strip() for part in entry.partition("="))
        if not equals or not _NAME.fullmatch(name):
            raise ValueError(
                f"is NAME=URL,NAME=URL, names of letters, digits, '.', '_' and '-', not {entry!r}"
            )
        if name in peers:
            raise ValueError(f"has the name {name!r} twice")
        peers[name] = Peer(name, _address(url))
    if len(peers) > MAX_PEERS:
        raise ValueError(f"has {len(peers)} servers, at most {MAX_PEERS} are allowed")
    return tuple(peers.values())


def _address(url: str) -> Address:
    """The address in `http://HOST[:PORT]`. Raises ValueError."""
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError(f"has URLs http://HOST:PORT without user and path, not {url!r}")
    address, name, digits = found.groups()
    if address is not None and not _is_ipv6(address):
        raise ValueError(f"has URLs http://HOST:PORT, and {address!r} is no address of IPv6")
    port = int(digits or _DEFAULT_PORT)
    if not 1 <= port <= 65535:
        raise ValueError(f"has ports from 1 to 65535, not {port}")
    return Address(address or name, port)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
