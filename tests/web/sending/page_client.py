"""Sends what the page sends: the requests of `POST /ui/send`, and everything else of its own server."""

import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.patience import patient

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """One response of the server of the page. The names in `fields` are in lower case."""

    status: int
    fields: Mapping[str, str]
    json: Any

    @property
    def code(self) -> str | None:
        """The code of the problem, or None."""
        return self.json.get("code") if self.status >= 400 else None

    @property
    def runs(self) -> list[dict[str, Any]]:
        """What each server responded."""
        assert self.status == 200, self.json
        return list(self.json["runs"])


def ask(
    port: int,
    path: str,
    body: bytes | Iterable[bytes] = b"",
    fields: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
) -> Answer:
    """A request to the server at this port; an iterable body is sent in chunks."""
    connection = http.client.HTTPConnection(HOST, port, timeout=patient(60))
    try:
        chunked = not isinstance(body, bytes)
        connection.request(method, path, body=body, headers=fields or {}, encode_chunked=chunked)
        response = connection.getresponse()
        fields = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, fields, json.loads(response.read()))
    finally:
        connection.close()


def send(port: int, body: bytes | Iterable[bytes] = b"", **fields: str) -> Answer:
    """`POST /ui/send`. A field is named by its argument: `wireproof_to` is Wireproof-To."""
    chunked = {} if isinstance(body, bytes) else {"Transfer-Encoding": "chunked"}
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return ask(port, "/ui/send", body, named | chunked)
