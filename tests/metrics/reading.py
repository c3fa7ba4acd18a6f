"""What `GET /metrics` of a running backend says, as a parser that nobody here wrote reads it."""

from collections.abc import Mapping

import requests
from prometheus_client.parser import text_string_to_metric_families

from clients.launch import RunningBackend
from tests.patience import eventually

ON = {"WIREPROOF_METRICS": "1", "WIREPROOF_WORKERS": "2"}

Series = tuple[str, frozenset[tuple[str, str]]]
"""A name and its labels. Empty labels are left out, as Prometheus does."""


def series(name: str, **labels: str) -> Series:
    """The series with this name, without its prefix, and these labels."""
    return f"wireproof_{name}", frozenset((label, value) for label, value in labels.items() if value)


def requests_to(route: str, method: str, status: int, code: str = "") -> Series:
    """The series of the requests with these labels."""
    return series("requests_total", route=route, method=method, status=str(status), code=code)


def text_of(backend: RunningBackend) -> str:
    """The whole text. The request is on a new connection, so that any worker may get it."""
    response = requests.get(backend.url + "/metrics", timeout=60)
    assert response.status_code == 200, response.text
    return response.text


def values_in(text: str) -> dict[Series, float]:
    """The value of each series in a text of Prometheus's format."""
    return {
        (
            sample.name,
            frozenset((label, value) for label, value in sample.labels.items() if value),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def values_of(backend: RunningBackend) -> dict[Series, float]:
    """The value of each series now."""
    return values_in(text_of(backend))


def comes_to(backend: RunningBackend, expected: Mapping[Series, float], seconds: float = 10) -> bool:
    """Whether all these series have their values soon. The numbers of other processes come a little later."""

    def holds() -> bool:
        try:
            values = values_of(backend)
        except requests.ConnectionError:  # the worker was killed while it answered
            return False
        return {one: values.get(one, 0.0) for one in expected} == expected

    return eventually(holds, seconds)
