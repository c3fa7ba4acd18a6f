"""Every row of the hall of CVEs on every backend that can show it: one test an attack and backend."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.http1.response_parser import Response
from tests.advisories.access_rows import ACCESS
from tests.advisories.attacks import Shot
from tests.advisories.conftest import Targets
from tests.advisories.connection_rows import CONNECTIONS
from tests.advisories.echo_rows import ECHOES
from tests.advisories.framing_rows import FRAMING
from tests.advisories.head_rows import HEADS
from tests.advisories.multipart_rows import MULTIPART
from tests.advisories.name_rows import NAMES
from tests.advisories.part_rows import PARTS
from tests.advisories.upload_rows import UPLOADS
from tests.advisories.value_rows import VALUES

SHOTS: tuple[Shot, ...] = (
    *(*HEADS, *FRAMING, *CONNECTIONS, *ECHOES),
    *(*MULTIPART, *PARTS, *VALUES),
    *(*NAMES, *UPLOADS, *ACCESS),
)


def _params() -> list[Any]:
    return [
        pytest.param(shot, backend, id=f"{shot.id}-{backend}", marks=[pytest.mark.soak] if shot.soak else [])
        for shot in SHOTS
        for backend in shot.backends
    ]


@pytest.fixture(scope="module")
def responses() -> dict[str, tuple[str, bytes]]:
    """The first answer to each shot, with its backend: SAME compares the others with it."""
    return {}


@pytest.mark.parametrize(("shot", "backend"), _params())
def test_hall(shot: Shot, backend: str, targets: Targets, responses: dict[str, tuple[str, bytes]]) -> None:
    target = targets(backend, shot.variant)
    logged = len(target.backend.log())
    with target.alive():
        response = shot.check(target)
    assert "Traceback" not in target.backend.log()[logged:]
    if response is not None:
        first, body = responses.setdefault(shot.id, (backend, _comparable(response)))
        assert _comparable(response) == body, f"not SAME as {first}"


def _comparable(response: Response) -> bytes:
    """All that the contract wants to be equal: the body, of a problem without its detail."""
    if response.status < 400:
        return response.body
    members = {name: value for name, value in response.json().items() if name != "detail"}
    return json.dumps(members).encode()
