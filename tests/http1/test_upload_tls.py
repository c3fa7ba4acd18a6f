"""https: both clients through ssl, with the certificate checked."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import trustme

from clients import requests_upload, socket_upload
from clients.http1 import requests_transport, socket_transport
from clients.http1.errors import Unreachable
from clients.http1.upload_call import Call
from clients.http1.wire import Wire
from tests.http1.recording_server import Peer, RecordingServer, echo_nothing, ok, recording

pytestmark = pytest.mark.parametrize("client", [socket_upload, requests_upload], ids=["socket", "requests"])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def cafile(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def behind_tls(authority: trustme.CA, name: str) -> RecordingServer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)

    def script(peer: Peer) -> None:
        try:
            peer.connection = context.wrap_socket(peer.connection, server_side=True)
        except ssl.SSLError:
            return  # the client did not like the certificate
        with peer.connection:
            echo_nothing(peer)

    return RecordingServer(script)


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[RecordingServer]:
    running = behind_tls(authority, "127.0.0.1")
    yield running
    running.close()


def url(server: RecordingServer) -> str:
    return f"https://127.0.0.1:{server.port}"


def test_an_upload_goes_through_tls_and_the_wire_shows_its_plain_text(
    client: ModuleType, server: RecordingServer, cafile: str
) -> None:
    sent, received = bytearray(), bytearray()
    call = Call("POST", url(server), files={"f": ("a", bytes(1 << 20))})
    transport = requests_transport if client is requests_upload else socket_transport
    result = transport.send(call, Wire(10, sent.extend, received.extend), cafile=cafile)
    assert result.status == 200
    assert sent == server.peers[0].received
    assert bytes(received) == ok()


def test_an_early_response_is_read_through_tls(
    client: ModuleType, authority: trustme.CA, cafile: str
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def script(peer: Peer) -> None:
        with context.wrap_socket(peer.connection, server_side=True) as peer.connection:
            peer.read_head()
            peer.send(ok(status="413 Content Too Large"))
            for _ in range(100):  # a bounded lingering close, so that no reset overtakes the response
                if not peer.read():
                    break

    with recording(script) as server:
        body = (bytes(65536) for _ in range(2000))
        result = client.post(url(server), data=body, verify=cafile, timeout=10)
    assert result.status == 413


def test_an_unknown_certificate_is_not_trusted(client: ModuleType, server: RecordingServer) -> None:
    with pytest.raises(Unreachable, match="certificate cannot be trusted: unable to get local"):
        client.post(url(server), data=b"secret", timeout=10)
    assert b"secret" not in server.peers[0].received


def test_a_certificate_of_another_name_is_not_trusted(
    client: ModuleType, authority: trustme.CA, cafile: str
) -> None:
    server = behind_tls(authority, "elsewhere.example")
    with pytest.raises(Unreachable, match="certificate cannot be trusted"):
        client.post(url(server), data=b"secret", verify=cafile, timeout=10)
    server.close()
    assert b"secret" not in server.peers[0].received


def test_a_server_without_tls_is_an_error(client: ModuleType) -> None:
    with recording(Peer.read) as server, pytest.raises(Unreachable, match=r"cannot connect|no response"):
        client.post(f"https://127.0.0.1:{server.port}", data=b"x", timeout=10)


def test_certificates_that_cannot_be_read_are_wrong_usage(client: ModuleType, tmp_path: Path) -> None:
    with recording(Peer.read) as server, pytest.raises(ValueError, match=r"none\.pem"):
        client.post(url(server), verify=str(tmp_path / "none.pem"), timeout=10)
