"""Every backend reads the upload of a client of another project alike, and as it was sent.

Most clients must be installed first, so they run only on request: pytest -m real_clients (see conftest.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.request import urlopen

import pytest

from clients.launch import RunningBackend
from clients.real_clients.exchanges import Exchange
from clients.real_clients.session import Session
from clients.real_clients.table import Client, load_clients
from clients.real_clients.uploads import NOTE, ODD_BYTES, ODD_NAME, PLAIN_BYTES, PLAIN_NAME, Files, described
from tests.conftest import BACKEND_NAMES
from tests.real_clients.conftest import prepare

# The first installation of a client, its first start, and an upload to each backend.
pytestmark = pytest.mark.timeout(600)


def _cases() -> Iterator[Any]:
    for client in load_clients().values():
        marks = () if client.ci else (pytest.mark.real_clients,)
        for kind in client.kinds:
            yield pytest.param(client, kind, marks=marks, id=f"{client.name}-{kind}")


@pytest.mark.parametrize(("client", "kind"), list(_cases()))
def test_every_backend_reads_exactly_what_it_uploads(
    backends: Mapping[str, RunningBackend], clients: Session, client: Client, kind: str
) -> None:
    prepare(clients, client)
    responses = {}
    for name in BACKEND_NAMES:
        upload = clients.upload(client, kind, (backends[name].host, backends[name].port))
        responses[name] = [exchange.comparable() for exchange in upload.exchanges]
        if f"{name} {kind}" in client.fails:
            # Its first response, after two 100 Continue, is the same as everywhere; then it stops.
            assert upload.failure, f"{client.name} no longer fails on {name}: remove it from the table"
            assert (len(upload.exchanges), upload.exchanges[0].continues) == (1, 2)
            continue
        assert not upload.failure, f"{name}: {upload.failure}"
        _assert_is_of_kind(upload.exchanges, kind)
        assert _received(upload.exchanges) == _expected(client, kind, clients.files), name
    different = {name for name, each in responses.items() if each != responses["socket"][: len(each)]}
    assert not different, responses


@pytest.mark.parametrize("backend", BACKEND_NAMES)
def test_the_stored_bytes_are_those_of_the_files(
    backends: Mapping[str, RunningBackend], clients: Session, backend: str
) -> None:
    server = backends[backend]
    upload = clients.upload(load_clients()["requests"], "chunked", (server.host, server.port))
    assert not upload.failure
    stored = []
    for file in upload.exchanges[0].description["files"]:
        with urlopen(server.url + file["href"], timeout=10) as response:
            stored.append(response.read())
    assert stored == [PLAIN_BYTES, ODD_BYTES]


def _assert_is_of_kind(exchanges: Sequence[Exchange], kind: str) -> None:
    """Check that the upload was framed as the case says."""
    with_files = [exchange for exchange in exchanges if exchange.description["files"]]
    chunked = [exchange.sent.field("Transfer-Encoding") is not None for exchange in with_files]
    expecting = [exchange.sent.field("Expect") is not None for exchange in exchanges]
    assert chunked == [kind == "chunked"] * len(with_files)
    assert expecting == [kind == "expect"] * len(exchanges)


def _received(exchanges: Sequence[Exchange]) -> tuple[list[Any], list[Any]]:
    """The fields and the files of all responses together."""
    descriptions = [exchange.description for exchange in exchanges]
    form = [(item["name"], item["value"]) for each in descriptions for item in each["form"]]
    files = [
        (file["name"], file["filename"], (file["size"], file["sha256"]))
        for each in descriptions
        for file in each["files"]
    ]
    return form, files


def _expected(client: Client, kind: str, files: Files) -> tuple[list[Any], list[Any]]:
    plain, odd = PLAIN_NAME, client.odd_name or ODD_NAME
    if client.odd_name == "{path}":
        plain, odd = str(files.plain), str(files.odd)
    names = (None, None) if kind in client.bare else ("plain", "odd")
    parts = [(names[0], plain, described(PLAIN_BYTES)), (names[1], odd, described(ODD_BYTES))]
    return [("note", NOTE)], parts
