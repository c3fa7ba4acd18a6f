"""The README is executed: what it shows is what happens, and nothing that can be set is missing from it."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import PROBLEMS
from servers.settings import Settings
from servers.socket_upload import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
# What differs between installations: requests accepts the codings that its environment can decode.
_ACCEPT_ENCODING = re.compile(r"^Accept-Encoding: .*$", re.MULTILINE)


def shown(pattern: str) -> list[tuple[str, str]]:
    """The commands whose line has `pattern` in it, each with the output that the README shows."""
    blocks = re.findall(r"```console\n\$ (.*)\n((?:.*\n)*?)```", README)
    return [(command, output) for command, output in blocks if re.search(pattern, command)]


def run(command: str) -> str:
    program = command.replace("python ", f"{sys.executable} ", 1)
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    done = subprocess.run(
        program, shell=True, cwd=ROOT, env=environment, capture_output=True, timeout=30, check=True
    )
    text = done.stdout.decode("utf-8").replace("\r\n", "\n")
    return text if text.endswith("\n") else text + "\n"


@pytest.mark.parametrize(("command", "output"), shown("--dry-run"))
def test_each_call_of_the_post_puts_on_the_wire_what_the_readme_shows(command: str, output: str) -> None:
    assert _ACCEPT_ENCODING.sub("", run(command)) == _ACCEPT_ENCODING.sub("", output)


def test_all_seven_calls_are_shown() -> None:
    assert len(shown("--dry-run")) == 7


@pytest.mark.parametrize(("command", "output"), shown("--help"))
def test_the_help_that_is_shown_is_the_real_one(command: str, output: str) -> None:
    assert run(command) == output


def test_two_programs_show_their_help() -> None:
    assert len(shown("--help")) == 2


@pytest.mark.parametrize("option", [option for parameter in main.params for option in parameter.opts])
def test_every_flag_of_the_socket_server_is_explained(option: str) -> None:
    assert option == "--version" or f"`{option}`" in README


@pytest.mark.parametrize("name", [field.name for field in fields(Settings) if field.name != "limits"])
def test_every_setting_has_its_variable(name: str) -> None:
    assert f"`WIREPROOF_{name.upper()}`" in README


@pytest.mark.parametrize("limit", fields(Limits), ids=lambda limit: limit.name)
def test_every_limit_is_listed_with_its_default(limit: object) -> None:
    name: str = limit.name  # type: ignore[attr-defined]
    default = getattr(Limits(), name)
    flag, variable = f"--{name.replace('_', '-')}", f"WIREPROOF_{name.upper()}"
    assert f"| `{name}` | {default:,} | `{flag}` | `{variable}` |" in README


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_is_listed_with_its_status(code: str) -> None:
    assert f"| `{code}` | {PROBLEMS[code].status} | {PROBLEMS[code].title} |" in README


ROUTE_PATHS = (
    "/upload/ /upload/{filename} /files/{sha256} /stream_echo /v1/chat/completions /v1/models "
    "/problems/{code} /healthz"
)


@pytest.mark.parametrize("route", ROUTE_PATHS.split())
def test_every_route_is_listed(route: str) -> None:
    assert f"`{route}`" in README


def test_continuous_integration_runs_the_two_commands_word_for_word() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    for beginning in (".venv/bin/python -m pytest", ".venv/bin/python clients/compare.py"):
        assert len([line for line in README.splitlines() if beginning in line]) >= 1
        assert beginning in script
