"""Mounts of tests: in a mount namespace of their own, so that nothing must be unmounted."""

import os
import shutil
import subprocess
from pathlib import Path


def in_own_mounts(script: str, *arguments: str) -> list[str]:
    """The command that runs the shell script, in which it may mount, and then a program.

    The script is given the arguments as `$1` and so on. It must `exec` what is to run. A user who is not root
    gets a user namespace, if the system allows it.
    """
    namespaces = ["--mount"] if os.geteuid() == 0 else ["--map-root-user", "--mount"]
    return ["unshare", *namespaces, "sh", "-ec", script, "sh", *arguments]


def can_mount(folder: Path) -> bool:
    """Whether a file system can be mounted here."""
    if shutil.which("unshare") is None:
        return False
    command = in_own_mounts('mount -t tmpfs none "$1"', str(folder))
    return subprocess.run(command, capture_output=True, timeout=30).returncode == 0
