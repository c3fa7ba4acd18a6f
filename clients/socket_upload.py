"""Uploads with bytes made by hand on a socket: python clients/socket_upload.py URL -F file=@a.txt

`request` and `post` take the arguments of the functions of these names in requests, and put the same bytes on
the wire. Only User-Agent and Accept-Encoding differ, and a form with a file of unknown length goes in chunks.
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
from .http1 import socket_transport
from .http1.response_parser import Response
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
    """Send one request and return the response, whatever its status.

    The arguments are those of `requests.request`; `timeout` is for everything, in seconds, `verify` a file of
    certificates to trust, `boundary` that of a multipart body, and `chunked` asks for chunks.
    Raises UsageError for arguments that do not make a request, Unreachable when there is no response, and
    UploadFailed when the body cannot be read to its end or when the response does not describe what was sent.
    """
    call = Call(method, url, params, data, json, files, headers, cookies, auth, boundary, chunked)
    return socket_transport.send(call, Wire(timeout), cafile=verify)


def post(url: str, data: Any = None, json: Any = None, **arguments: Any) -> Response:
    """`request("POST", url, ...)`."""
    return request("POST", url, data=data, json=json, **arguments)


main = upload_command("socket_upload", "Send a request made by hand to URL.", {"socket": socket_transport})

if __name__ == "__main__":
    main()
