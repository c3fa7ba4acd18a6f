"""Work in turns: each client that waits has one piece done, then the next client, however much each one has.

The threads for the disk and the event loop of the socket server share their time so, and gunicorn's threads.
A client is an address (`contract.load.client_of`), or None for work that is the server's own.
"""

import sys
import threading
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import Any, Generic, TypeVar

# How long Python lets a thread run while another one wants to. With its 5 milliseconds an event loop beside
# busy threads waits so long after each system call.
_SWITCH_SECONDS = 0.0005

RELIEF_SECONDS = 0.005
"""Work that takes longer is thought to wait for something, such as a disk or a client."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def switch_threads_often() -> None:
    """Let the event loop of this process go on soon, although its threads are busy."""
    sys.setswitchinterval(_SWITCH_SECONDS)


class FairQueue(Generic[Item]):
    """Items of clients. Each client's are taken in their order, and the clients in turn."""

    def __init__(self) -> None:
        self._of: dict[str | None, deque[Item]] = {}  # in the order of their turns

    def __bool__(self) -> bool:
        return bool(self._of)

    def put(self, client: str | None, item: Item) -> None:
        """Add an item. A client that had none is behind all others."""
        items = self._of.get(client)
        if items is None:
            self._of[client] = deque((item,))
        else:
            items.append(item)

    def has_any(self, but_of: Collection[str | None] = ()) -> bool:
        """Whether there is an item of a client that is not passed over."""
        return any(client not in but_of for client in self._of)

    def take(self, but_of: Collection[str | None] = ()) -> tuple[str | None, Item] | None:
        """The next item and its client, or None. The clients `but_of` are passed over."""
        for client in self._of:
            if client not in but_of:
                break
        else:
            return None
        items = self._of.pop(client)
        item = items.popleft()
        if items:
            self._of[client] = items
        return client, item


class _Task(Generic[Result]):
    """Work that a thread does, and its future."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self.future: Future[Result] = Future()
        self._work = work

    def run(self) -> None:
        """Do it."""
        try:
            result = self._work()
        except BaseException as error:
            self.future.set_exception(error)
            del self  # else the traceback of the error would hold the future, which holds the error
        else:
            self.future.set_result(result)


class FairThreads:
    """A pool of threads that work for clients in turn. `most_of_one` is how many threads one client may have.

    The pool gets a token for each piece of work, but not the piece itself. A thread that gets a token does
    what is next, until nothing is left that may be done now. So a token may find nothing to do.

    Threads that compute at the same time only take Python's lock from each other. With `at_once`, so many
    pieces of work at most are begun within some milliseconds; a piece that takes longer waits for something,
    and another one may begin. Call `relieve` every `RELIEF_SECONDS` then, while `is_late`.
    """

    def __init__(
        self, pool: ThreadPoolExecutor, most_of_one: int | None = None, at_once: int | None = None
    ) -> None:
        self.pool = pool
        self._most_of_one = most_of_one
        self._at_once = at_once
        self._tokens = 0  # tokens that no thread has taken yet
        self._begun: deque[float] = deque()  # when the pieces that run now have begun, on the monotonic clock
        self._lock = threading.Lock()
        self._waiting: FairQueue[_Task[Any]] = FairQueue()
        self._running: dict[str | None, int] = {}
        self._at_most: set[str | None] = set()  # clients that have as many threads as they may

    def submit(self, client: str | None, work: Callable[[], Result]) -> Future[Result]:
        """Do `work` in a thread, when it is this client's turn. Raises RuntimeError after the pool's end."""
        task = _Task(work)
        with self._lock:
            self._waiting.put(client, task)
            may_begin = self._may_begin()
        if may_begin:
            self.pool.submit(self._work)
        return task.future

    @property
    def is_late(self) -> bool:
        """Whether work waits that may be done now."""
        with self._lock:
            return self._waiting.has_any(self._at_most)

    def relieve(self) -> None:
        """Let one more thread work if those that work have not got on."""
        with self._lock:
            may_begin = self._waiting.has_any(self._at_most) and self._may_begin()
        if may_begin:
            self.pool.submit(self._work)

    def _may_begin(self) -> bool:
        """Whether one more thread may work; it is counted then."""
        if self._at_once is not None:
            soon = monotonic() - RELIEF_SECONDS
            new = self._tokens + sum(begun > soon for begun in self._begun)
            if new >= self._at_once:
                return False
        self._tokens += 1
        return True

    def _work(self) -> None:
        client: str | None = None
        begun = 0.0
        while True:
            with self._lock:
                if begun:
                    self._begun.remove(begun)
                    self._ended(client)
                else:
                    self._tokens -= 1
                taken = self._waiting.take(self._at_most)
                if taken is None:
                    return
                client, task = taken
                self._began(client)
                begun = monotonic()
                self._begun.append(begun)
            del taken
            task.run()
            del task  # it may hold much, and this thread may wait long for the lock

    def _began(self, client: str | None) -> None:
        self._running[client] = running = self._running.get(client, 0) + 1
        if running == self._most_of_one:
            self._at_most.add(client)

    def _ended(self, client: str | None) -> None:
        self._at_most.discard(client)
        self._running[client] -= 1
        if not self._running[client]:
            del self._running[client]
