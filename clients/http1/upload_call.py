"""The arguments of an upload, which both clients take, and the functions `request` and `post` of both."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .response_parser import Response
from .wire import Wire


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of `requests.request`, and two of ours: a multipart `boundary` and `chunked` framing."""

    method: str
    url: str
    params: Any = None
    data: Any = None
    json: Any = None
    files: Any = None
    headers: Mapping[str, str | bytes | None] | None = None
    cookies: Mapping[str, str | None] | None = None
    auth: tuple[Any, Any] | None = None
    boundary: str | None = None
    chunked: bool = False

    def arguments(self) -> dict[str, Any]:
        """All of them by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


@dataclass(frozen=True, slots=True)
class Requests:
    """The functions of requests by these names, through the `send` of a transport."""

    send: Callable[..., Response]

    def request(
        self,
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

        The arguments are those of `requests.request`; `timeout` is for everything, in seconds, `verify` a
        file of certificates to trust, `boundary` that of a multipart body, and `chunked` asks for chunks.
        Raises UsageError for arguments that do not make a request, Unreachable when there is no response, and
        UploadFailed when the body cannot be read to its end or when the response does not describe what was
        sent.
        """
        call = Call(method, url, params, data, json, files, headers, cookies, auth, boundary, chunked)
        return self.send(call, Wire(timeout), cafile=verify)

    def post(self, url: str, data: Any = None, json: Any = None, **arguments: Any) -> Response:
        """`request("POST", url, ...)`."""
        return self.request("POST", url, data=data, json=json, **arguments)
