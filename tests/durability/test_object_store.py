"""X02, X23 with a store in a bucket: the object store and the servers are killed while clients upload."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from clients.launch import RunningBackend, free_port, start
from servers.storage.s3 import S3Store
from tests.durability.journal import Journal
from tests.durability.load import Load, small_uploads
from tests.object_store import BUCKET, ObjectStore
from tests.patience import eventually
from tests.socket_server.process_tree import children

_ROUNDS = 20
_PREFIX = "kills"


def _uploads(client: int) -> Iterator[tuple[bytes, ...]]:
    """Small files and forms, and each fourth time a file that is sent in parts."""
    for turn, contents in enumerate(small_uploads(client)):
        yield contents
        if turn % 4 == 3:
            yield (b"%d %d %d large" % (os.getpid(), client, turn) + os.urandom(1024) * 9 * 1024,)


class _Pair:
    """An object store and a server that uses it. Both can be killed, and are started again."""

    def __init__(self, name: str) -> None:
        self.objects = ObjectStore()
        self.objects.start()
        self.port = free_port()
        self._name = name
        self.backend = self._start()

    def _start(self) -> RunningBackend:
        env = self.objects.environ | {
            "WIREPROOF_STORE": f"s3://{BUCKET}/{_PREFIX}",
            "WIREPROOF_WORKERS": "2",
            "WIREPROOF_QUIET": "1",
        }
        return start(self._name, env=env, port=self.port)

    def kill_worker(self) -> None:
        """Kill one worker; the server starts another."""
        with suppress(ProcessLookupError, IndexError):
            os.kill(random.choice(children(self.backend.pid)), signal.SIGKILL)

    def kill_server(self) -> None:
        """Kill all processes of the server, and start it again."""
        os.killpg(self.backend.pid, signal.SIGKILL)
        self.backend.process.wait()
        self.backend.stop()
        self.backend = self._start()

    def kill_store(self) -> None:
        """Kill the object store, and start it again."""
        self.objects.kill()
        self.objects.start()

    def kill_both(self) -> None:
        """Kill the object store and the server, and start both again."""
        self.objects.kill()
        os.killpg(self.backend.pid, signal.SIGKILL)
        self.backend.process.wait()
        self.backend.stop()
        self.objects.start()
        self.backend = self._start()

    def stop(self) -> None:
        self.backend.stop()
        self.objects.stop()


@pytest.mark.soak(seconds=240)
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ["socket", "gunicorn"])
def test_nothing_acknowledged_is_lost_when_store_and_servers_are_killed(tmp_path: Path, name: str) -> None:
    journal = Journal(tmp_path / "journal")
    pair = _Pair(name)
    try:
        ways = [pair.kill_store, pair.kill_worker, pair.kill_server, pair.kill_both]
        with Load(pair.port, journal, uploads=_uploads).running() as load:
            for number in range(_ROUNDS):
                before = journal.uploads
                assert eventually(lambda before=before: journal.uploads >= before + 10, 60)  # type: ignore[misc]
                time.sleep(random.uniform(0, 0.3))
                ways[number % len(ways)]()
            before = journal.uploads
            assert eventually(lambda: journal.uploads >= before + 10, 60)
        stored = pair.objects.files(_PREFIX)
        left = stored.leftovers()
        store = S3Store(pair.objects.place(_PREFIX))
        # The leases of the killed processes end within a minute, and the server sweeps too.
        assert eventually(lambda: store.clean() == 0 and stored.leftovers() == [], 100), stored.leftovers()
        audit = journal.audit(stored)
    finally:
        pair.stop()
    print(
        f"{name}: {_ROUNDS} kills, {journal.uploads} uploads acknowledged ({audit.acknowledged} files),"
        f" {len(load.unexpected)} refused, {len(audit.lost)} lost, {len(left)} orphans before the sweep,"
        f" {len(audit.leftovers)} after it"
    )
    assert set(load.unexpected) <= {503}
    assert audit.is_clean, audit
