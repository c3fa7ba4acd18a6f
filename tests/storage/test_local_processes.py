"""Several processes with one local store: sharing, crashes, system limits (X02, X05, X06, X23, X24)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from servers.storage.local import LocalStore
from tests.storage.mounts import can_mount, in_own_mounts
from tests.storage.uploads import add, sha256, staged, upload

PROJECT = Path(__file__).resolve().parents[2]

# Begins an upload of three files, prints a line, and then follows the orders on its standard input.
CLIENT = """
import os, sys
from pathlib import Path
from servers.storage.local import LocalStore
store = LocalStore(Path(sys.argv[1]))
with store.begin() as upload:
    for number in range(3):
        writer = upload.new_file()
        writer.write(b"%d" % number)
        if number < 2:
            writer.close()
    print("half-way", flush=True)
    if sys.stdin.readline() == "crash\\n":
        os._exit(7)
    writer.close()
    upload.publish()
print("published", flush=True)
"""

# Uploads content that all processes share, and some of its own. Every third upload is aborted.
RIVAL = """
import sys
from pathlib import Path
from servers.storage.local import LocalStore
store = LocalStore(Path(sys.argv[1]))
name = sys.argv[2].encode()
for turn in range(60):
    with store.begin() as upload:
        for content in (b"shared %d" % turn, b"%s %d" % (name, turn), b"shared %d" % (turn + 1)):
            writer = upload.new_file()
            writer.write(content * 1000)
            writer.close()
        if turn % 3:
            upload.publish()
    store.clean()
"""


@contextmanager
def client(root: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", CLIENT, str(root)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=PROJECT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "half-way\n"
            yield process
        finally:
            process.kill()


def tell(process: subprocess.Popen[str], order: str) -> int:
    assert process.stdin is not None
    process.stdin.write(order + "\n")
    process.stdin.flush()
    return process.wait(timeout=30)


def test_clean_removes_the_files_of_a_crashed_process(root: Path) -> None:
    store = LocalStore(root)
    with client(root) as process:
        assert tell(process, "crash") == 7
    assert len(staged(root)) == 3  # the folder and two of the three files; the first one has no name
    assert list(store.names()) == []
    assert store.clean() == 1
    assert staged(root) == []
    assert store.clean() == 0


def test_clean_removes_the_files_of_a_killed_process(root: Path) -> None:
    store = LocalStore(root)
    with client(root) as process:
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=30) == -signal.SIGKILL
    assert store.clean() == 1
    assert staged(root) == []
    assert list(store.names()) == []


def test_clean_keeps_the_staged_files_of_a_running_process(root: Path) -> None:
    store = LocalStore(root)
    with client(root) as process:
        before = staged(root)
        assert store.clean() == 0
        assert LocalStore(root).clean() == 0
        assert staged(root) == before != []
        upload(store, b"1", b"mine")
        assert tell(process, "publish") == 0
    assert sorted(store.names()) == sorted(map(sha256, [b"0", b"1", b"2", b"mine"]))
    assert staged(root) == []


def test_clean_keeps_the_staged_files_of_this_process(root: Path) -> None:
    store = LocalStore(root)
    with store.begin() as begun:
        for content in (b"one", b"two"):
            add(begun, content)
        assert store.clean() == 0
        begun.publish()
    assert len(list(store.names())) == 2


def stale_folder(root: Path) -> Path:
    with client(root) as process:
        tell(process, "crash")
    (folder,) = (root / "staging").iterdir()
    return folder


def test_clean_keeps_everything_else(root: Path, tmp_path: Path) -> None:
    stale = stale_folder(root)
    staging = root / "staging"
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "1").write_bytes(b"of somebody else")
    (staging / f"1-{'0' * 32}").symlink_to(outside)
    (staging / f"2-{'0' * 32}").write_bytes(b"a file of that name")
    (staging / "upload.tmp").write_bytes(b"")
    (staging / f"3-{'0' * 31}").mkdir()
    (staging / f"3-{'0' * 31}" / "1").write_bytes(b"")
    shared = staging / f"4-{'0' * 32}"
    shared.mkdir()
    (shared / "notes.txt").write_bytes(b"")
    before = {path for path in staged(root) if stale not in (path, path.parent)}
    (shared / "1").write_bytes(b"staged by us")
    assert LocalStore(root).clean() == 1
    assert set(staged(root)) == before
    assert (outside / "1").read_bytes() == b"of somebody else"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_clean_keeps_the_folders_of_another_user(root: Path) -> None:
    stale = stale_folder(root)
    os.chown(stale, 12345, 12345)
    before = staged(root)
    assert LocalStore(root).clean() == 0
    assert staged(root) == before


def test_rival_processes_share_one_store(root: Path) -> None:
    store = LocalStore(root)
    rivals = [
        subprocess.Popen([sys.executable, "-c", RIVAL, str(root), name], cwd=PROJECT)
        for name in ("a", "b", "c")
    ]
    try:
        assert [rival.wait(timeout=100) for rival in rivals] == [0, 0, 0]
    finally:
        for rival in rivals:
            rival.kill()
    published = [turn for turn in range(60) if turn % 3]
    contents = {b"shared %d" % (turn + more) for turn in published for more in (0, 1)}
    contents |= {b"%s %d" % (name, turn) for name in (b"a", b"b", b"c") for turn in published}
    assert sorted(store.names()) == sorted(sha256(content * 1000) for content in contents)
    for path in (root / "files").iterdir():
        assert sha256(path.read_bytes()) == path.name
    assert staged(root) == []


def test_processes_killed_at_any_time_leave_only_whole_files(root: Path) -> None:
    store = LocalStore(root)
    for number in range(8):
        command = [sys.executable, "-c", RIVAL, str(root), str(number)]
        with subprocess.Popen(command, cwd=PROJECT) as rival:
            time.sleep(0.1 + 0.04 * number)
            rival.kill()
        for path in (root / "files").iterdir():
            assert sha256(path.read_bytes()) == path.name
        store.clean()
        assert staged(root) == []


# X06: RLIMIT_FSIZE. CPython ignores SIGXFSZ, so write(2) fails with EFBIG.
LIMITED = """
import errno, resource, sys
from pathlib import Path
from servers.storage.local import LocalStore
store = LocalStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for files in (1, 2):
    try:
        with store.begin() as upload:
            for _ in range(files - 1):
                upload.new_file().close()
            upload.new_file().write(bytes(150_000))
    except OSError as error:
        assert error.errno == errno.EFBIG, error
    else:
        raise AssertionError("no error")
    assert list(store.names()) == []
    assert not any(Path(sys.argv[1], "staging").glob("*"))
with store.begin() as upload:
    upload.new_file().close()
    upload.publish()
assert len(list(store.names())) == 1
"""

# X05: a file system with 1 MiB and 24 inodes: full at the start, within a file, and without free inodes.
FULL = """
import errno, sys
from pathlib import Path
from servers.storage import probe
from servers.storage.local import LocalStore
probe.INTERVAL_SECONDS = 0
root = Path(sys.argv[1], "store")
store = LocalStore(root)

def refused(*contents):
    try:
        with store.begin() as upload:
            for content in contents:
                writer = upload.new_file()
                writer.write(content)
                writer.close()
            upload.publish()
    except OSError as error:
        return error.errno == errno.ENOSPC
    return False

assert store.is_writable()
for contents in ([bytes(2_000_000)], [b"1", bytes(2_000_000)], [bytes(500_000), b"1" * 600_000],
                 [b"%d" % number for number in range(40)]):
    assert refused(*contents), len(contents)
    assert list(store.names()) == []
    assert not any(Path(root, "staging").glob("*"))
assert not refused(bytes(900_000)), "the space was not given back"
blocker = Path(sys.argv[1], "blocker")
try:
    blocker.write_bytes(bytes(1_000_000))
except OSError:
    pass
assert not store.is_writable()
assert refused(b"small")
blocker.unlink()
assert store.is_writable()
assert not refused(b"small", b"other")
assert not refused(*[b"%d" % number for number in range(12)]), "a staged file needs an inode more"
assert len(list(store.names())) == 15
"""


def test_a_file_over_the_system_limit_leaves_nothing(root: Path) -> None:
    subprocess.run([sys.executable, "-c", LIMITED, str(root)], cwd=PROJECT, check=True, timeout=60)


def test_a_refused_upload_frees_the_space_of_a_full_file_system(tmp_path: Path) -> None:
    if not can_mount(tmp_path):
        pytest.skip("mounting a small file system needs root: ENOSPC is only injected (test_local_faults)")
    script = 'mount -t tmpfs -o size=1m,nr_inodes=24 none "$1"; shift; exec "$@"'
    command = in_own_mounts(script, str(tmp_path), sys.executable, "-c", FULL, str(tmp_path))
    subprocess.run(command, cwd=PROJECT, check=True, timeout=60)
