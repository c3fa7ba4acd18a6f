"""How many descriptors a worker process may have: each connection takes one, and so does each open file."""

import resource
from contextlib import suppress

CONNECTIONS = 10_000
"""The connections of one worker process. An idle one takes about 3 KiB of memory."""


def raise_limit(wanted: int) -> int:
    """Let this process and its children have `wanted` files open, if the system allows so many.

    Shells and service managers often set a soft limit of 1024, and allow more. Returns the limit that holds.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft >= most:
        return soft
    with suppress(OSError, ValueError):  # macOS allows less than its hard limit says
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft
