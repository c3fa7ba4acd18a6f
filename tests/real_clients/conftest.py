"""The clients of other projects, which are installed once, and the recorder before the backends.

Packages are installed into a temporary folder. To keep them, name a folder in the environment:

    WIREPROOF_REAL_CLIENTS=~/.cache/wireproof/real_clients pytest -m real_clients
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.real_clients.session import Session, session
from clients.real_clients.table import Client
from clients.real_clients.workshop import AbsentError, Workshop


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """One session for all uploads: one Host, and the same two files."""
    named = os.environ.get("WIREPROOF_REAL_CLIENTS")
    folder = Path(named).expanduser().resolve() if named else tmp_path_factory.mktemp("real_clients")
    with session(Workshop(folder), tmp_path_factory.mktemp("files")) as started:
        yield started


def prepare(clients: Session, client: Client) -> None:
    """Install `client`; skip the test if that is not possible, or fail where the client is required."""
    try:
        clients.workshop.prepare(client)
    except AbsentError as error:
        if client.ci and os.environ.get("WIREPROOF_CLIENTS_REQUIRED"):
            raise
        pytest.skip(f"{client.name} is NOT tested: {error}")
