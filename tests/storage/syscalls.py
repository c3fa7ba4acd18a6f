"""Every system call of a local store, recorded, and made to fail on demand (X07)."""

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Self

import pytest

OS_CALLS: Final = (
    *("open", "close", "write", "fsync", "fstat", "stat", "link", "unlink", "replace", "utime"),
    *("mkdir", "rmdir", "chmod", "fchmod", "scandir"),
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its name, its first two arguments as text, and the inode when the first is a descriptor."""

    name: str
    arguments: tuple[str, ...]
    inode: int | None


@dataclass
class Syscalls:
    """The calls made while `watch` is in force. `before` may raise, or do what another process would do."""

    monkeypatch: pytest.MonkeyPatch
    calls: list[Call] = field(default_factory=list)
    before: Callable[[Call], None] = lambda call: None
    most_descriptors: int = 0
    _watching: bool = False
    _own: bool = False

    def __post_init__(self) -> None:
        self._baseline = open_descriptors()
        for name in OS_CALLS:
            self.monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))
        self.monkeypatch.setattr(fcntl, "flock", self._watched("flock", fcntl.flock))

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._baseline = open_descriptors()
        self._watching = True
        return self

    def __exit__(self, *ignored: object) -> None:
        """End it."""
        self._watching = False

    def fail(self, number: int, errno: int) -> None:
        """Make the call of that number (from 0) fail."""

        def before(_: Call) -> None:
            if len(self.calls) == number + 1:
                raise OSError(errno, os.strerror(errno))

        self.before = before

    def fail_call(self, name: str, errno: int, *, after: int = 0) -> None:
        """Make each call of that name fail, but for the first `after` ones."""

        def before(call: Call) -> None:
            if call.name == name and [known.name for known in self.calls].count(name) > after:
                raise OSError(errno, os.strerror(errno))

        self.before = before

    def names(self) -> list[str]:
        """The names of the calls in order."""
        return [call.name for call in self.calls]

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            if not self._watching or self._own:
                return real(*arguments, **keywords)
            self._own = True
            try:
                known = Call(name, tuple(map(str, arguments[:2])), inode_of(arguments[0]))
                self.calls.append(known)
                self.before(known)
            except OSError:
                if name == "close":  # on Linux a failing close() has closed nevertheless
                    real(*arguments, **keywords)
                raise
            finally:
                self._own = False
            result = real(*arguments, **keywords)
            self.most_descriptors = max(self.most_descriptors, open_descriptors() - self._baseline)
            return result

        return call


def open_descriptors() -> int:
    """How many descriptors this process holds."""
    return len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208 - Path.iterdir() is no call of ours to watch


def inode_of(argument: object) -> int | None:
    """The inode of a descriptor."""
    return os.fstat(argument).st_ino if isinstance(argument, int) else None
