"""Systems other than Linux, imitated: what they lack is hidden from the interpreters that the tests start.

Windows has neither `fcntl` nor `select.poll`. macOS has no unnamed files (O_TMPFILE), no /proc, no epoll and
no setpriv.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from clients.launch import BACKENDS, HOST, PROJECT_ROOT, installed_backends
from servers.contract.access import AccessRules
from servers.contract.limits import Limits
from servers.contract.route import Context
from servers.socket_server.outbox import UnsentBytes
from servers.socket_server.worker import Worker
from servers.storage.memory import MemoryStore

_SENTENCE = "wireproof needs Linux or macOS; on Windows it runs in WSL.\n"
_WINDOWS = """
import select, sys
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
del select.poll
"""
_MACOS = """
import os, pathlib, select, shutil
for module, name in ((os, "O_TMPFILE"), (os, "O_PATH"), (os, "memfd_create"), (select, "epoll")):
    vars(module).pop(name, None)
is_dir, which = pathlib.Path.is_dir, shutil.which
pathlib.Path.is_dir = lambda self: not str(self).startswith("/proc") and is_dir(self)
shutil.which = lambda name, *arguments: None if name == "setpriv" else which(name, *arguments)
"""


def _run(command: list[str], folder: Path, system: str) -> subprocess.CompletedProcess[str]:
    """Run a command on an imitated system. Its store is in `folder`."""
    (folder / "sitecustomize.py").write_text(system, "utf-8")
    path = os.pathsep.join((str(folder), str(PROJECT_ROOT)))
    env = {**os.environ, "PYTHONPATH": path, "WIREPROOF_STORE": str(folder / "store")}
    return subprocess.run(
        command, cwd=PROJECT_ROOT, env=env, capture_output=True, text=True, timeout=180, check=False
    )


@pytest.mark.parametrize("name", [name for name in installed_backends() if name != "gunicorn"])
def test_a_server_says_in_one_sentence_that_it_does_not_run_on_windows(name: str, tmp_path: Path) -> None:
    """gunicorn itself does not run there."""
    ended = _run(BACKENDS[name].command_for(HOST, 0), tmp_path, _WINDOWS)
    assert ended.returncode not in (0, 2)
    assert (ended.stdout, ended.stderr) == ("", _SENTENCE)


@pytest.mark.parametrize("arguments", [[], ["serve"], ["upload", "http://127.0.0.1:1/"], ["compare"]])
def test_a_client_says_so_too(arguments: list[str], tmp_path: Path) -> None:
    ended = _run([sys.executable, "-m", "clients", *arguments], tmp_path, _WINDOWS)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", _SENTENCE)


@pytest.mark.soak(seconds=10)
def test_servers_and_compare_do_without_what_only_linux_has(tmp_path: Path) -> None:
    """Among the cases are uploads of one file and of several, and their files are read back."""
    command = [sys.executable, "-m", "clients", "compare", "--backends", "socket,flask,gunicorn"]
    command += ["--cases", "*files*"]
    ended = _run(command, tmp_path, _MACOS)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_on_macos_the_unsent_bytes_are_asked_for_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [700, 700, 300]

    class Socket:
        def getsockopt(self, level: int, option: int) -> int:
            assert (level, option) == (socket.SOL_SOCKET, 0x1024)
            return left.pop(0)

    unsent = UnsentBytes(Socket())  # type: ignore[arg-type]
    with monkeypatch.context() as patched:
        patched.setattr(sys, "platform", "darwin")
        progress = [unsent.made_progress() for _ in range(3)]
    assert progress == [False, False, True]


def test_a_client_that_left_before_it_was_accepted_ends_nothing() -> None:
    """macOS then refuses to set an option of the socket."""

    class Gone(socket.socket):
        def setsockopt(self, *_: object) -> None:
            raise OSError(22, "Invalid argument")

    worker = Worker([], Context(Limits(), AccessRules(), MemoryStore()))
    sock = Gone()
    worker.accept(sock)
    assert sock.fileno() == -1
    worker.loop.stop()
    worker.run()
