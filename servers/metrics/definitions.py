"""All metrics in one table: names, labels and what they mean.

No label has a value of the client's choice, so nobody can make the server keep more and more series. An empty
label means that there is no such thing: no problem, or no route.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]

OTHER = "other"
"""The label of what has no label of its own."""

_REQUEST_SECONDS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
)
_STORE_SECONDS = (
    0.0001,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
)

OPERATIONS = (
    *("create", "write", "close", "publish", "abort"),
    *("open", "read", "scratch", "clean", "expire"),
    *("begin", "take_over", "append", "sync", "finish", "remove"),
)
"""The operations of a store that are measured (storage/base.py; the last six: storage/resumable.py)."""

STORE_CODES = ("insufficient_storage", "store_unavailable")
"""The codes of problems that an error of the store leads to."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `name` is the one in the output, but for a histogram without its suffix.

    `bounds` are the upper bounds of the buckets of a histogram, in seconds, without the infinite one.
    """

    kind: Kind
    name: str
    labels: tuple[str, ...]
    help: str
    bounds: tuple[float, ...] = ()


REQUESTS = Metric(
    "counter",
    "wireproof_requests_total",
    ("route", "method", "status", "code"),
    "Requests that are over: answered, refused or broken off.",
)
RECEIVED = Metric(
    "counter",
    "wireproof_received_bytes_total",
    ("route",),
    "Bytes of request bodies, without chunked coding, counted at the end of each request.",
)
SENT = Metric(
    "counter",
    "wireproof_sent_bytes_total",
    ("route",),
    "Bytes of response bodies, without chunked coding, counted at the end of each request.",
)
DURATION = Metric(
    "histogram",
    "wireproof_request_duration_seconds",
    ("route",),
    "From the end of a head until its response is sent.",
    _REQUEST_SECONDS,
)
UPLOADS = Metric("gauge", "wireproof_uploads_in_flight", (), "Uploads whose response is not made yet.")
CONNECTIONS = Metric("gauge", "wireproof_connections", ("phase",), "Open connections, by what they wait for.")
STORE_DURATION = Metric(
    "histogram",
    "wireproof_store_duration_seconds",
    ("operation",),
    "How long the store took for one operation.",
    _STORE_SECONDS,
)
STORE_ERRORS = Metric(
    "counter",
    "wireproof_store_errors_total",
    ("operation", "code"),
    "Operations of the store that failed, by the problem that this leads to.",
)
WORKERS = Metric(
    "gauge", "wireproof_workers", ("backend", "version"), "Processes that serve, and count what they do."
)

METRICS = (
    *(REQUESTS, DURATION, RECEIVED, SENT, UPLOADS, CONNECTIONS),
    *(STORE_DURATION, STORE_ERRORS, WORKERS),
)
