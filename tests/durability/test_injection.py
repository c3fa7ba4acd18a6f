"""X07: the kernel itself lets calls fail, for a sample. What `test_torture` puts before Python's functions is
not in the way here: calls from C code fail too, and Python repeats a call that a signal has interrupted (PEP
475)."""

import itertools
import os
from pathlib import Path

import pytest

from clients.launch import RunningBackend, start
from tests.durability.journal import LocalFiles
from tests.durability.torture import SHARED, SMALL, Outcome, upload
from tests.durability.traced_calls import attached, require_strace
from tests.patience import eventually
from tests.socket_server.process_tree import children, is_running
from tests.storage.uploads import sha256

_SAMPLE = (
    ("fsync", "EIO", 1),
    ("fsync", "EIO", 2),
    ("fsync", "ENOSPC", 3),
    ("linkat", "ENOSPC", 1),
    ("linkat", "EIO", 2),
    ("write", "ENOSPC", 1),
    ("openat", "EMFILE", 1),
    ("openat", "EIO", 3),
    ("close", "EIO", 1),
    ("read", "EIO", 1),
    ("utimensat", "EIO", 1),
    ("fgetxattr", "EIO", 1),
    ("fsetxattr", "ENOSPC", 1),
    ("recvfrom", "ECONNRESET", 1),
    ("sendto", "ECONNRESET", 1),
    ("accept4", "EMFILE", 1),
    ("epoll_ctl", "ENOSPC", 2),
)
# Python repeats these. So an upload beside them is acknowledged, and stored.
_INTERRUPTED = (("fsync", 1), ("openat", 2), ("recvfrom", 1), ("sendto", 1), ("accept4", 1))


def _uploads(backend: RunningBackend) -> list[Outcome]:
    fresh = (b"%d %d" % (os.getpid(), number) + os.urandom(8) for number in itertools.count())
    contents = ((next(fresh),), (next(fresh), SHARED, SMALL, next(fresh) * 10_000))
    return [upload(backend, *each) for each in contents]


def _workers(backend: RunningBackend) -> list[int]:
    return children(backend.pid) or [backend.pid]


def _check_stored(stored: LocalFiles, outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        for content in outcome.contents:
            kept = stored.content(sha256(content))
            assert kept in (None, content)
            assert outcome.status != 200 or kept == content, "a false 2xx"


@pytest.mark.soak(seconds=60)
@pytest.mark.parametrize("name", ["socket", "gunicorn"])
def test_a_call_that_the_kernel_lets_fail_gives_no_false_2xx(tmp_path: Path, name: str) -> None:
    if (why := require_strace()) is not None:
        assert os.geteuid() != 0, why
        pytest.skip(f"FAULTS OF THE KERNEL ARE NOT TESTED: {why}")
    stored = LocalFiles(tmp_path / "store")
    # A worker of gunicorn also wakes itself by a pipe, and shows that it lives by a file in memory. Neither
    # can fail in truth, and strace would not spare them.
    of_gunicorn = {"read", "write", "utimensat"}
    injections = [fault for fault in _SAMPLE if name == "socket" or fault[0] not in of_gunicorn]
    injections += [(call, "EINTR", nth) for call, nth in _INTERRUPTED]
    statuses: set[int | None] = set()
    with start(name, store=stored.root, env={"WIREPROOF_WORKERS": "1", "WIREPROOF_QUIET": "1"}) as backend:
        assert upload(backend, SHARED, SMALL).status == 200
        before = _workers(backend)
        for call, error, nth in injections:
            log = tmp_path / "trace"
            # Each thread counts its own calls.
            fault = f"inject={call}:error={error}:when={nth}"
            with attached(backend, log, ["-e", f"trace={call}", "-e", fault]):
                outcomes = _uploads(backend)
            assert error in log.read_text("utf-8", "replace") or error == "EINTR", fault
            _check_stored(stored, outcomes)
            if error == "EINTR":
                assert [outcome.status for outcome in outcomes] == [200, 200], fault
            statuses.update(outcome.status for outcome in outcomes)
            (after,) = [upload(backend, b"after " + fault.encode())]
            assert after.status == 200, fault
            _check_stored(stored, [after])
            assert _workers(backend) == before, fault
            assert all(map(is_running, before))
            assert eventually(lambda: stored.leftovers() == []), fault
    assert {200, 503, 507} <= statuses
