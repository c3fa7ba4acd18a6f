"""The first inputs: heads, chunked bodies and forms of the recorded requests, and those of other tests."""

import random
from collections.abc import Iterator

from clients.comparison.cases import load_cases
from servers.contract.request import RequestHead
from tests.both_parsers.forms import ACCEPTED, REFUSED
from tests.head_lines import some_chunks, some_head
from tests.parsers import LIMITS, sized_head_of_sansio

from .targets import Target

_GENERATED = 2000


def seeds_of(target: Target) -> list[bytes]:
    """Inputs of any length. The same ones each time."""
    return [
        bytes([*b"0123456789abcdefghijklmnopqrstuvwxyz"[number % 36 :][:1], *mode]) + data
        for number, (mode, data) in enumerate(_SEEDS[target.name]())
    ]


def _heads() -> Iterator[tuple[bytes, bytes]]:
    for case in load_cases():
        end = case.request.find(b"\r\n\r\n") + 4
        yield b"0", case.request[:end] + b"body" if end >= 4 else case.request
    rng = random.Random(0)
    for _ in range(_GENERATED):
        yield b"1", some_head(rng)


def _bodies() -> Iterator[tuple[RequestHead, bytes]]:
    for case in load_cases():
        head, size = sized_head_of_sansio([case.request], LIMITS)
        if isinstance(head, RequestHead):
            yield head, case.request[size:]


def _chunks() -> Iterator[tuple[bytes, bytes]]:
    for head, body in _bodies():
        if head.chunked:
            yield b"0" if head.field("content-type") is None else b"2", body
    rng = random.Random(0)
    for _ in range(_GENERATED):
        yield b"1", some_chunks(rng)


def _multipart() -> Iterator[tuple[bytes, bytes]]:
    for head, body in _bodies():
        media_type = head.field("content-type")
        if media_type is not None and not head.chunked:
            yield b"2", media_type.encode("iso-8859-1") + b"\r\n" + body
    for _, body, _ in (*ACCEPTED, *REFUSED):
        yield b"0", body
        yield b"1", body


_SEEDS = {"heads": _heads, "chunks": _chunks, "multipart": _multipart}
