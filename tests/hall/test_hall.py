"""Every row of the hall of CVEs on every backend that can show it: one test an attack and backend."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.answers import Answer
from tests.hall.access_rows import ACCESS
from tests.hall.conftest import Targets
from tests.hall.connection_rows import CONNECTIONS
from tests.hall.echo_rows import ECHOES
from tests.hall.framing_rows import FRAMING
from tests.hall.head_rows import HEADS
from tests.hall.multipart_rows import MULTIPART
from tests.hall.name_rows import NAMES
from tests.hall.part_rows import PARTS
from tests.hall.shots import Shot
from tests.hall.upload_rows import UPLOADS
from tests.hall.value_rows import VALUES

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
def answers() -> dict[str, tuple[str, bytes]]:
    """The first answer to each shot, with its backend: SAME compares the others with it."""
    return {}


@pytest.mark.parametrize(("shot", "backend"), _params())
def test_hall(shot: Shot, backend: str, targets: Targets, answers: dict[str, tuple[str, bytes]]) -> None:
    target = targets(backend, shot.variant)
    logged = len(target.backend.log())
    with target.alive():
        answer = shot.check(target)
    assert "Traceback" not in target.backend.log()[logged:]
    if answer is not None:
        first, body = answers.setdefault(shot.id, (backend, _comparable(answer)))
        assert _comparable(answer) == body, f"not SAME as {first}"


def _comparable(answer: Answer) -> bytes:
    """All that the contract wants to be equal: the body, of a problem without its detail."""
    if answer.status < 400:
        return answer.body
    members = {name: value for name, value in answer.json().items() if name != "detail"}
    return json.dumps(members).encode()
