"""Work in turns: each client that waits has one piece done, then the next client, however much each one has.

The threads for the disk and the event loop of the socket server share their time so, and gunicorn's threads.
A client is an address (`contract.load.client_of`), or None for work that is the server's own.
"""

import sys
import threading
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

# How long Python lets a thread run while another one wants to. With its 5 milliseconds an event loop beside
# busy threads waits so long after each system call.
_SWITCH_SECONDS = 0.0005

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
    """

    def __init__(self, pool: ThreadPoolExecutor, most_of_one: int | None = None) -> None:
        self.pool = pool
        self._most_of_one = most_of_one
        self._lock = threading.Lock()
        self._waiting: FairQueue[_Task[Any]] = FairQueue()
        self._running: dict[str | None, int] = {}
        self._at_most: set[str | None] = set()  # clients that have as many threads as they may

    def submit(self, client: str | None, work: Callable[[], Result]) -> Future[Result]:
        """Do `work` in a thread, when it is this client's turn. Raises RuntimeError after the pool's end."""
        task = _Task(work)
        with self._lock:
            self._waiting.put(client, task)
        self.pool.submit(self._work)
        return task.future

    def _work(self) -> None:
        client: str | None = None
        begun = False
        while True:
            with self._lock:
                if begun:
                    self._ended(client)
                taken = self._waiting.take(self._at_most)
                if taken is None:
                    return
                client, task = taken
                self._began(client)
            del taken
            begun = True
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
