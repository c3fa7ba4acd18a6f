"""Mutations of bodies before they are framed and of whole requests, and where a request is split."""

import itertools
import re

from .draft import Rng

_HEAD_TOKENS = (
    *(
        b"\r",
        b"\n",
        b"\r\n",
        b" ",
        b"\t",
        b":",
        b"\x00",
        b"\xff",
        b"_",
        b",",
        b";",
        b"=",
        b'"',
        b"%",
        b"\r\n ",
    ),
    *(
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Host: h\r\n",
        b"Expect: x\r\n",
        b"X:\r\n",
    ),
)
_BODY_TOKENS = (
    *(
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b"-",
        b"--",
        b" ",
        b"\t",
        b'"',
        b"\\",
        b";",
        b"=",
        b":",
        b"%",
        b"%22",
    ),
    *(
        b"\x00",
        b"\xff",
        b"\xc3\xa9",
        b"&",
        b"+",
        b"*",
        b"'",
        b"{",
        b"[",
        b"]",
        b"}",
        b",",
        b"e",
        b"0",
        b"\x7f",
    ),
    *(
        b"Content-Type: text/plain\r\n",
        b"filename*=utf-8''a",
        b'; filename="a"',
        b"Content-Disposition: form-data; name=z\r\n",
    ),
)
_BOUNDARY = re.compile(rb'boundary="?([^";,\r\n]{1,70})', re.IGNORECASE)
_LENGTH = re.compile(rb"^(content-length:[ \t]*)([0-9]+)(?=[ \t]*\r\n)", re.IGNORECASE | re.MULTILINE)


def boundary_of(head: bytes) -> bytes | None:
    """The boundary that a head seems to name. It is for mutations; it is not parsed by the rules."""
    match = _BOUNDARY.search(head)
    return match[1] if match else None


def mutate_body(body: bytes, rng: Rng, boundary: bytes | None) -> bytes:
    """The decoded body with 1 to 3 mutations, most often of delimiters."""
    tokens: tuple[bytes, ...] = _BODY_TOKENS
    if boundary is not None:
        delimiter = b"--" + boundary
        tokens = (
            *tokens,
            *(delimiter, b"\r\n" + delimiter, delimiter + b"\r\n", delimiter + b"--") * 3,
            boundary,
        )
    for _ in range(rng.choice((1, 1, 2, 3))):
        body = _mutate(body, rng, tokens)
    return body


def mutate_request(request: bytes, rng: Rng) -> bytes:
    """A whole request with 1 to 3 mutations; a correct Content-Length mostly stays correct."""
    head, blank, body = request.partition(b"\r\n\r\n")
    consistent = has_length_of(request)
    in_head = rng.random() < (0.4 if body else 1)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if in_head:
            head = _mutate_head(head, rng)
        else:
            body = mutate_body(body, rng, boundary_of(head))
    if consistent and rng.random() < 0.9:
        head = _LENGTH.sub(rb"\g<1>%d" % len(body), head + b"\r\n").removesuffix(b"\r\n")
    return head + blank + body


def has_length_of(request: bytes) -> bool:
    """Whether there is one Content-Length, and it is that of the body."""
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = _LENGTH.findall(head + b"\r\n")
    return len(lengths) == 1 and int(lengths[0][1][:18]) == len(body)


def with_length(request: bytes) -> bytes:
    """The request with its Content-Length set to the length of its body."""
    head, blank, body = request.partition(b"\r\n\r\n")
    return _LENGTH.sub(rb"\g<1>%d" % len(body), head + b"\r\n").removesuffix(b"\r\n") + blank + body


def split_offsets(request: bytes, rng: Rng) -> tuple[int, ...]:
    """Where a request is split into segments: 1 to 4 offsets, half of them near a line end or dash (M89)."""
    if len(request) < 2:
        return ()
    places = [match.start() for match in itertools.islice(re.finditer(rb"[\n-]", request), 400)]
    chosen = set()
    for _ in range(rng.randint(1, 4)):
        near = rng.choice(places) if places and rng.random() < 0.5 else rng.randrange(len(request))
        chosen.add(min(max(near + rng.randint(-2, 2), 1), len(request) - 1))
    return tuple(sorted(chosen))


def _mutate_head(head: bytes, rng: Rng) -> bytes:
    if rng.random() < 0.5:
        return _mutate(head, rng, _HEAD_TOKENS)
    lines = head.split(b"\r\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    operation = rng.randrange(4)
    if operation == 0:
        del lines[at]
    elif operation == 1:
        lines.insert(other, lines[at])
    elif operation == 2:
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines[at] = _mutate(lines[at], rng, _HEAD_TOKENS)
    return b"\r\n".join(lines)


def _mutate(data: bytes, rng: Rng, tokens: tuple[bytes, ...]) -> bytes:
    at = rng.randint(0, len(data))
    end = min(len(data), at + rng.choice((1, 1, 1, 2, 4, rng.randint(1, 64))))
    operation = rng.randrange(8)
    if operation <= 2:
        return data[:at] + rng.choice(tokens) + data[at:]
    if operation == 3:
        return data[:at] + data[end:]
    if operation == 4:
        return data[:at] + rng.choice(tokens) + data[end:]
    if operation == 5:  # repeat a piece, here or elsewhere
        to = rng.choice((end, rng.randint(0, len(data))))
        return data[:to] + data[at:end] + data[to:]
    if operation == 6:
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    return data[:at] if rng.random() < 0.3 else data[:at] + data[at + 1 :]
