"""The error for a missing client names what is missing; the error for a failed one has what it printed."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from clients.real_clients.table import Client, load_clients
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


def test_a_client_whose_program_lacks_an_extension_is_absent(tmp_path: Path) -> None:
    """PHP without its curl extension, Perl without LWP: the program alone is not the client."""
    told = ("sh", "-c", "echo no such extension >&2; exit 255")
    client = Client("some", (), told, ("form",), programs=("sh",), apt=("php-curl",))
    with pytest.raises(AbsentError, match=r"Debian has php-curl: .*says 'no such extension'"):
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
