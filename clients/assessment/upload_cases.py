"""The cases as tests of pytest: one test id a case, for a URL or for an application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..comparison.cases import Case, load_cases
from ..comparison.rendering import show_exchange, show_request
from ..http1.socket_transport import trusted_context
from ..launch import RunningBackend
from .assess import assess, cases_for
from .endpoint import Endpoint, endpoint_at
from .findings import Finding
from .fitting import fitted_cases
from .probing import Probe, probe
from .served_application import served


@dataclass(frozen=True, slots=True)
class TestedEndpoint:
    """An endpoint with what plain requests found, and our own server for the right readings."""

    __test__ = False  # pytest would take it for a class of tests

    endpoint: Endpoint
    probe: Probe
    reference: RunningBackend


@dataclass(frozen=True, slots=True)
class UploadCase:
    """One case for one endpoint."""

    case: Case
    tested: TestedEndpoint

    @property
    def is_sent(self) -> bool:
        """Whether the endpoint takes such a body, and tells what it read."""
        return bool(cases_for([self.case], self.tested.endpoint, self.tested.probe))

    def check(self) -> None:
        """Send the case. Raises AssertionError with the bytes when the answer is not right."""
        tested = self.tested
        fitted = cases_for([self.case], tested.endpoint, tested.probe)
        for judged in assess(fitted, tested.endpoint, tested.probe, tested.reference):
            if judged.finding is not None:
                raise AssertionError(_explained(judged.finding))


@contextmanager
def tested_endpoint(target: Any, reference: RunningBackend) -> Iterator[TestedEndpoint]:
    """The endpoint at a URL, or of `(application, path)`. Raises ValueError when it cannot be judged."""
    if isinstance(target, str):
        yield _probed(target, reference)
        return
    if not isinstance(target, tuple) or len(target) != 2 or not str(target[1]).startswith("/"):
        raise ValueError(f"upload_endpoint must be a URL or (application, '/path'), and it is {target!r}")
    app, path = target
    with served(app) as url:
        yield _probed(url + path, reference)


def _probed(url: str, reference: RunningBackend) -> TestedEndpoint:
    endpoint = endpoint_at(url, (), trusted_context(None))
    found = probe(endpoint)
    if found.trouble:
        raise ValueError(f"{url}: {found.trouble}")
    return TestedEndpoint(endpoint.patient(found.slowest), found, reference)


@cache
def cases_by_name(pattern: str) -> dict[str, Case]:
    """The cases that any endpoint can be asked, and whose name matches the glob `pattern`."""
    anywhere = endpoint_at("http://localhost/", (), trusted_context(None))
    return {fitted.case.name: fitted.case for fitted in fitted_cases(load_cases(pattern=pattern), anywhere)}


def _explained(finding: Finding) -> str:
    lines = [f"{finding.group.title}: {finding.kind} {finding.detail}"]
    lines += [finding.evidence] if finding.evidence else []
    lines += [f"Request, sent {finding.split}:", show_request(finding.request)]
    return "\n".join([*lines, "Answer:", show_exchange(finding.exchange)])
