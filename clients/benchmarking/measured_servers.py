"""Which servers there are: ours, and those of `clients/peers/peers.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ..programs import Program
from .large_load import Form

PEERS = Path(__file__).resolve().parent.parent / "peers"
REFERENCE = "flask-gthread"
FAMILIES = ("w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8")
_PATH = "/upload/"


@dataclass(frozen=True, slots=True)
class Server(Program):
    """How a server is started, and what is sent to it.

    One of ours has the name of its `backend` and its settings in `env`. The comment at the top of
    `peers.toml` explains the other fields.
    """

    backend: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    template: str = ""
    shares: str = ""
    here: tuple[str, ...] = ()
    path: str = _PATH
    form: Form = "multipart"
    answers: bool = True
    checked: bool = True
    works: tuple[str, ...] = FAMILIES

    @property
    def environment(self) -> str:
        """The name of the folder in which its packages are."""
        return self.shares or self.name


# No peer keeps a history of requests, and ours is off unless a server listens on loopback.
_FAST = {"WIREPROOF_QUIET": "1", "WIREPROOF_DURABILITY": "fast", "WIREPROOF_HISTORY": "off"}
_SAFE = _FAST | {"WIREPROOF_DURABILITY": "safe"}
_KEPT = _FAST | {"WIREPROOF_HISTORY": "500"}
_OURS = (
    Server("socket", "wireproof, raw sockets", backend="socket", env=_FAST),
    Server("gunicorn", "wireproof, Flask under gunicorn", backend="gunicorn", env=_FAST),
    Server("flask", "wireproof, flask run", backend="flask", env=_FAST),
    Server("socket-safe", "wireproof, raw sockets, with fsync", backend="socket", env=_SAFE),
    Server("gunicorn-safe", "wireproof, Flask under gunicorn, with fsync", backend="gunicorn", env=_SAFE),
    Server("socket-history", "wireproof, raw sockets, with the history", backend="socket", env=_KEPT),
    Server(
        "gunicorn-history", "wireproof, Flask under gunicorn, with the history", backend="gunicorn", env=_KEPT
    ),
)


@cache
def load_servers() -> Mapping[str, Server]:
    """All servers by name, ours first."""
    rows = tomllib.loads((PEERS / "peers.toml").read_text("utf-8"))
    peers = {
        name: Server(name, **{key: _frozen(value) for key, value in row.items()})
        for name, row in rows.items()
    }
    return {server.name: server for server in _OURS} | peers


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
