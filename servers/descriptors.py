"""How many descriptors a worker process may have: each connection takes one, and so does each open file."""

import resource
from contextlib import suppress

_MOST = 1_000_000
_OF_AN_UPLOAD = 4  # at most (H071)
_MORE = 128  # for the process itself, and for connections that are refused and wait for their end


def connections_within(wanted: int, uploads: int) -> int:
    """How many connections, at most `wanted`, this process may have beside so many uploads. 0 means no limit.

    Raises the soft limit for them. Where the hard limit is low, half of it is for connections.
    """
    wanted = min(wanted, _MOST) or _MOST
    others = _OF_AN_UPLOAD * (uploads or wanted) + _MORE
    limit = raise_limit(wanted + others)
    return min(wanted, max(limit - others, limit // 2))


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
