"""A network of several hosts on this machine: namespaces that are joined by a bridge, and no way out.

Each host is a network namespace with one address. A process that sleeps holds it, so nothing is left when the
test is killed. `proxy` has the bridge. A thread enters a host to open sockets there, and what it starts
meanwhile, threads and processes, belongs to that host.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import pytest

from clients.launch import dies_with_its_parent
from tests.patience import eventually

ADDRESSES: Final = {"proxy": "10.77.0.1", "one": "10.77.0.11", "two": "10.77.0.12", "store": "10.77.0.21"}
_CLONE_NEWNET: Final = 0x40000000
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_BUFFERS: Final = (Path("/proc/sys/net/ipv4/tcp_rmem"), Path("/proc/sys/net/ipv4/tcp_wmem"))
_OWN: Final = Path("/proc/thread-self/ns/net")


class Network:
    """The namespaces of ADDRESSES. Without the rights or the tools to make them, the test is skipped."""

    def __init__(self) -> None:
        if os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("ip")):
            pytest.skip("network namespaces need root, unshare and ip: several hosts are NOT tested")
        self._holders: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            for name in ADDRESSES:
                self._hold(name)
            self._ip("proxy", "link", "add", "bridge0", "type", "bridge")
            self._bring_up("proxy", "bridge0")
            for name in ADDRESSES.keys() - {"proxy"}:
                self._join(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for holder in self._holders.values():
            holder.kill()
            holder.wait()

    @contextmanager
    def entered(self, name: str) -> Iterator[None]:
        """This thread belongs to that host until the end of the context."""
        with in_network_of(self._holders[name].pid):
            yield

    @contextmanager
    def small_buffers(self) -> Iterator[None]:
        """New sockets keep at most 64 KiB of what is sent or has come. So who has sent more was read."""
        before = {}
        try:
            for name in ADDRESSES:
                with self.entered(name):
                    for path in _BUFFERS:
                        before[name, path] = path.read_text("ascii")
                        path.write_text("4096 16384 65536", "ascii")
            yield
        finally:
            for (name, path), numbers in before.items():
                with self.entered(name):
                    path.write_text(numbers, "ascii")

    def cut(self, name: str) -> None:
        """Pull the cable of the host: what it sends and gets is lost, without an error."""
        self._ip("proxy", "link", "set", f"to-{name}", "down")

    def mend(self, name: str) -> None:
        """Put the cable back."""
        self._ip("proxy", "link", "set", f"to-{name}", "up")

    def _hold(self, name: str) -> None:
        holder = subprocess.Popen(dies_with_its_parent(["unshare", "--net", "sleep", "infinity"]))
        self._holders[name] = holder
        own = _OWN.readlink()
        if not eventually(
            lambda: holder.poll() is not None or _namespace_of(holder.pid) not in ("", str(own))
        ):
            raise AssertionError("no namespace was made")
        if holder.poll() is not None:
            pytest.skip("this system makes no network namespaces: several hosts are NOT tested")
        self._ip(name, "link", "set", "lo", "up")

    def _join(self, name: str) -> None:
        pid = str(self._holders[name].pid)
        self._ip(
            "proxy", *("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", pid)
        )
        self._ip("proxy", "link", "set", f"to-{name}", "master", "bridge0")
        self.mend(name)
        self._bring_up(name, "eth0")

    def _bring_up(self, name: str, device: str) -> None:
        self._ip(name, "address", "add", f"{ADDRESSES[name]}/24", "dev", device)
        self._ip(name, "link", "set", device, "up")

    def _ip(self, name: str, *arguments: str) -> None:
        with self.entered(name):
            done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


def _namespace_of(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return ""


@contextmanager
def in_network_of(pid: int) -> Iterator[None]:
    """This thread belongs to the network of that process until the end of the context."""
    before = os.open(_OWN, os.O_RDONLY)
    inside = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        _enter(inside)
        try:
            yield
        finally:
            _enter(before)
    finally:
        os.close(before)
        os.close(inside)


def _enter(namespace: int) -> None:
    if _LIBC.setns(namespace, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
