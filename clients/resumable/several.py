"""Uploads several files at the same time, each in a thread of its own, with one count of all their bytes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..http1.errors import ClientError, Unreachable
from .file_upload import OnPosition, Uploaded
from .sent_file import SentFile

UploadFile = Callable[[SentFile, OnPosition], Uploaded]
"""Uploads a file, and raises ClientError."""


@dataclass(slots=True)
class Outcome:
    """What came of each file, by its position in the list: an upload, an error, or nothing if not begun."""

    uploaded: dict[int, Uploaded] = field(default_factory=dict)
    failed: dict[int, ClientError] = field(default_factory=dict)


class Position:
    """Adds up how far all files are, in bytes. `advance` gets what has been added, from one thread a time."""

    def __init__(self, advance: Callable[[int], object]) -> None:
        self._advance = advance
        self._lock = threading.Lock()

    def of_one_file(self) -> OnPosition:
        """A function that gets how far one of the files is."""
        before = 0

        def moved(offset: int) -> None:
            nonlocal before
            with self._lock:
                if offset != before:
                    self._advance(offset - before)
                before = offset

        return moved


def upload_all(files: Sequence[SentFile], upload: UploadFile, parallel: int, position: Position) -> Outcome:
    """Upload the files, `parallel` at a time, in their order.

    A file that fails does not stop the others. When the server cannot be reached any more, no further file is
    begun. The threads end with the process, so that Ctrl-C ends it at once.
    """
    outcome = Outcome()
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for index in range(len(files)):
        waiting.put(index)
    unreachable = threading.Event()
    broken: list[BaseException] = []

    def work() -> None:
        while not unreachable.is_set() and not broken:
            try:
                index = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                with files[index] as file:
                    outcome.uploaded[index] = upload(file, position.of_one_file())
            except ClientError as error:
                outcome.failed[index] = error
                if isinstance(error, Unreachable):
                    unreachable.set()
            except BaseException as error:  # a fault of this program, which must not end in a thread
                broken.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(parallel, len(files)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
    return outcome
