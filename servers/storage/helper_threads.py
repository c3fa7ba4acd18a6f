"""Threads for work that nobody has to wait for at once: to hash what is written, to free space."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Final, ParamSpec, TypeVar

from ..started_pool import started_pool

_MOST_THREADS: Final = 4

Given = ParamSpec("Given")
Result = TypeVar("Result")


def beside(work: Callable[Given, Result], *args: Given.args, **named: Given.kwargs) -> Future[Result] | None:
    """Begin `work` in another thread. None: there is no such thread, and nothing was begun."""
    threads = _threads(os.getpid())
    if threads is None:
        return None
    try:
        return threads.submit(work, *args, **named)
    except RuntimeError:  # the interpreter ends
        return None


@lru_cache(maxsize=1)
def _threads(_pid: int) -> ThreadPoolExecutor | None:
    """The threads of this process. None if there is one core, or if the system has no more threads."""
    cores = os.cpu_count() or 1
    try:
        return started_pool(min(cores, _MOST_THREADS), "helper") if cores > 1 else None
    except RuntimeError:
        return None
