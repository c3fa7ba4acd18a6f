"""Call an ASGI application without a server: what it receives and what it sends are lists of messages."""

from typing import Any, NamedTuple

import anyio
from starlette.types import ASGIApp, Message, Scope

DISCONNECT: Message = {"type": "http.disconnect"}


class Answered(NamedTuple):
    """A response, in the pieces in which it was sent; `complete` if it ended with `more_body` false."""

    status: int
    headers: dict[str, str]
    pieces: list[bytes]
    complete: bool

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


def body_messages(*pieces: bytes, ends: bool = True) -> list[Message]:
    """The messages of a body in these pieces; without `ends` its last message is missing."""
    last = len(pieces) - 1 if ends else len(pieces)
    return [
        {"type": "http.request", "body": piece, "more_body": at < last} for at, piece in enumerate(pieces)
    ]


def scope_of(method: str = "GET", target: bytes = b"/", *fields: tuple[bytes, bytes], **more: Any) -> Scope:
    """A scope as uvicorn makes it."""
    path, _, query = target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "method": method,
        "path": path.decode("latin-1"),
        "raw_path": path,
        "query_string": query,
        "headers": [(b"host", b"localhost:8000"), *fields],
        **more,
    }


def call(app: ASGIApp, scope: Scope, received: list[Message], said: list[Message]) -> None:
    """Append what the application sends to `said`, even if it raises.

    The application takes the messages out of `received`. After the last one `receive` waits forever.
    """

    async def receive() -> Message:
        if not received:
            await anyio.sleep_forever()
        return received.pop(0)

    async def send(message: Message) -> None:
        said.append(message)

    async def run() -> None:
        with anyio.fail_after(10):
            await app(scope, receive, send)

    anyio.run(run)


def ask(app: ASGIApp, scope: Scope, received: list[Message]) -> Answered | None:
    """The response to what `call` is given, or None if there is none."""
    said: list[Message] = []
    call(app, scope, received, said)
    if not said:
        return None
    start, *rest = said
    headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    assert len(headers) == len(start["headers"])
    pieces = [message["body"] for message in rest]
    return Answered(start["status"], headers, pieces, complete=not rest[-1].get("more_body"))
