"""Records the system calls of a local store, and makes chosen ones fail (X07)."""

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Self

import pytest

OS_CALLS: Final = (
    *("open", "close", "write", "pwrite", "fsync", "fstat", "stat", "link", "unlink", "replace", "utime"),
    *("mkdir", "rmdir", "chmod", "fchmod", "scandir"),
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its name, two arguments as text, and the inode if the first one is a descriptor."""

    name: str
    arguments: tuple[str, ...]
    inode: int | None


@dataclass
class Syscalls:
    """Use it as a context. `before` is called before each call; it may raise, or act as another process."""

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
        self._baseline = open_descriptors()
        self._watching = True
        return self

    def __exit__(self, *ignored: object) -> None:
        self._watching = False

    def fail(self, number: int, errno: int) -> None:
        """Make the call number `number` (from 0) fail."""

        def before(_: Call) -> None:
            if len(self.calls) == number + 1:
                raise OSError(errno, os.strerror(errno))

        self.before = before

    def fail_call(self, name: str, errno: int, *, after: int = 0) -> None:
        """Make each call of `name` fail, except the first `after` ones."""

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
                if name == "close":  # on Linux, close() closes even if it fails
                    real(*arguments, **keywords)
                raise
            finally:
                self._own = False
            result = real(*arguments, **keywords)
            self.most_descriptors = max(self.most_descriptors, open_descriptors() - self._baseline)
            return result

        return call


def open_descriptors() -> int:
    """The number of open descriptors of this process."""
    return len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208 - Path.iterdir() would be recorded


def inode_of(argument: object) -> int | None:
    """The inode of a descriptor, None for anything else."""
    return os.fstat(argument).st_ino if isinstance(argument, int) else None
