"""Digests that say whether two requests are the same, although two servers have different ports.

    head_digest    the bytes of the head, without the value of Host and without credentials
    digest         the head like this, and the bytes behind it
    form_digest    the parsed head: all that a backend knows of it that cannot see the wire
    body_digest    the decoded body

Of a body of more than 64 KiB, samples are digested. All are numbers of 64 bits.
"""

import hashlib
import re

from ..contract.request import RequestHead
from .redaction import is_secret
from .run import Run

_HOST = re.compile(rb"(?i)(\r\nhost[ \t]*:)[^\r\n]*")
_AUTHORITY = re.compile(rb"\A([^ ]* )[a-z]+://[^/? ]*", re.IGNORECASE)


def without_host(head: bytes) -> bytes:
    """The head without the value of its first Host, and without the authority of an absolute target."""
    begin = head.find(b"\r\nHost:")
    if begin < 0:
        head = _HOST.sub(rb"\1", head, count=1)
    else:
        end = head.find(b"\r\n", begin + 7)
        head = head[: begin + 7] + head[end:] if end >= 0 else head
    return _AUTHORITY.sub(rb"\1", head) if b"://" in head[: head.find(b"\r\n")] else head


def wire_digests(run: Run, kept: bytes) -> tuple[int, int]:
    """The digest and the head_digest of a request whose first bytes, redacted, are `kept`."""
    assert run.wire is not None
    end = run.wire.head or _first_line(kept)
    state = hashlib.sha256(without_host(kept[:end]))
    head_digest = number(state.digest())
    state.update(kept[end:])
    if run.wire.total > len(kept) and run.sample is not None:
        state.update(b"%d " % run.wire.total + run.sample.digest())
    return number(state.digest()), head_digest


def form_digest(head: RequestHead) -> int:
    """The form_digest."""
    lines = [f"{head.method} {head.target} {head.chunked}"]
    lines += [
        f"{name}:{len(value) if is_secret(name) else value}" for name, value in head.headers if name != "host"
    ]
    return number(hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).digest())


def body_digest(run: Run, body: bytes) -> int:
    """The body_digest; `body` is the whole body if there is no sample of it."""
    digest = hashlib.sha256(body).digest() if run.sample is None else run.sample.digest()
    return number(digest) ^ run.size


def number(digest: bytes) -> int:
    """The first 64 bits, as SQLite stores them."""
    return int.from_bytes(digest[:8], "big", signed=True)


def hexadecimal(value: int | None) -> str | None:
    """The 16 digits of such a number."""
    return None if value is None else f"{value & (1 << 64) - 1:016x}"


def _first_line(kept: bytes) -> int:
    return kept.find(b"\n") + 1 or len(kept)
