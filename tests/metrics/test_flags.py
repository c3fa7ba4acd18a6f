"""The setting as a flag: of the socket server, and of `wireproof serve`, which hands it on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clients import serve
from clients.launch import PROJECT_ROOT, start
from servers.settings import Settings
from tests.metrics.reading import comes_to


class _Executed(Exception):
    """Another program would take the place of this one, with these variables."""

    def __init__(self, _program: str, _command: list[str], environment: dict[str, str]) -> None:
        super().__init__()
        self.environment = environment


@pytest.mark.parametrize(
    ("flags", "variable", "wanted"),
    [
        ((), None, False),
        ((), "1", True),
        (("--metrics",), None, True),
        (("--metrics",), "0", True),
        (("--no-metrics",), "1", False),
    ],
)
def test_serve_hands_the_flag_on_and_it_overrules_the_variable(
    monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], variable: str | None, wanted: bool
) -> None:
    def execute(*arguments: object) -> None:
        raise _Executed(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "execve", execute)
    monkeypatch.delenv("WIREPROOF_METRICS", raising=False)
    if variable is not None:
        monkeypatch.setenv("WIREPROOF_METRICS", variable)
    with pytest.raises(_Executed) as executed:
        serve.main.main([*flags], standalone_mode=False)
    assert Settings.from_environment(executed.value.environment).metrics is wanted


def test_the_socket_server_takes_the_flag_with_one_worker_too(tmp_path: Path) -> None:
    with start("socket", store=tmp_path, flags=("--metrics", "--workers", "1")) as backend:
        assert comes_to(backend, {})


def test_a_folder_that_cannot_be_made_is_told_at_the_start(tmp_path: Path) -> None:
    code = (
        "import tempfile\n"
        "from pathlib import Path\n"
        "from servers.metrics import shared_folder\n"
        "from servers.socket_upload import main\n"
        f"shared_folder.IN_MEMORY = Path({str(tmp_path / 'missing')!r})\n"
        f"tempfile.tempdir = {str(tmp_path / 'missing')!r}\n"
        "main(['--metrics', '--store', 'memory:', '--port', '0'])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert "Error: there is no room for metrics:" in ended.stderr
    assert "Traceback" not in ended.stderr
