"""What a server counts for `GET /metrics` (extra `metrics`). `server_metrics` explains how."""

from functools import cache

from .metered_store import MeteredStore
from .server_metrics import ServerMetrics

__all__ = ["MeteredStore", "ServerMetrics", "open_metrics"]


@cache
def open_metrics() -> ServerMetrics:
    """The metrics of this process. A process that it forks later gets the same ones."""
    return ServerMetrics()
