"""Reads back what a response says was stored: a 2xx promises that the file is there (contract section 7)."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from ..http1.exchange import Exchange, exchange

_MOST = 3  # files of one response
_SHA256 = re.compile(r"[0-9a-f]{64}")


def unreadable_file(received: Exchange, host: str, port: int) -> str:
    """What is wrong with the first stored file that cannot be read as described, or "".

    A response of another shape than the contract's has no such file.
    """
    for number, file in enumerate(_stored(received)):
        request = f"GET {file['href']} HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n"
        sent = exchange(host, port, [request.encode("ascii")], is_whole=True)
        response = sent.responses[0] if sent.responses else None
        if response is None or response.status != 200:
            got = response.status if response else sent.failure or "no response"
            return f"stored file {number} cannot be read back: {got}"
        found = (len(response.body), hashlib.sha256(response.body).hexdigest())
        if found != (file.get("size"), file["sha256"]):
            return f"stored file {number} is read back as {found[0]} bytes with the SHA-256 {found[1]}"
    return ""


def _stored(received: Exchange) -> Iterator[dict[str, Any]]:
    """The first distinct files with an `href` in the first response."""
    response = received.responses[0] if received.responses else None
    if response is None or response.status != 200 or not response.is_json:
        return
    try:
        result = json.loads(response.body)
    except ValueError:
        return
    files = result.get("files") if isinstance(result, dict) else None
    stored = filter(_is_stored, files if isinstance(files, list) else ())
    distinct = {file["href"]: file for file in stored}
    yield from list(distinct.values())[:_MOST]


def _is_stored(file: Any) -> bool:
    sha256 = file.get("sha256") if isinstance(file, dict) else None
    return (
        isinstance(sha256, str) and bool(_SHA256.fullmatch(sha256)) and file.get("href") == f"/files/{sha256}"
    )
