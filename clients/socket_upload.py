"""Uploads with bytes made by hand on a socket: python clients/socket_upload.py URL -F file=@a.txt

`request` and `post` take the arguments of their namesakes in requests and put the same bytes on the wire, but
for User-Agent and Accept-Encoding, and for a form with a file whose length nobody knows: that goes in chunks.
"""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from collections.abc import Callable
from typing import Any

from clients.answers import Answer
from clients.confirm import confirm
from clients.delivery import deliver
from clients.digest import Block
from clients.message import Message, build_message
from clients.upload_call import Call
from clients.upload_command import upload_command
from clients.wire import Wire


def request(
    method: str,
    url: str,
    *,
    params: Any = None,
    data: Any = None,
    json: Any = None,
    files: Any = None,
    headers: Any = None,
    cookies: Any = None,
    auth: tuple[Any, Any] | None = None,
    timeout: float | None = None,
    verify: str | None = None,
    boundary: str | None = None,
    chunked: bool = False,
) -> Answer:
    """Send one request and return the answer, whatever its status.

    The arguments are those of `requests.request`; `timeout` is for everything, in seconds, `verify` a file of
    certificates to trust, `boundary` that of a multipart body, and `chunked` asks for chunks.
    Raises UsageError for arguments that make no request, Unreachable when there is no answer, and
    UploadFailed when the body cannot be read to its end or when the answer does not describe what was sent.
    """
    call = Call(method, url, params, data, json, files, headers, cookies, auth, boundary, chunked)
    return send(call, Wire(timeout), cafile=verify)


def post(url: str, data: Any = None, json: Any = None, **arguments: Any) -> Answer:
    """`request("POST", url, ...)`."""
    return request("POST", url, data=data, json=json, **arguments)


def send(
    call: Call,
    wire: Wire,
    *,
    cafile: str | None = None,
    on_block: Callable[[int], None] | None = None,
) -> Answer:
    """Send a call through `wire` and check the answer against it. Raises as `request` does."""
    message = _message(call)
    answer = deliver(message, wire, cafile=cafile, on_block=on_block)
    body = message.body
    confirm(answer, body.receipt if body else None, has_body=body is not None)
    return answer


def dry_run(call: Call, write: Callable[[Block], None]) -> None:
    """Give to `write` all bytes that `send` would send. Nothing is connected to."""
    message = _message(call)
    write(message.head())
    for block in message.blocks():
        write(block)


def _message(call: Call) -> Message:
    return build_message(**call.arguments())


main = upload_command("socket_upload", "Send a request made by hand to URL.", send, dry_run)

if __name__ == "__main__":
    main()
