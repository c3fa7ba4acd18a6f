"""A server of the page between two servers that record what it sends to them."""

import threading
from dataclasses import dataclass

from clients.launch import RunningBackend
from tests.http1.recording_server import Peer, RecordingServer, Script, ok
from tests.patience import patient

LARGE = bytes(range(256)) * 4096
"""A body that does not stay in memory."""


@dataclass
class Stage:
    """A server of the page, and the two servers that it sends to. `script` says what these do."""

    backend: RunningBackend
    one: RecordingServer
    other: RecordingServer
    scripts: dict[str, Script]

    @property
    def port(self) -> int:
        return self.backend.port

    def received(self) -> list[bytes]:
        """What the last connection of each server has brought."""
        return [self.one.requests[-1], self.other.requests[-1]]


def answering(data: bytes) -> Script:
    """A script that reads the request and responds with these bytes."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(data)

    return script


def holding() -> tuple[Script, threading.Event]:
    """A script that reads the request and responds only when the event is set."""
    released = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        assert released.wait(patient(60))
        peer.send(ok())

    return script, released
