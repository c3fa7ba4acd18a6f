"""Whether two backends got the same request, although they have different ports.

Each request has a `key`: 64 bits of a digest of its method, its target and its decoded body (of a long body:
samples). Only requests with one key are compared further, by what else is known of both: their bytes without
the value of Host, or their parsed heads if one backend cannot see the wire. Credentials are replaced by then.
"""

import hashlib
import re
import zlib
from collections.abc import Iterable

from ..contract.request import Pair, RequestHead
from .redaction import is_secret
from .run import Run

_HOST = re.compile(rb"(?i)(\r\nhost[ \t]*:)[^\r\n]*")
_AUTHORITY = re.compile(rb"\A([^ ]* )[a-z]+://[^/? ]*", re.IGNORECASE)


def key_of(run: Run, head: RequestHead, body: bytes) -> int:
    """The key of a complete request; `body` is the whole body if there is no sample of it."""
    digest = (hashlib.sha256(body) if run.sample is None else run.sample).digest()
    line = zlib.crc32(f"{head.method} {head.target} {run.size}".encode("utf-8", "surrogatepass"))
    return int.from_bytes(digest[:8], "big", signed=True) ^ line


def without_host(data: bytes) -> bytes:
    """The bytes without the value of the first Host, and without the authority of an absolute target."""
    data = _HOST.sub(rb"\1", data, count=1)
    return _AUTHORITY.sub(rb"\1", data) if b"://" in data[: data.find(b"\r\n")] else data


def begin_alike(one: bytes, other: bytes) -> bool:
    """Whether two requests are the same as far as the bytes of both are known."""
    one, other = without_host(one), without_host(other)
    size = min(len(one), len(other))
    return one[:size] == other[:size]


def digest_of(kept: bytes, total: int, key: int | None) -> str:
    """The digest that is shown: of the kept bytes without Host; the key stands for the others."""
    state = hashlib.sha256(without_host(kept))
    if total > len(kept):
        state.update(f"{total} {key}".encode())
    return state.hexdigest()[:16]


def form_of(head: RequestHead) -> int:
    """64 bits of a digest of a parsed head."""
    return _form(head.chunked, head.headers)


def form_of_bytes(head: bytes, *, chunked: bool) -> int:
    """The same number from the bytes of a head that was accepted."""
    values: dict[str, str] = {}
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        name = name.lower()
        if colon and "_" not in name:
            value = value.strip(" \t")
            joint = "; " if name == "cookie" else ","
            values[name] = f"{values[name]}{joint}{value}" if name in values else value
    return _form(chunked, [Pair(*item) for item in sorted(values.items())])


def _form(chunked: bool, headers: Iterable[Pair]) -> int:
    lines = [
        f"{name}:{len(value) if is_secret(name) else value}" for name, value in headers if name != "host"
    ]
    text = "\n".join([str(chunked), *lines]).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big", signed=True)
