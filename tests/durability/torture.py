"""The torture loop: each call of a kind fails once, and after each failure everything must be in order (X07,
G5).

The loop knows nothing of the store but `StoredFiles`, by which it reads back what was acknowledged.
"""

import http.client
import itertools
import os
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from clients.launch import RunningBackend
from tests.advisories.measures import descriptors
from tests.durability.journal import StoredFiles
from tests.durability.load import upload_to
from tests.durability.pieces import upload_in_pieces
from tests.patience import eventually
from tests.socket_server.process_tree import is_running
from tests.storage.uploads import sha256

SHARED = b"stored already " * 20_000
SMALL = b"stored too"
"""Stored already, and so small that it is read again: no note says that it is whole."""

_MOST_CALLS = 400  # of one kind in one round: more would mean that the loop does not end
_PROBLEMS = {400, 500, 503, 507}  # 400: a server that cannot read on takes the body for cut off


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one upload ended: with a status, or with None if the connection ended without a response.

    `synced` has the inodes that were synced for it, and whether the last time succeeded.
    """

    contents: tuple[bytes, ...]
    status: int | None
    synced: Mapping[int, bool] = field(default_factory=dict)


def upload(backend: RunningBackend, *contents: bytes, in_pieces: bool = False) -> Outcome:
    """Upload on a new connection. A server that neither responds nor closes is a failure."""
    connection = http.client.HTTPConnection(backend.host, backend.port, timeout=20)
    try:
        if in_pieces:
            return Outcome(contents, upload_in_pieces(connection, *contents))
        return Outcome(contents, upload_to(connection, *contents))
    except TimeoutError:
        raise AssertionError("the server neither responds nor closes the connection") from None
    except (OSError, http.client.HTTPException):
        return Outcome(contents, None)
    finally:
        connection.close()


def read(backend: RunningBackend, content: bytes) -> None:
    """Read a stored file over HTTP. Whatever comes with 200 and its whole length is right."""
    connection = http.client.HTTPConnection(backend.host, backend.port, timeout=20)
    try:
        connection.request("GET", f"/files/{sha256(content)}")
        response = connection.getresponse()
        body = response.read()
        assert response.status != 200 or body == content
    except TimeoutError:
        raise AssertionError("the server neither responds nor closes the connection") from None
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()


class Calls(Protocol):
    """What fails: see `failing_calls.FailingCalls`. The process `pid` handles all requests."""

    pid: int

    def arm(self, kind: str, number_of_error: int, nth: int) -> None: ...

    def disarm(self) -> bool: ...

    def forget_synced(self) -> None: ...

    def synced(self) -> dict[int, bool]: ...


@dataclass
class Torture:
    """The loop over one running server.

    `counts` says how often each kind of call failed, and `statuses` how uploads beside a failure ended.
    With `takes_back`, nothing of a refused upload may be stored. A file of `large` bytes is uploaded in each
    round too. `pooled` is how many more connections the server may keep open for later. What it could not
    remove at once is gone after `settles` seconds.
    """

    backend: RunningBackend
    calls: Calls
    stored: StoredFiles
    takes_back: bool = True
    large: int = 0
    pooled: int = 0
    settles: float = 5.0
    counts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int | None] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._fresh = (b"%d %d" % (os.getpid(), number) for number in itertools.count())
        self._end = bytes(self.large)
        for _ in range(8):  # threads, caches and the shared file are there before the first failure
            assert upload(self.backend, SHARED, SMALL).status == 200
            assert upload(self.backend, next(self._fresh) * 30_000, in_pieces=True).status == 200
            if self.large:
                assert upload(self.backend, self._large()).status == 200
        self._settle()
        self._descriptors = self.pooled + min(self._count_descriptors() for _ in range(20))

    def fail_each(self, kind: str, number_of_error: int) -> int:
        """Make the first, the second and each further call of this kind fail. Returns how many there were."""
        for nth in range(1, _MOST_CALLS):
            self.calls.arm(kind, number_of_error, nth)
            outcomes = self._round()
            failed = self.calls.disarm()
            where = f"{kind} {nth}: {os.strerror(number_of_error)}"
            for outcome in outcomes:
                self._check(outcome, where)
            self._check_server(where)
            if not failed:
                return nth - 1
            self.counts[kind] += 1
            self.statuses.update(outcome.status for outcome in outcomes)
        raise AssertionError(f"more than {_MOST_CALLS} calls of {kind}")

    def _round(self) -> list[Outcome]:
        """A small file, a form of four of which two are stored already, a larger file, and one in
        pieces. Then a file is read.
        """
        uploads: tuple[tuple[bytes, ...], ...] = (
            (next(self._fresh),),
            (next(self._fresh), SHARED, SMALL, next(self._fresh) * 1_000),
            (next(self._fresh) * 40_000,),
        )
        if self.large:
            uploads = (*uploads, (self._large(),))
        outcomes = []
        for contents in uploads:
            self.calls.forget_synced()
            outcome = upload(self.backend, *contents)
            outcomes.append(replace(outcome, synced=self.calls.synced()))
        self.calls.forget_synced()
        outcome = upload(self.backend, next(self._fresh) * 30_000, in_pieces=True)
        outcomes.append(replace(outcome, synced=self.calls.synced()))
        read(self.backend, SHARED)
        return outcomes

    def _check(self, outcome: Outcome, where: str) -> None:
        """A 2xx is stored and synced. A problem has stored nothing."""
        assert outcome.status in {None, 200, *_PROBLEMS}, where
        for content in outcome.contents:
            name = sha256(content)
            kept = self.stored.content(name)
            assert kept in (None, content), f"{where}: torn"
            if outcome.status == 200:
                assert kept == content, f"{where}: a false 2xx"
                unsynced = [inode for inode in self.stored.inodes(name) if not outcome.synced.get(inode)]
                assert unsynced == [], f"{where}: a 2xx before everything is synced"
            elif self.takes_back and outcome.status is not None and content not in (SHARED, SMALL):
                assert kept is None, f"{where}: a refused upload is stored"

    def _check_server(self, where: str) -> None:
        """The same process lives, holds nothing, has left nothing, and takes the next upload."""
        following = (next(self._fresh), next(self._fresh))
        status = upload(self.backend, *following).status
        assert status == 200, f"{where}: then {status}"
        assert all(self.stored.content(sha256(content)) == content for content in following), where
        assert is_running(self.calls.pid), where
        self._settle(where)
        assert eventually(lambda: descriptors(self.calls.pid) <= self._descriptors), (
            f"{where}: {self._open()}"
        )

    def _settle(self, where: str = "at the start") -> None:
        gone = eventually(lambda: self.stored.leftovers() == [], self.settles)
        assert gone, f"{where}: {self.stored.leftovers()}"

    def _large(self) -> bytes:
        return next(self._fresh) + self._end

    def _count_descriptors(self) -> int:
        time.sleep(0.01)
        return descriptors(self.calls.pid)

    def _open(self) -> list[str]:
        folder = f"/proc/{self.calls.pid}/fd"
        return [os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)]  # noqa: PTH115, PTH208
