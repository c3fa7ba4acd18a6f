"""Starts applications, and judges them as the command does."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from clients.assessment.assess import assess, cases_for
from clients.assessment.endpoint import Endpoint, Fields, endpoint_at
from clients.assessment.probing import Level, probe
from clients.assessment.report import Report
from clients.comparison.cases import Case
from clients.http1.socket_transport import trusted_context
from clients.launch import HOST, PROJECT_ROOT, RunningBackend, free_port
from tests.nginx import listens
from tests.patience import eventually

NODE, NPM = shutil.which("node"), shutil.which("npm")
APPS = Path(__file__).with_name("apps")


@contextmanager
def process_url(*command: str | Path, cwd: Path | None = None, port: int = 0) -> Iterator[str]:
    """The URL of a server that a command starts; `{port}` in its words is the port."""
    port = port or free_port()
    words = [str(word).replace("{port}", str(port)) for word in command if word]
    with subprocess.Popen(words, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            assert eventually(lambda: listens(port), 30)
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
            process.wait(20)


def npm_packages(folder: Path, *packages: str) -> None:
    """Install packages into the folder. Skips the test without node and npm."""
    if NODE is None or NPM is None:
        pytest.skip("node and npm are not installed: Express is NOT tested")
    (folder / "package.json").write_text('{"private": true}', "utf-8")
    subprocess.run([NPM, "install", "--silent", "--no-fund", "--no-audit", *packages], cwd=folder, check=True)


def app_url(framework: str, fault: str = "") -> AbstractContextManager[str]:
    """The URL of one of the applications: `flask`, `fastapi`, or `strict`."""
    return process_url(
        sys.executable, "-m", "tests.assessment.apps", framework, "{port}", fault, cwd=PROJECT_ROOT
    )


def endpoint(url: str, fields: Fields = ()) -> Endpoint:
    return endpoint_at(url, fields, trusted_context(None))


def report_on(
    url: str, cases: Sequence[Case], reference: RunningBackend, level: Level | None = None
) -> Report:
    """What the command finds out."""
    started = time.monotonic()
    one = endpoint(url)
    found = probe(one, level)
    one = one.patient(found.slowest)
    judged = list(assess(cases_for(cases, one, found), one, found, reference))
    findings = [each.finding for each in judged if each.finding is not None]
    return Report(one, found, judged, findings, time.monotonic() - started)
