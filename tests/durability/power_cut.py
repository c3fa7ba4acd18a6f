"""`python -m tests.durability.power_cut BACKEND FOLDER TRIALS UPLOADS DURABILITY`: a server whose machine
loses its power.

The store lies on an ext4 of its own, in an image. In each trial clients upload until UPLOADS more are
acknowledged. Then, in the middle of their uploads, the file system is shut down without its log
(FS_IOC_SHUTDOWN): what the disk does not have is lost, as in a power cut. The server is killed, the image is
mounted again, and what was acknowledged in all trials so far is audited. Prints the figures as JSON. It needs
root, and a mount namespace of its own, in which nothing must be unmounted at the end.

This models a page cache and a journal that are lost. It does not model a disk that lies about a flush.
"""

import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from clients.launch import RunningBackend, start
from tests.durability.journal import Audit, Journal, LocalFiles
from tests.durability.load import Load
from tests.patience import eventually

_FS_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
_WITHOUT_LOG = struct.pack("I", 2)
_IMAGE_BYTES = 512 << 20
_SECONDS = 60.0


class Disk:
    """An ext4 in an image, whose power can be cut."""

    def __init__(self, folder: Path) -> None:
        self._image = folder / "image"
        self.mounted = folder / "disk"
        self.mounted.mkdir()
        with self._image.open("wb") as image:
            image.truncate(_IMAGE_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self._image)], check=True)
        self.mount()

    def mount(self) -> None:
        """Mount it. The file system replays its log."""
        subprocess.run(["mount", "-o", "loop", str(self._image), str(self.mounted)], check=True)

    def cut_power(self) -> None:
        """Forget what the disk does not have, and fail every call from now on."""
        fd = os.open(self.mounted, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, _FS_IOC_SHUTDOWN, _WITHOUT_LOG)
        finally:
            os.close(fd)

    def unmount(self) -> None:
        """Unmount it. Raises if a process still uses it."""
        command = ["umount", str(self.mounted)]
        assert eventually(lambda: subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0, 20)


def kill_group(backend: RunningBackend) -> None:
    """Kill all processes of the server at once."""
    os.killpg(backend.pid, signal.SIGKILL)
    backend.process.wait()


def trial(name: str, disk: Disk, journal: Journal, uploads: int, durability: str) -> Audit:
    """One power cut under load, and the audit after it."""
    wanted = journal.uploads + uploads
    store = disk.mounted / "store"
    with start(name, store=store, env={"WIREPROOF_DURABILITY": durability}) as backend:
        with Load(backend.port, journal).running() as load:
            assert eventually(lambda: journal.uploads >= wanted, _SECONDS), (
                "too few uploads were acknowledged"
            )
            disk.cut_power()
            kill_group(backend)
        # After the cut, an upload is refused with 503 or not at all.
        assert not [outcome for outcome in load.unexpected if outcome != 503], load.unexpected
    disk.unmount()
    disk.mount()
    with start(name, store=store):  # a start must work, and sweep what the cut has left
        pass
    return journal.audit(LocalFiles(store))


def main(name: str, folder: str, trials: str, uploads: str, durability: str) -> None:
    """Run the trials, and print the figures. The exit status is 1 if anything is lost, torn or left."""
    disk, journal = Disk(Path(folder)), Journal(Path(folder, "journal"))
    audits = [trial(name, disk, journal, int(uploads), durability) for _ in range(int(trials))]
    wrong = [asdict(audit) for audit in audits if not audit.is_clean]
    print(json.dumps({"cuts": len(audits), "uploads": journal.uploads, "wrong": wrong}))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
