"""Which responses may be over at the next try, and how long to wait before it."""

from .response_parser import Response

TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that may be over at the next try (curl's list). 507 is not among them."""

_FIRST_WAIT_SECONDS = 1.0
_MAX_WAIT_SECONDS = 60.0


def seconds_before_retry(failed: int, response: Response | None = None) -> float:
    """How long to wait after `failed` tries (at least 1) without success, in seconds.

    The wait doubles from 1 s on. A Retry-After of `response` replaces it. It is never more than a minute.
    """
    asked = None if response is None else _retry_after(response)
    wait = _FIRST_WAIT_SECONDS * 2 ** (failed - 1) if asked is None else asked
    return min(wait, _MAX_WAIT_SECONDS)


def _retry_after(response: Response) -> float | None:
    """Seconds that a Retry-After asks for (RFC 9110, section 10.2.3). A date is not supported."""
    value = response.header("retry-after") or ""
    return float(value) if value.isascii() and value.isdigit() else None
