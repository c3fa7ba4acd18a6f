"""Requests to named routes (contract section 2) whose responses do not describe the request: rules S."""

import hashlib
from functools import cache

from ..comparison.cases import SAMPLE_FILES
from .draft import Draft, Place, Production, Rng, fault, valid

STORED = ("a.txt", "empty.bin")
"""Sample files that every backend has stored before the run. `<NAME>` in a sample stands for the hash."""

_FILE, _EMPTY = b"/files/<a.txt>", b"/files/<empty.bin>"
_ETAG = b'"<a.txt>"'

# METHOD SP target, then field lines, then an empty line and a JSON body, if there is one.
ACCEPTED = (
    valid(
        "S6", b"GET " + _FILE, b"HEAD " + _FILE + b"\nRange: bytes=0-3", b"GET " + _EMPTY + b"\nRange: x=0-1"
    ),
    valid(
        "S6",
        b"GET " + _FILE + b"\nRange: bytes=7-",
        b"GET " + _FILE + b"\nRange: bytes=-1@n\nIf-Range: " + _ETAG,
    ),
    valid("S6", b"GET " + _FILE + b"\nIf-None-Match: W/" + _ETAG, b"GET " + _FILE + b"\nIf-None-Match: *, x"),
    valid("S6", b"GET " + _FILE + b"\nRange: bytes=0-1,3-4", b"GET " + _FILE + b"\nRange: bytes=9-99@n"),
    valid(
        "S7 S10",
        b'POST /stream_echo\n\n{"query":"@w","delay":0}',
        b'POST /stream_echo\n\n{"delay":0,"query":"\\u00e9"}',
    ),
    valid("S11", b"GET /healthz", b"HEAD /healthz", b"GET /problems/bad_host", b"GET /v1/models"),
    valid(
        "S7 S11",
        b'POST /v1/chat/completions\n\n{"model":"@w","messages":[{"role":"user","content":"@w @w"}]}',
        b'POST /v1/chat/completions\n\n{"model":"m","stream":true,"messages":[{"role":"user","content":""}]}',
    ),
)
REFUSED = (
    fault("S6", b"GET " + _FILE + b"\nRange: bytes=999999-", b"GET " + _EMPTY + b"\nRange: bytes=0-0"),
    fault("S3", b"GET /problems/@w", b"GET /files/0", b"POST /upload/a/b", b"PATCH /v1/x/y"),
    fault(
        "S4",
        b"POST /healthz",
        b"DELETE " + _FILE,
        b"GET /stream_echo",
        b"HEAD /upload/",
        b"OPTIONS /v1/models",
    ),
    fault(
        "S3",
        b'POST /stream_echo\n\n{"delay":0}',
        b"POST /stream_echo\n\n[]",
        b'POST /v1/chat/completions\n\n{"model":1}',
    ),
    fault("S3", b"GET " + _FILE + b"\nHost: evil.example"),
)


@cache
def _hash(name: str) -> bytes:
    return hashlib.sha256((SAMPLE_FILES / name).read_bytes()).hexdigest().encode()


def place_route(draft: Draft, rng: Rng, production: Production) -> None:
    """A whole request as written in the table. Raises OSError when a stored sample file cannot be read."""
    text = draft.use(production, rng)
    for name in STORED:
        text = text.replace(b"<%s>" % name.encode(), _hash(name))
    head, _, draft.body = text.partition(b"\n\n")
    line, *fields = head.split(b"\n")
    draft.method, _, draft.target = line.partition(b" ")
    draft.content_type = b"application/json" if draft.body else None
    draft.host = next((field[6:] for field in fields if field.startswith(b"Host: ")), draft.host)
    draft.lines = [field for field in fields if not field.startswith(b"Host: ")]
    if draft.method == b"HEAD":
        draft.covers("S1")


ROUTE_FAULTS: tuple[tuple[Place, tuple[Production, ...]], ...] = ((place_route, REFUSED),)
