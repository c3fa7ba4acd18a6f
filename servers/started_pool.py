"""A pool of threads that can be relied on."""

import threading
from concurrent.futures import ThreadPoolExecutor


def started_pool(threads: int, name: str) -> ThreadPoolExecutor:
    """A pool whose threads have all started, so that no request fails because one cannot start.

    Raises RuntimeError when the system has no more threads.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
    all_started = threading.Barrier(threads)
    try:
        for _ in range(threads):
            pool.submit(all_started.wait)
    except RuntimeError:
        all_started.abort()
        pool.shutdown()
        raise
    return pool
