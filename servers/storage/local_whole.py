"""The note on a stored file that its bytes are whole, so that a repeated upload need not read them again.

An upload of content that is stored already uses the file that is there. Without a note it reads the file and
compares the hash, because `--durability fast` may have left a file that a power loss has damaged.

The note is the extended attribute `user.wireproof.whole`. It holds the modification time of the file in ns,
and how far the note can be trusted:

    safe       The bytes were synced before the note was set, so no power loss can have taken them.
    BOOT ID    They were not. They are whole as long as this machine runs, and only `fast` trusts that.

Whoever writes to the file moves its modification time, and then the note does not hold any more. A note is
only ever a help: on a file system without extended attributes, or when it cannot be set, files are read.
Small files have none, because reading one costs no more.
"""

import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

LEAST: Final = 64 * 1024
"""A smaller file has no note."""

_NAME: Final = "user.wireproof.whole"
_SAFE: Final = "safe"
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def set_time(fd: int) -> None:
    """Set the modification time to now, to the nanosecond: no later write can give the file the same time.

    The kernel itself uses a clock with ticks of some ms. Raises OSError.
    """
    os.utime(fd)
    status = os.stat(fd)
    os.utime(fd, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


def note(fd: int, *, durable: bool) -> None:
    """Note that the bytes of this file are whole; `durable`: and synced. Never raises."""
    trust = _SAFE if durable else _boot()
    if trust and hasattr(os, "setxattr"):
        with suppress(OSError):
            os.setxattr(fd, _NAME, f"{trust} {os.stat(fd).st_mtime_ns}".encode("ascii"))


def trust_in(fd: int, status: os.stat_result, *, durable: bool) -> bool:
    """Whether a store may take this file as whole without reading it; it is `durable`, or it is not."""
    if status.st_size < LEAST or not hasattr(os, "getxattr"):
        return False
    try:
        trust, _, time = os.getxattr(fd, _NAME).decode("ascii").partition(" ")
    except (OSError, UnicodeDecodeError):
        return False
    known = {_SAFE} if durable else {_SAFE, _boot()}
    return trust in known and time == str(status.st_mtime_ns)


@cache
def _boot() -> str:
    """What tells this start of the machine from all others; empty where the system does not say."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""
