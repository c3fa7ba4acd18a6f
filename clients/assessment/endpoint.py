"""A URL that takes uploads: where it is, how it is reached, and the fields that each request to it needs."""

import base64
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..http1.errors import UsageError
from ..http1.exchange import Exchange, exchange, request_methods
from ..http1.request_url import RequestUrl, parse_request_url
from ..http1.sent_request import is_whole

ENDPOINT_SECONDS = 6.0
"""How long an endpoint has for one response, at least. A server that takes longer hangs."""

IN_FLIGHT = 8
"""How many cases an endpoint gets at once."""

MOST_SECONDS = 20.0
"""How long a slow endpoint has."""

# Of one answer. The largest case has 1 MiB of text, which an echo may tell with escapes.
_MOST_BYTES = 16 * 1024 * 1024

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One URL. `fields` are added to every request; `tls` is the context for https, None for http.

    `seconds` is how long it has for a response.
    """

    name: str
    url: RequestUrl
    fields: Fields = ()
    tls: ssl.SSLContext | None = None
    seconds: float = ENDPOINT_SECONDS

    def patient(self, slowest: float) -> "Endpoint":
        """The endpoint with more time, when its slowest answer to a plain request took so many seconds."""
        return replace(self, seconds=min(max(self.seconds, 2 * IN_FLIGHT * slowest), MOST_SECONDS))

    def send(self, pieces: Sequence[bytes], *, pause: float = 0.0) -> Exchange:
        """Send one request in these pieces, up to `pause` seconds apart, and read what comes back."""
        request = b"".join(pieces)
        return exchange(
            self.url.host,
            self.url.port,
            pieces,
            methods=request_methods(request),
            seconds=self.seconds + pause * len(pieces),
            pause=pause,
            is_whole=is_whole(request),
            tls=self.tls,
            most_bytes=_MOST_BYTES,
        )


def endpoint_at(url: str, fields: Fields, tls: ssl.SSLContext, name: str = "") -> Endpoint:
    """The endpoint at an http or https URL; user and password in it are sent as Basic credentials.

    Without a `name` it has that of its URL. Raises UsageError for what is no such URL.
    """
    parsed = parse_request_url(url)
    if parsed.credentials:
        if any(each.lower() == "authorization" for each, _ in fields):
            raise UsageError(f"{url}: it has a user and a password, and there is another Authorization field")
        fields = (*fields, ("Authorization", _basic(*parsed.credentials)))
    shown = f"{parsed.scheme}://{parsed.authority}{parsed.target}"
    return Endpoint(name or shown, parsed, fields, tls if parsed.scheme == "https" else None)


def _basic(username: str, password: str) -> str:
    """RFC 7617, section 2."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
