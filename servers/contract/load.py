"""How much one process does at once: connections and uploads, in all and of each client (section 5)."""

import ipaddress
import threading
from dataclasses import dataclass
from typing import Self

from .limits import Limits
from .problems import Problem

_RETRY_AFTER = (("Retry-After", "1"),)
_IPV6_SITE = 64  # bits; whoever has one IPv6 address usually has as many as the rest of the bits allow


class Quota:
    """Counts what is held at once. `most` is for all clients, `most_of_one` for each; 0 means no limit.

    `what` names it in the details of problems. Any thread may call it.
    """

    def __init__(self, what: str, most: int = 0, most_of_one: int = 0) -> None:
        self.held = 0
        self._what = what
        self._most = most
        self._most_of_one = most_of_one
        self._held_by: dict[str, int] = {}  # only clients that hold something
        self._lock = threading.Lock()

    @property
    def is_full(self) -> bool:
        """Whether no client gets one more."""
        return 0 < self._most <= self.held

    def acquire(self, client: str | None) -> "Permit":
        """One more, until the permit is released. A client without an address counts only among all.

        Raises Problem `too_many_requests` if it is the client who has too many, else `overloaded`.
        """
        with self._lock:
            if client is not None and 0 < self._most_of_one <= self._held_by.get(client, 0):
                detail = f"one address may have at most {self._most_of_one} {self._what} at once"
                raise Problem("too_many_requests", detail, headers=_RETRY_AFTER)
            if self.is_full:
                detail = f"the server takes at most {self._most} {self._what} at once"
                raise Problem("overloaded", detail, headers=_RETRY_AFTER)
            self.held += 1
            if client is not None:
                self._held_by[client] = self._held_by.get(client, 0) + 1
        return Permit(self, client)

    def release(self, client: str | None) -> None:
        """Called by each permit once."""
        with self._lock:
            self.held -= 1
            if client is not None:
                self._held_by[client] -= 1
                if not self._held_by[client]:
                    del self._held_by[client]


class Permit:
    """One of what a quota counts."""

    __slots__ = ("_client", "_quota")

    def __init__(self, quota: Quota, client: str | None) -> None:
        self._quota: Quota | None = quota
        self._client = client

    def release(self) -> None:
        """Give it back. Later calls do nothing. Only one thread may use a permit at a time."""
        quota, self._quota = self._quota, None
        if quota is not None:
            quota.release(self._client)


@dataclass(frozen=True, slots=True)
class Load:
    """The quotas of one process."""

    connections: Quota
    uploads: Quota

    @classmethod
    def within(cls, limits: Limits) -> Self:
        """Quotas with these limits, and nothing held."""
        return cls(
            Quota("connections", limits.max_connections, limits.max_connections_per_client),
            Quota("uploads", limits.max_uploads, limits.max_uploads_per_client),
        )


def client_of(address: object) -> str | None:
    """The client behind the address of a peer, as `socket.getpeername` returns it: the address without port.

    Of IPv6 it is the network of 64 bits. A peer on a Unix socket has no address: None.
    """
    if not isinstance(address, tuple):
        return None
    host: str = address[0]
    if ":" not in host:
        return host or None
    ip = ipaddress.IPv6Address(host.partition("%")[0])
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((ip, _IPV6_SITE), strict=False))
