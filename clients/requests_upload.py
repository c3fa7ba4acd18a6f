"""The same uploads through requests, streaming: python clients/requests_upload.py URL -F file=@a.txt

`requests.post(files=...)` holds the whole body in memory. Here requests gets our multipart body as an
iterable with a length, and makes everything else itself.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.requests_upload").main()

from typing import Any

from .cli.upload_command import upload_command
from .http1 import requests_transport
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
    """Send one request through requests and return the response, whatever its status.

    Arguments and exceptions are those of `clients.socket_upload.request`.
    """
    call = Call(method, url, params, data, json, files, headers, cookies, auth, boundary, chunked)
    return requests_transport.send(call, Wire(timeout), cafile=verify)


def post(url: str, data: Any = None, json: Any = None, **arguments: Any) -> Response:
    """`request("POST", url, ...)`."""
    return request("POST", url, data=data, json=json, **arguments)


main = upload_command(
    "requests_upload", "Send a request through requests to URL.", {"requests": requests_transport}
)

if __name__ == "__main__":
    main()
