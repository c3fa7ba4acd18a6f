"""Sends the requests of a transfer, each with the fields that the user gave, and follows no foreign URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias
from urllib.parse import urljoin

from ..http1.body import SingleBody
from ..http1.errors import UploadFailed
from ..http1.request import OnBlock
from ..http1.request_url import parse_request_url
from ..http1.response_parser import Response
from ..http1.retrying import TRANSIENT_STATUSES
from ..http1.upload_call import Call
from ..http1.wire import Wire

FieldValues: TypeAlias = Mapping[str, str | bytes | None]


class Refused(UploadFailed):
    """The server has refused a request with this `response`; `transient` when it may be over soon.

    By default the status says so.
    """

    def __init__(self, response: Response, *, transient: bool | None = None) -> None:
        super().__init__(f"the response was {response.status}")
        self.response = response
        self.transient = response.status in TRANSIENT_STATUSES if transient is None else transient


class Gone(Refused):
    """The server does not know the upload any more."""


class Send(Protocol):
    """The `send` of a transport in http1."""

    def __call__(
        self, call: Call, wire: Wire, *, cafile: str | None = None, on_block: OnBlock | None = None
    ) -> Response: ...


@dataclass(frozen=True, slots=True)
class Requester:
    """Sends requests by the `send` of a transport.

    `make_wire` gives a wire for each request. `fields` are added to each, `credentials` and `cookies` only at
    the origin of `endpoint`, the URL that the user gave.
    """

    endpoint: str
    send: Send
    make_wire: Callable[[], Wire]
    fields: FieldValues = field(default_factory=dict)
    credentials: tuple[Any, Any] | None = None
    cookies: Mapping[str, str | None] = field(default_factory=dict)
    cafile: str | None = None

    def request(
        self,
        method: str,
        url: str,
        fields: FieldValues,
        body: SingleBody | None = None,
        on_block: OnBlock | None = None,
    ) -> Response:
        """Send one request and return its response, whatever its status.

        Raises as the transport does, and UploadFailed for a URL that must not get the credentials.
        """
        self._check_origin(url)
        call = Call(
            method,
            url,
            data=body,
            headers={**self.fields, **fields},
            cookies=self.cookies,
            auth=self.credentials,
        )
        return self.send(call, self.make_wire(), cafile=self.cafile, on_block=on_block)

    def resolve(self, response: Response) -> str:
        """The URL in the Location of a response (RFC 9110, section 10.2.2).

        Raises UploadFailed without one, and for one of another origin if there are secrets to send there.
        """
        location = response.header("location")
        if not location:
            raise UploadFailed("the server has made an upload, but it does not say where: no Location")
        url = urljoin(self.endpoint, location)
        self._check_origin(url)
        return url

    def _check_origin(self, url: str) -> None:
        if self._has_secrets() and _origin(url) != _origin(self.endpoint):
            raise UploadFailed(
                f"the server made the upload at another origin, {url}, which does not get your credentials. "
                "A server behind a proxy has to know its own URL"
            )

    def _has_secrets(self) -> bool:
        secret = {"authorization", "cookie"}
        return bool(self.credentials or self.cookies or any(name.lower() in secret for name in self.fields))


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 9110, section 4.3.1). Raises UploadFailed for what is not such a URL."""
    try:
        parsed = parse_request_url(url)
    except ValueError as error:
        raise UploadFailed(f"the Location of the upload: {error}") from None
    return parsed.scheme, parsed.host.lower(), parsed.port
