"""The clients against the real servers: what they say was sent is what the servers say that they got."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from clients import requests_upload, socket_upload
from clients.launch import PROJECT_ROOT, RunningBackend

BACKENDS = pytest.mark.parametrize("name", ["socket", "flask", "gunicorn"])
CLIENTS = {"socket": socket_upload, "requests": requests_upload}
BOTH = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
SIZE = 3 << 20


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / 'a "strange" näme.bin'
    path.write_bytes(os.urandom(SIZE))
    return path


def stored(backend: RunningBackend, client: ModuleType, file: dict[str, Any]) -> bytes:
    """What the backend has stored for an entry of `files`."""
    got: bytes = client.request("GET", backend.url + file["href"], timeout=20).body
    return got


@BACKENDS
@BOTH
@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_comes_back_as_it_was_sent(
    name: str, client: ModuleType, chunked: bool, backends: Mapping[str, RunningBackend], large: Path
) -> None:
    backend = backends[name]
    with large.open("rb") as file:
        response = client.post(
            backend.url + "/upload/", {"c": 1, "d": 2}, files={"f": file}, chunked=chunked, timeout=20
        )
    described = response.json()
    assert response.status == 200
    assert [(field["name"], field["value"]) for field in described["form"]] == [("c", "1"), ("d", "2")]
    assert described["files"][0]["size"] == SIZE
    assert described["files"][0]["filename"] == large.name
    assert stored(backend, client, described["files"][0]) == large.read_bytes()


@BACKENDS
@BOTH
def test_a_generator_is_stored_as_one_file(
    name: str, client: ModuleType, backends: Mapping[str, RunningBackend]
) -> None:
    url = backends[name].url + "/upload/stream.bin"
    response = client.request("PUT", url, data=(bytes([n]) * 70_000 for n in range(20)), timeout=20)
    assert response.status == 200
    assert response.json()["files"][0]["size"] == 20 * 70_000


@BACKENDS
@BOTH
def test_a_refusal_is_a_response(
    name: str, client: ModuleType, backends: Mapping[str, RunningBackend]
) -> None:
    response = client.request("PUT", backends[name].url + "/upload/a/b", data=bytes(1 << 22), timeout=20)
    assert (response.status, response.json()["code"]) == (404, "not_found")


@BACKENDS
@BOTH
def test_a_refusal_in_the_middle_of_the_body_is_a_response(
    name: str, client: ModuleType, backends: Mapping[str, RunningBackend]
) -> None:
    response = client.post(backends[name].url + "/upload/", json="x" * (32 << 20), timeout=20)
    assert (response.status, response.json()["code"]) == (413, "body_too_large")


@BACKENDS
@pytest.mark.parametrize("client", CLIENTS)
def test_the_command_prints_the_result(
    name: str, client: str, backends: Mapping[str, RunningBackend], large: Path
) -> None:
    command = [sys.executable, f"clients/{client}_upload.py", backends[name].url + "/upload/"]
    flags = [
        "-F",
        "a=123",
        "-F",
        'file="@";filename=x',
        "-F",
        f"file=@{large}",
        "--expect",
        "--max-time",
        "30",
    ]
    done = subprocess.run([*command, *flags], cwd=PROJECT_ROOT, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    described = json.loads(done.stdout)
    assert [file["filename"] for file in described["files"]] == ["x", large.name]
    assert done.stdout.endswith(b"\n")
