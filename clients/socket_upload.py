"""Uploads with bytes made by hand on a socket: python clients/socket_upload.py URL -F file=@a.txt

`request` and `post` take the arguments of their namesakes in requests and put the same bytes on the wire, but
for User-Agent and Accept-Encoding, and for a form with a file whose length nobody knows: that goes in chunks.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.socket_upload").main()

from typing import Any

from .cli.upload_command import upload_command
from .http1.response_parser import Response
from .http1.socket_transport import dry_run, send
from .http1.upload_call import Call
from .http1.wire import Wire


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
) -> Response:
    """Send one request and return the answer, whatever its status.

    The arguments are those of `requests.request`; `timeout` is for everything, in seconds, `verify` a file of
    certificates to trust, `boundary` that of a multipart body, and `chunked` asks for chunks.
    Raises UsageError for arguments that make no request, Unreachable when there is no answer, and
    UploadFailed when the body cannot be read to its end or when the answer does not describe what was sent.
    """
    call = Call(method, url, params, data, json, files, headers, cookies, auth, boundary, chunked)
    return send(call, Wire(timeout), cafile=verify)


def post(url: str, data: Any = None, json: Any = None, **arguments: Any) -> Response:
    """`request("POST", url, ...)`."""
    return request("POST", url, data=data, json=json, **arguments)


main = upload_command("socket_upload", "Send a request made by hand to URL.", send, dry_run)

if __name__ == "__main__":
    main()
