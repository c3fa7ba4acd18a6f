"""The adapters: at most 12 lines each, and plain uploads are told as they were sent."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from clients.assessment.groups import Kind
from clients.launch import PROJECT_ROOT, RunningBackend
from tests.assessment.serving import npm_packages, process_url, report_on
from tests.recorded import recorded_cases

ADAPTERS = PROJECT_ROOT / "clients" / "adapters"
PLAIN = {
    *("boundary-quoted-with-blanks", "close-delimiter-without-crlf", "disposition-in-upper-case-with-blanks"),
    *("field-empty", "field-ending-in-crlf", "field-with-nul-between-letters", "file-beginning-with-crlf"),
    *(
        "file-empty",
        "file-of-all-bytes",
        "file-without-type",
        "filename-with-a-semicolon",
        "filename-unquoted-token",
    ),
    *(
        "filename-with-an-escaped-quote",
        "form-first-equals-sign-splits",
        "form-keeps-crlf",
        "form-of-zero-bytes",
    ),
    *(
        "multipart-field-and-typed-file",
        "multipart-of-the-close-delimiter-alone",
        "name-with-an-escaped-quote",
    ),
    *(
        "parts-1000-of-different-names",
        "form-empty-segments-are-skipped",
        "form-percent-digits-in-both-cases",
    ),
}
_PYTHON = {
    "flask": ("flask", "--app", "clients/adapters/flask_app.py", "run", "--port", "{port}"),
    "fastapi": ("uvicorn", "clients.adapters.fastapi_app:app", "--port", "{port}", "--log-level", "critical"),
}


def assert_tells_plain_uploads(
    server: AbstractContextManager[str], reference: RunningBackend, allowed: frozenset[str] = frozenset()
) -> None:
    """No finding but those of the `allowed` kinds."""
    cases = [case for case in recorded_cases() if case.name in PLAIN]
    assert len(cases) == len(PLAIN)
    with server as url:
        report = report_on(f"{url}/upload", cases, reference)
    assert {"form", "files"} <= report.probe.told.members
    found = [(each.case, each.detail) for each in report.findings if each.kind not in allowed]
    assert found == []
    assert len(report.judged) == len(PLAIN)


@pytest.mark.parametrize(
    "path", sorted(path for path in ADAPTERS.iterdir() if "_app." in path.name), ids=lambda path: path.name
)
def test_an_adapter_has_at_most_twelve_lines(path: Path) -> None:
    """Of code: without imports, comments, docstrings, lines of brackets alone, and Go's `main`."""
    text = re.sub(r'""".*?"""', "", path.read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"^import \(.*?^\)", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^func main.*?^}", "", text, flags=re.DOTALL | re.MULTILINE)
    other = re.compile(
        r"[\s\[\](){};,]*|import .*|from .*|package .*|(//|#|<\?).*|.* = require.*;|const \[.*require.*"
    )
    lines = [line for line in text.splitlines() if not other.fullmatch(line)]
    assert 5 < len(lines) <= 12, lines


@pytest.mark.parametrize("name", _PYTHON)
def test_plain_uploads_are_told_as_they_were_sent(name: str, backends: Mapping[str, RunningBackend]) -> None:
    command = (sys.executable, "-m", *_PYTHON[name])
    assert_tells_plain_uploads(process_url(*command, cwd=PROJECT_ROOT), backends["socket"])


@pytest.mark.clients_matrix
def test_django_tells_plain_uploads(backends: Mapping[str, RunningBackend], tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "django", "gunicorn"], check=True)
    command = (python, "-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--pythonpath", ADAPTERS)
    assert_tells_plain_uploads(
        process_url(*command, "django_app:application", cwd=tmp_path), backends["socket"]
    )


@pytest.mark.clients_matrix
def test_express_tells_plain_uploads(backends: Mapping[str, RunningBackend], tmp_path: Path) -> None:
    npm_packages(tmp_path, "express", "multer")
    script = shutil.copy(ADAPTERS / "express_app.js", tmp_path)
    assert_tells_plain_uploads(process_url("node", script, "{port}"), backends["socket"])


@pytest.mark.clients_matrix
def test_php_tells_plain_uploads(backends: Mapping[str, RunningBackend]) -> None:
    if shutil.which("php") is None:
        pytest.skip("PHP is not installed: its adapter is NOT tested")
    command = ("php", "-S", "127.0.0.1:{port}", ADAPTERS / "php_app.php")
    # PHP 8.2's development server closes a connection when a packet ends inside the request target.
    assert_tells_plain_uploads(process_url(*command), backends["socket"], frozenset({Kind.CLOSED}))


@pytest.mark.clients_matrix
def test_go_tells_plain_uploads(backends: Mapping[str, RunningBackend], tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed: its adapter is NOT tested")
    program = tmp_path / "go_app"
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "GO111MODULE": "off", "GOTOOLCHAIN": "local"}
    subprocess.run(["go", "build", "-o", program, ADAPTERS / "go_app.go"], check=True, env=env)
    assert_tells_plain_uploads(process_url(program, "{port}"), backends["socket"])
