"""What uploads were meant and acknowledged, in a file outside of the store, and the audit of a store by it.

A client notes an upload before it sends the first byte (`intend`), and when it has the 2xx (`acknowledge`).
Each line is on disk before the client goes on. So whatever is killed, or loses its power, the journal knows
what the server has promised.
"""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class StoredFiles(Protocol):
    """How an audit reads a store back, whatever kind of store it is."""

    def content(self, sha256: str) -> bytes | None:
        """The bytes under this name, or None."""

    def names(self) -> list[str]:
        """The names of all stored files."""

    def leftovers(self) -> list[str]:
        """Everything in the store that is neither a stored file nor a part of the store itself."""

    def inodes(self, sha256: str) -> set[int]:
        """What must be synced before this file is acknowledged. Empty for a store without inodes."""


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """A local store, read as a stranger would: from its folder, without the code of the store."""

    root: Path

    def content(self, sha256: str) -> bytes | None:
        path = self.root / "files" / sha256
        return path.read_bytes() if path.is_file() else None

    def names(self) -> list[str]:
        return sorted(name for name in self._in_files() if _is_hash(name))

    def leftovers(self) -> list[str]:
        staged = (self.root / "staging").rglob("*")
        return sorted([*map(str, staged), *(name for name in self._in_files() if not _is_hash(name))])

    def inodes(self, sha256: str) -> set[int]:
        return {path.stat().st_ino for path in (self.root / "files", self.root / "files" / sha256)}

    def _in_files(self) -> Iterator[str]:
        return (path.name for path in (self.root / "files").iterdir())


@dataclass(frozen=True, slots=True)
class Audit:
    """How many files were acknowledged, and what is wrong with the store.

    `lost` was acknowledged and is not there. `torn` has other bytes than its name says. `unmeant` was never
    uploaded. `leftovers` are names of uploads that did not end.
    """

    acknowledged: int
    lost: list[str]
    torn: list[str]
    unmeant: list[str]
    leftovers: list[str]

    @property
    def is_clean(self) -> bool:
        """Whether nothing is lost, torn, unmeant or left."""
        return not (self.lost or self.torn or self.unmeant or self.leftovers)


class Journal:
    """The journal in the file `path`, which earlier processes may have begun. Any thread may use it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.uploads = 0
        """How many uploads were acknowledged since this object was made; an upload may have several files."""

    def intend(self, *contents: bytes) -> None:
        """Note that these files of one request are about to be sent."""
        self._note("intent", contents)

    def acknowledge(self, *contents: bytes) -> None:
        """Note that the server has acknowledged these files of one request."""
        self._note("ack", contents)
        with self._lock:
            self.uploads += 1

    def audit(self, stored: StoredFiles) -> Audit:
        """Compare the store with the journal."""
        acknowledged, meant, names = self._read("ack"), self._read("intent"), stored.names()
        torn = [name for name in names if hashlib.sha256(stored.content(name) or b"").hexdigest() != name]
        return Audit(
            acknowledged=len(acknowledged),
            lost=sorted(acknowledged - set(names)),
            torn=torn,
            unmeant=sorted(set(names) - meant),
            leftovers=stored.leftovers(),
        )

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _note(self, kind: str, contents: tuple[bytes, ...]) -> None:
        names = [hashlib.sha256(content).hexdigest() for content in contents]
        line = json.dumps({"kind": kind, "files": names}) + "\n"
        with self._lock:
            os.write(self._fd, line.encode("ascii"))
            os.fdatasync(self._fd)

    def _read(self, kind: str) -> set[str]:
        lines = map(json.loads, self._path.read_text("ascii").splitlines())
        return {name for line in lines if line["kind"] == kind for name in line["files"]}


def _is_hash(name: str) -> bool:
    return len(name) == 64 and set(name) <= set("0123456789abcdef")
