"""X07, G5: each system call of a request fails once. No false 2xx, no leak, and the server goes on.

`flask run` is left out: Werkzeug's server keeps a selector of each request until the next garbage collection.
"""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clients.launch import start
from tests.durability.failing_calls import KINDS, FailingCalls
from tests.durability.journal import LocalFiles
from tests.durability.torture import Torture
from tests.patience import eventually
from tests.socket_server.process_tree import children

_ERRORS = (errno.EIO, errno.ENOSPC, errno.EINTR, errno.EMFILE, errno.ECONNRESET)
_BACKENDS = ("socket", "gunicorn")
_ALWAYS = {"open", "write", "fsync", "link", "close", "statvfs", "xattr", "recv", "send", "accept"}
# One error of each kind that it may well have.
_LIKELY = {
    "open": errno.EMFILE,
    "write": errno.ENOSPC,
    "fsync": errno.EIO,
    "link": errno.ENOSPC,
    "close": errno.EIO,
    "read": errno.EIO,
    "statvfs": errno.EIO,
    "xattr": errno.ENOSPC,
    "recv": errno.ECONNRESET,
    "send": errno.ECONNRESET,
    "accept": errno.EMFILE,
    "epoll": errno.ENOSPC,
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of uploads are synced, and no power is cut here."""
    if not os.access("/dev/shm", os.W_OK | os.X_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@contextmanager
def _tortured(name: str, folder: Path) -> Iterator[Torture]:
    """A backend of one worker, whose calls can fail."""
    calls = FailingCalls(folder)
    # With room to keep, the server asks for it, too. It finds enough.
    env = calls.environment | {"WIREPROOF_WORKERS": "1", "WIREPROOF_QUIET": "1", "WIREPROOF_MIN_FREE": "1"}
    with start(name, store=folder / "store", env=env) as backend:
        if name == "gunicorn":
            assert eventually(lambda: len(children(backend.pid)) == 1)
            (calls.pid,) = children(backend.pid)
        else:
            calls.pid = backend.pid
        yield Torture(backend, calls, LocalFiles(folder / "store"))


def _report(name: str, torture: Torture) -> None:
    failures = sum(torture.counts.values())
    print(f"{name}: {failures} calls failed: {dict(torture.counts)}; uploads ended {dict(torture.statuses)}")


@pytest.mark.soak(seconds=20)
@pytest.mark.parametrize("name", _BACKENDS)
def test_each_call_fails_with_an_error_that_it_may_well_have(folder: Path, name: str) -> None:
    assert set(_LIKELY) == set(KINDS)
    with _tortured(name, folder) as torture:
        for kind, number in _LIKELY.items():
            torture.fail_each(kind, number)
        _report(name, torture)
        assert set(torture.counts) >= _ALWAYS


@pytest.mark.soak(seconds=60)
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", _ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("name", _BACKENDS)
def test_each_call_fails_with_each_error(folder: Path, name: str, number: int) -> None:
    with _tortured(name, folder) as torture:
        for kind in KINDS:
            torture.fail_each(kind, number)
        _report(name, torture)
        assert set(torture.counts) >= _ALWAYS
