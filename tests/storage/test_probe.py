"""Whether uploads can be stored is tried as an upload does it, and at most once a second."""

import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from servers.storage import open_store, probe
from servers.storage.local import LocalStore
from servers.storage.probe import Probe
from tests.storage.mounts import can_mount, in_own_mounts
from tests.storage.syscalls import Syscalls, open_descriptors
from tests.storage.uploads import staged, upload


def refuse_links(number: int) -> Callable[..., None]:
    def link(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    return link


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.EPERM, "its file system has no hard links"),
        (errno.EOPNOTSUPP, "its file system has no hard links"),
        (errno.ENOSYS, "its file system has no hard links"),
        (errno.EXDEV, "its folders files and staging are not in the same file system"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_store_without_hard_links_is_not_writable_and_its_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    running = LocalStore(tmp_path / "running")
    assert running.is_writable()
    monkeypatch.setattr(os, "link", refuse_links(number))
    assert not running.is_writable()
    with pytest.raises(OSError, match=says):
        upload(running, b"x")
    with pytest.raises(OSError, match=says):
        open_store(str(tmp_path / "new"), durable=True)


def test_an_old_store_without_hard_links_is_refused_too(
    store: LocalStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refuse_links(errno.EPERM))
    with pytest.raises(OSError, match="no hard links"):
        open_store(str(root), durable=True)


@pytest.mark.parametrize("failing", ["open", "write", "fsync", "link", "mkdir", "flock"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_call_that_would_fail_an_upload_fails_the_probe(
    store: LocalStore, root: Path, syscalls: Syscalls, failing: str, number: int
) -> None:
    descriptors = open_descriptors()
    syscalls.fail_call(failing, number)
    with syscalls:
        assert not store.is_writable()
        assert failing in syscalls.names()
        with pytest.raises(OSError, match=os.strerror(number)):
            upload(store, b"x", b"y")
    assert open_descriptors() == descriptors
    assert staged(root) == []
    assert store.is_writable()


def test_a_probe_leaves_nothing_and_gives_no_file_its_hash(
    store: LocalStore, root: Path, syscalls: Syscalls
) -> None:
    before = sorted(root.rglob("*"))
    with syscalls:
        assert store.is_writable()
    assert sorted(root.rglob("*")) == before
    linked = [call.arguments[1] for call in syscalls.calls if call.name == "link"]
    assert [name.partition("-")[0] for name in linked] == ["probe", "probe"]
    assert syscalls.most_descriptors <= 4


def test_a_probe_without_durability_never_syncs(root: Path, syscalls: Syscalls) -> None:
    store = LocalStore(root, durable=False)
    with syscalls:
        assert store.is_writable()
    assert "fsync" not in syscalls.names()


def test_it_is_tried_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    tries: list[float] = []
    monkeypatch.setattr(probe, "INTERVAL_SECONDS", 1.0)
    monkeypatch.setattr("servers.storage.probe.time.monotonic", lambda: now[0])

    def attempt() -> None:
        tries.append(now[0])
        if len(tries) == 2:
            raise OSError(errno.EIO, "broken")

    tried = Probe(attempt)
    results = []
    for _ in range(40):
        results.append(tried.succeeds())
        now[0] += 0.1
    assert tries == pytest.approx([1000.0, 1001.0, 1002.0, 1003.0])
    assert results == [True] * 10 + [False] * 10 + [True] * 20


def test_threads_that_ask_together_cause_one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "INTERVAL_SECONDS", 60.0)
    entered, go_on, tries = threading.Event(), threading.Event(), []

    def attempt() -> None:
        tries.append(1)
        entered.set()
        assert go_on.wait(60)

    tried = Probe(attempt)
    results: list[bool] = []
    threads = [threading.Thread(target=lambda: results.append(tried.succeeds())) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert entered.wait(60)
    go_on.set()
    for thread in threads:
        thread.join()
    assert (results, len(tries)) == ([True] * 5, 1)


def test_who_waits_for_a_disk_that_does_not_respond_waits_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe, "_PATIENCE_SECONDS", 0.05)
    entered, go_on = threading.Event(), threading.Event()

    def attempt() -> None:
        entered.set()
        assert go_on.wait(60)

    tried = Probe(attempt)
    first = threading.Thread(target=tried.succeeds)
    first.start()
    assert entered.wait(60)
    assert not tried.succeeds()
    go_on.set()
    first.join()
    assert tried.succeeds()


def test_a_change_is_logged_once_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    failures = [None, "full", "full", "read-only", None, None]

    def attempt() -> None:
        if (failure := failures.pop(0)) is not None:
            raise OSError(errno.EIO, failure)

    tried = Probe(attempt)
    with caplog.at_level("INFO"):
        assert [tried.succeeds() for _ in range(6)] == [True, False, False, False, True, True]
    assert [record.message for record in caplog.records] == [
        "uploads cannot be stored: full",
        "uploads cannot be stored: read-only",
        "uploads can be stored again",
    ]


# A running store on a file system that becomes read-only, and a start on it.
READ_ONLY = """
import subprocess, sys
from pathlib import Path
from servers.storage import open_store, probe
probe.INTERVAL_SECONDS = 0
place = sys.argv[1]
store = open_store(place, durable=True)
with store.begin() as upload:
    upload.new_file().close()
    upload.publish()
(name,) = store.names()
subprocess.run(["mount", "-o", "remount,ro", place], check=True)
assert not store.is_writable()
assert store.open(name) is not None
for existing in (False, True):
    try:
        open_store(place, durable=False, existing=existing)
    except OSError as error:
        assert error.strerror == "Read-only file system", error
    else:
        raise AssertionError("it starts")
subprocess.run(["mount", "-o", "remount,rw", place], check=True)
assert store.is_writable()
"""


def test_a_store_that_becomes_read_only_is_read_and_takes_no_uploads(tmp_path: Path) -> None:
    if not can_mount(tmp_path):
        pytest.skip("mounting needs root, or user namespaces: EROFS is only injected here")
    place = tmp_path / "mounted"
    place.mkdir()
    script = 'mount -t tmpfs none "$1"; shift; exec "$@"'
    command = in_own_mounts(script, str(place), sys.executable, "-c", READ_ONLY, str(place))
    subprocess.run(command, cwd=Path(__file__).resolve().parents[2], check=True, timeout=60)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_not_writable(store: LocalStore, root: Path) -> None:
    (root / "files").chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert not store.is_writable()
    finally:
        (root / "files").chmod(0o700)
    assert store.is_writable()
