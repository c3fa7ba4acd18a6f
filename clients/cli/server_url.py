"""Where a server is: `http://HOST[:PORT]`, and nothing behind it."""

from __future__ import annotations

from urllib.parse import urlsplit


def server_address(url: str) -> tuple[str, int]:
    """Host and port. Raises ValueError, with a message, for anything else than such a URL."""
    try:
        parts = urlsplit(url)
        port = 80 if parts.port is None else parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError as error:  # UnicodeError is one
        raise ValueError(f"{url}: {error}") from None
    rest = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme != "http" or not host or not port or rest:
        raise ValueError(f"{url}: expected http://HOST:PORT")
    return host, port
