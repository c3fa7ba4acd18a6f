"""Attacks from published advisories (CVEs), on every backend: one test for each attack and backend."""

import json
from typing import Any

import pytest

from clients.http1.response_parser import Response
from tests.advisories.access_rows import ACCESS
from tests.advisories.attacks import Attack
from tests.advisories.conftest import Targets
from tests.advisories.connection_rows import CONNECTIONS
from tests.advisories.echo_rows import ECHOES
from tests.advisories.framing_rows import FRAMING
from tests.advisories.head_rows import HEADS
from tests.advisories.multipart_rows import MULTIPART
from tests.advisories.name_rows import NAMES
from tests.advisories.parameter_rows import PARAMETERS
from tests.advisories.part_rows import PARTS
from tests.advisories.upload_rows import UPLOADS
from tests.advisories.value_rows import VALUES

ATTACKS: tuple[Attack, ...] = (
    *(*HEADS, *FRAMING, *CONNECTIONS, *ECHOES),
    *(*MULTIPART, *PARTS, *PARAMETERS, *VALUES),
    *(*NAMES, *UPLOADS, *ACCESS),
)


def _params() -> list[Any]:
    return [
        pytest.param(
            attack,
            backend,
            id=f"{attack.id}-{backend}",
            marks=[pytest.mark.soak(seconds=30)] if attack.is_slow else [],
        )
        for attack in ATTACKS
        for backend in attack.backends
    ]


@pytest.fixture(scope="module")
def responses() -> dict[str, tuple[str, bytes]]:
    """The first response to each attack, with its backend; the other backends must respond the same."""
    return {}


@pytest.mark.parametrize(("attack", "backend"), _params())
def test_attack(
    attack: Attack, backend: str, targets: Targets, responses: dict[str, tuple[str, bytes]]
) -> None:
    target = targets(backend, attack.variant)
    logged = len(target.backend.log())
    with target.alive():
        response = attack.check(target)
    assert "Traceback" not in target.backend.log()[logged:]
    if response is not None:
        first, body = responses.setdefault(attack.id, (backend, _comparable(response)))
        assert _comparable(response) == body, f"not the response of {first}"


def _comparable(response: Response) -> bytes:
    """What must be equal on all backends: the body, for a problem without its detail."""
    if response.status < 400:
        return response.body
    members = {name: value for name, value in response.json().items() if name != "detail"}
    return json.dumps(members).encode()
