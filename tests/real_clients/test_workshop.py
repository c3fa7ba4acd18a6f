"""The error for a missing client names what is missing; the error for a failed one has what it printed."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from clients.real_clients.table import load_clients
from clients.real_clients.uploads import Files
from clients.real_clients.workshop import AbsentError, UploadFailedError, Workshop


def test_a_missing_program_is_named_with_its_debian_package(tmp_path: Path) -> None:
    client = replace(load_clients()["curl"], programs=("no-such-program",))
    with pytest.raises(AbsentError, match="no-such-program not found; Debian has curl"):
        Workshop(tmp_path).prepare(client)


def test_a_missing_module_is_named(tmp_path: Path) -> None:
    client = replace(load_clients()["httpx"], modules=("no_such_module",))
    with pytest.raises(AbsentError, match="no_such_module not installed"):
        Workshop(tmp_path).prepare(client)


def test_the_error_of_a_failed_client_has_what_it_printed(tmp_path: Path) -> None:
    client = replace(
        load_clients()["requests"], command=(sys.executable, "-c", "raise SystemExit('no luck')")
    )
    with pytest.raises(UploadFailedError, match="requests form ended with 1:\nno luck"):
        Workshop(tmp_path).upload(client, "http://127.0.0.1:9/", "form", Files(tmp_path))


def test_the_version_is_the_number_that_is_printed(tmp_path: Path) -> None:
    assert Workshop(tmp_path).version(load_clients()["http.client"]) == ".".join(
        map(str, sys.version_info[:3])
    )
