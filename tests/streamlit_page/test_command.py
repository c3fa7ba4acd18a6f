"""`wireproof streamlit` starts Streamlit in place of itself."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from clients.launch import PROJECT_ROOT
from clients.streamlit_tabs import command


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    result = CliRunner().invoke(command.main)
    assert result.exit_code == 2
    assert "the page needs the extra 'streamlit': pip install 'wireproof[streamlit]'" in result.output


def test_it_runs_the_page_with_these_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    monkeypatch.setattr(command, "find_spec", lambda name: object())
    monkeypatch.setattr(os, "execv", lambda *arguments: ran.append(arguments))
    CliRunner().invoke(command.main, ["--host", "0.0.0.0", "--port", "80", "--", "--server.headless=true"])
    page = str(Path(PROJECT_ROOT, "clients", "streamlit_page.py"))
    flags = ["--server.address=0.0.0.0", "--server.port=80", "--server.headless=true"]
    assert ran == [(sys.executable, [sys.executable, "-m", "streamlit", "run", page, *flags])]


def test_the_settings_of_the_page_keep_it_on_this_machine() -> None:
    settings = Path(PROJECT_ROOT, "clients", ".streamlit", "config.toml").read_text("utf-8")
    assert 'address = "127.0.0.1"' in settings
    assert "gatherUsageStats = false" in settings
