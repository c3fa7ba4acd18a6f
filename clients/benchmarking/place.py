"""Where servers store files and where contents are prepared, and how it is kept alike for all of them."""

import contextlib
import mmap
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """`stores` is where the servers have their folders, `contents` where the sent files are: in memory, if
    there is a tmpfs."""

    stores: Path
    contents: Path

    @property
    def file_system(self) -> str:
        """The type of the file system of the stores, such as `tmpfs` or `ext4`."""
        best, kind = "", "?"
        for line in Path("/proc/mounts").read_text("utf-8", "replace").splitlines():
            _, mounted, found = line.split()[:3]
            if self.stores.is_relative_to(mounted) and len(mounted) >= len(best):
                best, kind = mounted, found
        return kind

    @property
    def in_memory(self) -> bool:
        """Whether the stores are in memory."""
        return self.file_system == "tmpfs"


@contextlib.contextmanager
def place_in(folder: Path | None) -> Iterator[Place]:
    """A new folder in `folder`, by default in `/dev/shm` where possible. It is removed at the end."""
    memory = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    with contextlib.ExitStack() as stack:
        contents = _temporary(stack, memory)
        stores = _temporary(stack, folder.resolve() if folder else memory)
        yield Place(stores, contents)


def _temporary(stack: contextlib.ExitStack, parent: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="wireproof-benchmark-", dir=parent))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def available_memory() -> int:
    """Bytes that can be taken without swapping."""
    for line in Path("/proc/meminfo").read_text("utf-8").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def touch_memory(size: int) -> None:
    """Take `size` bytes of memory and give them back.

    A virtual machine hands freed memory back to its host, and the next one who uses it waits for the host.
    """
    with mmap.mmap(-1, max(size, _PAGE)) as memory:
        for offset in range(0, size, _PAGE):
            memory[offset] = 1


def remove_files_of(folder: Path, size: int) -> None:
    """Remove the stored contents, which have this size; what else a server keeps there stays."""
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size == size:
            path.unlink()
