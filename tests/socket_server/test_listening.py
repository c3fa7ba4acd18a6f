"""Which addresses the socket server listens on (contract section 8)."""

import errno
import re
import socket
from contextlib import ExitStack
from typing import Any

import pytest

from clients.launch import free_port
from servers.settings import Settings, SettingsError
from servers.socket_server.listening import listen, urls_of

# Reserved for documentation (RFC 5737, RFC 3849): no machine has them.
_ABSENT = ["203.0.113.1", "2001:db8::1"]


class Bound:
    """The part of a listening socket that `urls_of` uses. No test listens where others could connect."""

    def __init__(self, address: str, port: int) -> None:
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._address = (address, port)

    def getsockname(self) -> tuple[str, int]:
        return self._address


def _urls_of(*addresses: str) -> list[str]:
    bound: Any = [Bound(address, 8000) for address in addresses]
    return urls_of(bound)


def _listen_on(monkeypatch: pytest.MonkeyPatch, *addresses: str, port: int = 0) -> list[tuple[str, int]]:
    """Where a server listens whose host is a name of these addresses."""
    resolve = socket.getaddrinfo

    def resolved(_host: str, *arguments: Any, **more: Any) -> list[Any]:
        return [info for address in addresses for info in resolve(address, *arguments, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with ExitStack() as stack:
        sockets = [stack.enter_context(sock) for sock in listen(Settings(host="box", port=port))]
        return [sock.getsockname()[:2] for sock in sockets]


@pytest.mark.parametrize("absent", _ABSENT)
@pytest.mark.parametrize("first", [True, False])
def test_an_address_of_a_name_that_the_machine_lacks_is_left_out(
    monkeypatch: pytest.MonkeyPatch, absent: str, first: bool
) -> None:
    """Without IPv6, localhost is still ::1 in /etc/hosts."""
    addresses = [absent, "127.0.0.1"] if first else ["127.0.0.1", absent]
    ((host, port),) = _listen_on(monkeypatch, *addresses)
    assert host == "127.0.0.1"
    assert port > 0


def test_without_support_for_ipv6_localhost_is_its_ipv4_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without IPv6 makes no such socket."""

    class WithoutIPv6(socket.socket):
        def __init__(self, family: int = -1, *arguments: Any, **more: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            super().__init__(family, *arguments, **more)

    monkeypatch.setattr(socket, "socket", WithoutIPv6)
    ((host, _),) = _listen_on(monkeypatch, "::1", "127.0.0.1")
    assert host == "127.0.0.1"


def test_all_addresses_of_a_name_have_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    (first, port), (second, same) = _listen_on(monkeypatch, "127.0.0.1", "127.0.0.2", "127.0.0.1")
    assert (first, second) == ("127.0.0.1", "127.0.0.2")
    assert port == same


@pytest.mark.parametrize("host", _ABSENT)
def test_a_literal_address_that_the_machine_lacks_is_an_error(host: str) -> None:
    with pytest.raises(SettingsError, match=f"cannot listen on {host} port"):
        listen(Settings(host=host, port=0))


def test_a_name_without_an_address_of_this_machine_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="cannot listen on box port"):
        _listen_on(monkeypatch, *_ABSENT)


def test_a_port_in_use_on_one_address_of_a_name_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the clients of that address would reach another program."""
    port = free_port()
    with socket.create_server(("127.0.0.2", port)), pytest.raises(SettingsError, match="in use"):
        _listen_on(monkeypatch, "127.0.0.1", "127.0.0.2", port=port)


def test_the_urls_are_those_of_all_sockets() -> None:
    assert _urls_of("127.0.0.1", "::1") == ["http://127.0.0.1:8000", "http://[::1]:8000"]


@pytest.mark.parametrize(("wildcard", "loopback"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]")])
def test_an_address_that_stands_for_all_is_shown_as_addresses_that_can_be_opened(
    monkeypatch: pytest.MonkeyPatch, wildcard: str, loopback: str
) -> None:
    first, *others = _urls_of(wildcard)
    assert first == f"http://{loopback}:8000"
    # The address that this machine has in its network, if it is in one.
    assert len(others) <= 1
    for other in others:
        address = re.fullmatch(r"http://\[?([0-9a-f.:]+)\]?:8000", other)
        assert address is not None and address[1] not in ("0.0.0.0", "::", "127.0.0.1", "::1")
        with socket.socket(Bound(wildcard, 0).family) as sock:
            sock.bind((address[1], 0))  # it is an address of this machine

    def unreachable(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    assert _urls_of(wildcard) == [first]
