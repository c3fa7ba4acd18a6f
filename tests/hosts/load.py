"""Uploads and downloads through a proxy by several clients at once, each of which notes what it was told."""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

import requests

from tests.hosts.layout import URL
from tests.patience import patient

_SIZES = (1, 4_000, 70_000, 400_000)
_LARGE = 8 << 20  # more than one part of the object store
_SLOW_PIECES = 30
_SLOW_PAUSE = 0.1


class Load:
    """Clients of five kinds until the end of `running`.

    `failures` are what a client could not do, in words. `acknowledged` has the bytes of each upload with a
    2xx by their SHA-256. `counts` is how many requests of each kind had the answer that they should have.
    """

    def __init__(self) -> None:
        self.failures: list[str] = []
        self.acknowledged: dict[str, bytes] = {}
        self.counts: dict[str, int] = {}
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Upload and read until the end of the context. The threads belong to the host of this thread."""
        kinds = (self._small, self._small, self._form, self._slow, self._slow, self._large, self._read)
        threads = [threading.Thread(target=self._repeat, args=(kind,)) for kind in kinds]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join(patient(60))

    def _repeat(self, kind: Callable[[requests.Session], None]) -> None:
        name = kind.__name__
        with requests.Session() as session:
            session.trust_env = False
            while not self._stopped.is_set():
                began = time.monotonic()
                try:
                    kind(session)
                except (requests.RequestException, AssertionError) as error:
                    with self._lock:
                        seconds = time.monotonic() - began
                        self.failures.append(f"{name} after {seconds:.2f} s: {error!r}")
                    time.sleep(0.1)
                else:
                    with self._lock:
                        self.counts[name] = self.counts.get(name, 0) + 1

    def _small(self, session: requests.Session) -> None:
        content = os.urandom(random.choice(_SIZES))
        self._note(session.put(f"{URL}/upload/a", content, timeout=patient(30)), content)

    def _form(self, session: requests.Session) -> None:
        content = os.urandom(random.choice(_SIZES))
        said = session.post(f"{URL}/upload/", files={"file": ("a", content)}, timeout=patient(30))
        self._note(said, content)

    def _slow(self, session: requests.Session) -> None:
        content = os.urandom(_SLOW_PIECES * 5_000)

        def pieces() -> Iterator[bytes]:
            for at in range(0, len(content), 5_000):
                yield content[at : at + 5_000]
                time.sleep(_SLOW_PAUSE)

        self._note(session.put(f"{URL}/upload/slow", data=pieces(), timeout=patient(30)), content)

    def _large(self, session: requests.Session) -> None:
        content = os.urandom(1000) * (_LARGE // 1000)
        self._note(session.put(f"{URL}/upload/large", content, timeout=patient(60)), content)
        self._stopped.wait(1)

    def _read(self, session: requests.Session) -> None:
        with self._lock:
            some = random.choice(list(self.acknowledged.items())) if self.acknowledged else None
        if some is not None:
            digest, content = some
            half = len(content) // 2
            said = session.get(
                f"{URL}/files/{digest}", headers={"Range": f"bytes={half}-"}, timeout=patient(30)
            )
            assert said.status_code == 206, f"{said.status_code} {said.text[:200]}"
            assert said.content == content[half:]
        self._stopped.wait(0.02)

    def _note(self, said: requests.Response, content: bytes) -> None:
        assert said.status_code == 200, f"{said.status_code} {said.text[:200]}"
        (file,) = said.json()["files"]
        assert file["sha256"] == sha256(content).hexdigest()
        with self._lock:
            self.acknowledged[file["sha256"]] = content
