"""Makes the N-th call of a kind fail in a running server (X07, G5). A test arms it, through a file in shared
memory.

`FailingCalls` is the side of the test. Its `environment` makes every Python process of a server call
`install` at its start (`sitecustomize`), which puts a wrapper before each function of `KINDS`. The wrappers
count only in the process whose id the test has written, so a fault hits a worker and not its master.

A call that fails has not been made. Only a close has: on Linux, close(2) closes even if it fails. Pipes and
pairs of sockets are left out: threads wake each other by them, and no network and no disk can make them fail.
`epoll` is epoll_ctl(2), which fails if the system has no room for one more socket. epoll_wait(2) has no such
errors.
"""

import fcntl
import mmap
import os
import select
import selectors
import socket
import stat
import struct
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.socket_server.process_tree import arranged

KINDS: Final = (
    "open",
    "write",
    "fsync",
    "link",
    "close",
    "read",
    "statvfs",
    "xattr",
    "recv",
    "send",
    "accept",
    "epoll",
)

_FIELDS: Final = struct.Struct(
    "=6I"
)  # pid, kind, errno, the number of the call that fails, calls so far, hits
_OS: Final = {
    "open": ("open",),
    "write": ("write", "pwrite"),
    "fsync": ("fsync",),
    "link": ("link",),
    "close": ("close",),
    "read": ("read", "pread"),
    "statvfs": ("statvfs", "fstatvfs"),
    "xattr": ("getxattr", "setxattr"),
    "send": ("sendfile",),
}
_SOCKET: Final = {
    "recv": ("recv", "recv_into"),
    "send": ("send",),
    "accept": ("accept",),
    "close": ("_real_close",),
}


class FailingCalls:
    """Arms and disarms faults in the process `pid`. `folder` takes the files that both sides share."""

    def __init__(self, folder: Path) -> None:
        self._synced = folder / "synced"
        self._synced.touch()
        control = folder / "control"
        control.write_bytes(bytes(_FIELDS.size))
        code = f"from tests.durability.failing_calls import install\ninstall({str(folder)!r})\n"
        self.environment = arranged(folder, code)
        self._shared = _Shared(control)
        self.pid = 0

    def arm(self, kind: str, number_of_error: int, nth: int) -> None:
        """From now on, count the calls of this kind, and make the `nth` one fail."""
        with self._shared.held() as control:
            control[:] = _FIELDS.pack(self.pid, KINDS.index(kind), number_of_error, nth, 0, 0)

    def disarm(self) -> bool:
        """Let everything succeed again. Returns whether a call has failed."""
        with self._shared.held() as control:
            hits = _FIELDS.unpack(control[:])[5]
            control[:] = bytes(_FIELDS.size)
        return bool(hits)

    def forget_synced(self) -> None:
        """Note anew what is synced from now on."""
        self._synced.write_bytes(b"")

    def synced(self) -> dict[int, bool]:
        """The inodes that were synced since then, and whether the last time succeeded."""
        lines = (line.split() for line in self._synced.read_text("ascii").splitlines())
        return {int(inode): succeeded == "1" for inode, succeeded in lines}


def install(folder: str) -> None:
    """Put the wrappers into this process, and into those that it forks."""
    control = _Control(Path(folder))
    for kind, names in _OS.items():
        for name in names:
            if name != "fsync":
                setattr(os, name, control.watched(kind, getattr(os, name)))
    os.fsync = control.watched_fsync(os.fsync)  # type: ignore[assignment]
    for kind, names in _SOCKET.items():
        for name in names:
            setattr(socket.socket, name, control.watched_socket(kind, getattr(socket.socket, name)))
    selectors.EpollSelector._selector_cls = control.watched_epoll()  # type: ignore[attr-defined]


class _Control:
    """The side of the server."""

    def __init__(self, folder: Path) -> None:
        self._shared = _Shared(folder / "control")
        self._synced = folder / "synced"
        self._lock = threading.Lock()
        self._write, self._open, self._close = os.write, os.open, os.close

    def error(self, kind: str) -> OSError | None:
        """The error of this call, or None if it is not the one that fails."""
        if not self._shared.is_for(os.getpid()):
            return None
        with self._lock, self._shared.held() as control:
            pid, wanted, number, nth, calls, hits = _FIELDS.unpack(control[:])
            if pid != os.getpid() or KINDS[wanted] != kind:
                return None
            fails = calls + 1 == nth
            control[:] = _FIELDS.pack(pid, wanted, number, nth, calls + 1, hits + fails)
        return OSError(number, os.strerror(number)) if fails else None

    def watched(self, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """A wrapper for `real`."""

        def call(*arguments: Any, **keywords: Any) -> Any:
            if _is_pipe(arguments[0]) or (error := self.error(kind)) is None:
                return real(*arguments, **keywords)
            if kind == "close":
                real(*arguments, **keywords)
            raise error

        return call

    def watched_socket(self, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """A wrapper for a method of sockets."""
        watched = self.watched(kind, real)

        def call(sock: socket.socket, *arguments: Any) -> Any:
            inside = sock.family == socket.AF_UNIX
            return (real if inside else watched)(sock, *arguments)

        return call

    def watched_fsync(self, real: Callable[[int], None]) -> Callable[[int], None]:
        """A wrapper for os.fsync that notes what it has synced."""
        watched = self.watched("fsync", real)

        def call(fd: int) -> None:
            inode = os.fstat(fd).st_ino
            try:
                watched(fd)
            except OSError:
                self._note(inode, False)
                raise
            self._note(inode, True)

        return call

    def watched_epoll(self) -> type:
        """A class in the place of select.epoll, as far as `selectors` uses it."""
        control, real = self, select.epoll

        class Epoll:
            def __init__(self) -> None:
                self._epoll = real()
                self.register = control.watched("epoll", self._epoll.register)
                self.modify = control.watched("epoll", self._epoll.modify)
                self.unregister = self._epoll.unregister
                self.poll = self._epoll.poll
                self.fileno = self._epoll.fileno
                self.close = self._epoll.close

        return Epoll

    def _note(self, inode: int, succeeded: bool) -> None:
        fd = self._open(self._synced, os.O_WRONLY | os.O_APPEND)
        self._write(fd, b"%d %d\n" % (inode, succeeded))
        self._close(fd)


def _is_pipe(argument: object) -> bool:
    return isinstance(argument, int) and stat.S_ISFIFO(os.fstat(argument).st_mode)


class _Shared:
    """The fields that the test and the server share. One process at a time may change them.

    Without the lock a call that is being counted would arm a fault again that the test has just disarmed.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR)
        self._fields = mmap.mmap(self._fd, _FIELDS.size)
        weakref.finalize(self, os.close, self._fd)

    def is_for(self, pid: int) -> bool:
        """Whether faults are armed in this process. It takes no lock."""
        return bool(struct.unpack_from("=I", self._fields)[0] == pid)

    @contextmanager
    def held(self) -> Iterator[mmap.mmap]:
        """The fields, for this process alone. Threads of one process need a lock of their own."""
        fcntl.lockf(self._fd, fcntl.LOCK_EX)
        try:
            yield self._fields
        finally:
            fcntl.lockf(self._fd, fcntl.LOCK_UN)
