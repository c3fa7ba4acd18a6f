"""Requests to named routes (contract section 2): rules S1 to S12 and W."""

import hashlib
import re
from functools import cache

from ..comparison.cases import SAMPLE_FILES
from . import resumable_grammar
from .draft import Draft, Place, Production, Rng, fault, fill, valid

STORED = ("a.txt", "empty.bin")
"""Sample files that every backend has stored before the run. `<NAME>` in a sample stands for the hash."""

# `<NAME>` in a sample stands for one of these values, which may hold others.
_MALFORMED_TAGS = (
    *(b"W/*", b"@w", b"@w, *", b"*, *", b'"@w", *', b"w/<tag>", b"W/ <tag>", b"<a.txt>", b"<tag> <tag>"),
    *(b"<tag>;", b'"<a.txt>', b'"@w @w", <tag>', b"<tag>, @w", b"'@w'", b'"@w""@w"'),
)
_MATCHING_TAGS = (
    *(b"*", b"<tag>", b'"@w", <tag>', b'<tag>@S,@S"@w"', b", ,<tag>,,", b'"a,b",<tag>', b'"@w\\",<tag>'),
    *(b'"\xe9\xff",<tag>', b'"", W/"@w",@S<tag>', b"<tag>,<tag>"),
)
_OTHER_TAGS = (b'"@w"', b"W/<tag>", b'"a,*,b"', b'"*"', b'W/"*"', b"", b",", b"@S,@S,", b'"@w", "@w"')
_VALUES = {
    "tag": (b'"<a.txt>"',),
    "fulfilled": _MATCHING_TAGS + _MALFORMED_TAGS,
    "failed": _OTHER_TAGS,
    "tags": _MATCHING_TAGS + _MALFORMED_TAGS + _OTHER_TAGS,
    "if-range": (
        *(b"<tag>", b"W/<tag>", b'"@w"', b"*", b"", b"<tag>,", b"<a.txt>"),
        b"Wed, 21 Oct 2015 07:28:00 GMT",
    ),
    "range": (
        *(b"bytes=0-", b"bytes=0-0", b"bytes=7-", b"bytes=2-3", b"bytes=-1", b"bytes=-9@n", b"Bytes=@S1-2@S"),
        *(b"bytes=0-1,3-4", b"bytes=", b"bytes=-", b"bytes=5-3", b"bytes=@w-", b"@w=0-1", b"bytes 0-1", b""),
        *(b"bytes=0 - 1", b"bytes=0x1-", b"bytes=1_0-", b"bytes=+1-2", b"bytes=0-9999999999999999999"),
    ),
    "outside": (b"bytes=999999-", b"bytes=9999-9999@n", b"bytes=-0", b"bytes=23-"),
    "content-range": (
        b"bytes 0-3/10",
        b"bytes 6-9/*",
        b"bytes */10",
        b"bytes=0-3",
        b"@w",
        b"",
        b"bytes 0-0/1",
    ),
    "name": (
        *(
            b"@w",
            b"@w%20@w",
            b"%C3%A9@w",
            b"a%22%3bb",
            b"..",
            b"a%2F@w",
            b"100%25",
            b"%f0%9f%99%82",
            b"%C2%85",
        ),
        *(b'"@w"', b"a;b=c,d", b"a\\b", b"%zz", b"*'()", b"@w?@w=@n"),
    ),
    "form": (b"multipart/form-data", b"Multipart/Form-Data;boundary=b", b"multipart/form-data; boundary="),
}
_VALUE = re.compile(b"<([a-z.-]+)>")

_FILE, _EMPTY = b"/files/<a.txt>", b"/files/<empty.bin>"
_GET, _HEAD, _GET_EMPTY, _NAMED = (
    b"GET " + _FILE,
    b"HEAD " + _FILE,
    b"GET " + _EMPTY,
    b"GET " + _FILE + b"/<name>",
)
_RANGE = b"\nRange: <range>"
_OCTETS = b"\nContent-Type: application/octet-stream"

# METHOD SP target, then field lines, then an empty line and a body, if there is one. It is JSON if no field
# line says something else.
ACCEPTED = (
    valid("S6", _GET, _HEAD + _RANGE, _GET_EMPTY + b"\nRange: x=0-1"),
    valid("S6", _GET + _RANGE, _GET + _RANGE + b"\nIf-Range: <if-range>"),
    valid("S6", _GET + b'\nRange: <outside>\nIf-Range: W/"@w"'),
    valid("S6", _NAMED, _NAMED + _RANGE, _HEAD + b"/<name>", _NAMED + b"\nIf-None-Match: <tags>"),
    valid("W3", _GET + b"\nIf-Match: <fulfilled>", _HEAD + b"\nIf-Match: <fulfilled>\nIf-None-Match: <tags>"),
    valid("W3", _GET + b"\nIf-Match: <fulfilled>\nIf-None-Match: <tags>\nIf-Range: <if-range>" + _RANGE),
    valid("W3", _GET + b"\nIf-Modified-Since: <if-range>\nIf-Unmodified-Since: <if-range>"),
    valid(
        "W4", _GET + b"\nIf-None-Match: <tags>", _NAMED + b"\nIf-None-Match: <tags>\nIf-None-Match: <tags>"
    ),
    valid("W4", _GET + b"\nIf-None-Match: *\nRange: <outside>"),
    valid("W5", _GET_EMPTY + b"\nRange: bytes=-1@n", _GET_EMPTY + b"\nRange: bytes=-1\nIf-Range: <if-range>"),
    valid("W1", b"POST /upload/\nContent-Range: <content-range>" + _OCTETS + b"\n\n@o"),
    valid("W1", b"PUT /@w\nContent-Range: <content-range>" + _OCTETS + b"\n\n@o"),
    valid("W2", b"PUT /upload/<name>\nContent-Type: multipart/mixed; boundary=b\n\n--b--"),
    valid(
        "W7",
        b"OPTIONS /upload/",
        b"OPTIONS /upload/<name>\nContent-Range: <content-range>",
        b"OPTIONS " + _FILE,
    ),
    valid(
        "W7", b"OPTIONS /v1/models/<name>", b"OPTIONS /healthz\n\n[]", b"OPTIONS /stream_echo", b"OPTIONS /@w"
    ),
    valid(
        "S7 S10",
        b'POST /stream_echo\n\n{"query":"@w","delay":0}',
        b'POST /stream_echo\n\n{"delay":0,"query":"\\u00e9"}',
    ),
    valid("W8", b"GET /\nAccept: text/html,*/*;q=0.8", b"HEAD /\nAccept: text/html;q=0.2", b"GET /ui"),
    valid(
        "W8",
        b"GET /\nAccept: text/html;q=0.1, application/json",
        b"POST /\nAccept: text/html\nContent-Type: text/plain\n\n@w",
    ),
    valid("S12", b"GET " + _FILE, b"HEAD " + _FILE),
    valid("W9", b"GET /healthz\nOrigin: http://localhost:8000", b"GET " + _FILE + b"\nOrigin: null"),
    valid("S11", b"GET /healthz", b"HEAD /healthz", b"GET /problems/bad_host", b"GET /v1/models"),
    valid("S11", b"GET /v1/models/echo", b"HEAD /v1/models/%65cho"),
    valid(
        "S7 S11",
        b'POST /v1/chat/completions\n\n{"model":"@w","messages":[{"role":"user","content":"@w @w"}]}',
        b'POST /v1/chat/completions\n\n{"model":"m","stream":true,"messages":[{"role":"user","content":""}]}',
        b'POST /v1/chat/completions\n\n{"model":"m","messages":[{"role":"@w","content":"@w"}]}',
        b'POST /v1/chat/completions\n\n{"model":"m","stream":true,"delay":0,"messages":[{"role":"@w"}]}',
    ),
)
REFUSED = (
    fault("S6", _GET + b"\nRange: <outside>", _NAMED + b"\nIf-Match: <fulfilled>\nRange: <outside>"),
    fault("S6", _GET + b"\nRange: <outside>\nIf-Range: <tag>"),
    fault(
        "W3",
        _GET + b"\nIf-Match: <failed>",
        _HEAD + b"\nIf-Match: <failed>",
        _NAMED + b"\nIf-Match: <failed>",
    ),
    fault(
        "W3", _GET + b"\nIf-Match: <failed>\nIf-None-Match: <tags>", _GET + b"\nIf-Match: <failed>" + _RANGE
    ),
    fault("W5", _GET_EMPTY + b"\nRange: bytes=-0", _GET_EMPTY + b"\nRange: bytes=0-0"),
    fault("W1", b"PUT /upload/<name>\nContent-Range: <content-range>" + _OCTETS + b"\n\n@o"),
    fault("W1", b"PUT /upload/\nContent-Range: <content-range>\n\n[]", b"PUT /upload/@w\nContent-Range: @w"),
    fault(
        "W2", b"PUT /upload/<name>\nContent-Type: <form>\n\n--b--", b"PUT /upload/@w\nContent-Type: <form>"
    ),
    fault(
        "S3",
        b"GET /problems/@w",
        b"GET /metrics",
        b"GET /files/0",
        b"POST /upload/a/b",
        b"PATCH /v1/x/y",
        b"GET /v1/models/@w",
    ),
    fault("W7", b"OPTIONS /upload/@w/@w", b"OPTIONS /files/", b"OPTIONS /v1/", b"OPTIONS /healthz\n\n{"),
    fault(
        "S4",
        b"POST /healthz",
        b"POST /metrics",
        b"DELETE " + _FILE,
        b"GET /stream_echo",
        b"HEAD /upload/",
        b"PUT /v1/models",
    ),
    fault(
        "S3",
        b'POST /stream_echo\n\n{"delay":0}',
        b"POST /stream_echo\n\n[]",
        b'POST /v1/chat/completions\n\n{"model":1}',
        b'POST /v1/chat/completions\n\n{"model":"m","delay":-1,"messages":[{"role":"user"}]}',
    ),
    fault("S3", _GET + b"\nHost: evil.example"),
)


@cache
def _hash(name: str) -> bytes:
    return hashlib.sha256((SAMPLE_FILES / name).read_bytes()).hexdigest().encode()


def _expanded(text: bytes, rng: Rng) -> bytes:
    """The text with every `<NAME>` replaced: by the hash of a file, or by one of the values."""

    def replacement(match: re.Match[bytes]) -> bytes:
        name = match[1].decode()
        return _hash(name) if name in STORED else _expanded(rng.choice(_VALUES[name]), rng)

    return _VALUE.sub(replacement, text)


def place_route(draft: Draft, rng: Rng, production: Production) -> None:
    """A whole request as written in the table. Raises OSError when a stored sample file cannot be read."""
    text = fill(_expanded(draft.use(production, rng), rng), rng)
    head, _, draft.body = text.partition(b"\n\n")
    line, *fields = head.split(b"\n")
    draft.method, _, draft.target = line.partition(b" ")
    draft.content_type = b"application/json" if draft.body else None
    draft.lines = []
    for field in fields:
        name, _, value = field.partition(b": ")
        if name == b"Host":
            draft.host = value
        elif name == b"Content-Type":
            draft.content_type = value
        else:
            draft.lines.append(field)
    if draft.method == b"HEAD":
        draft.covers("S1")


ROUTES = ACCEPTED + resumable_grammar.ACCEPTED
ROUTE_FAULTS: tuple[tuple[Place, tuple[Production, ...]], ...] = (
    (place_route, REFUSED + resumable_grammar.REFUSED),
)
