"""The structure of multipart bodies: parts, boundaries, delimiters, preamble and epilogue (H070 to H108)."""

import hashlib
import itertools
import random
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from tests.advisories.assertions import Accepted, Bounded, CutOff, Linear, Refused, Stored, accepted, differs
from tests.advisories.attacks import Attack, each, seen
from tests.advisories.measures import MIB
from tests.advisories.messages import file, form, multipart, post, raw_part, text, typed
from tests.advisories.target import Target

_GOOD = form(file(b"f", b"a", b"x"))
_FILE = file(b"f", b"a", b"x")
# What a body may hold next to a delimiter: ends of lines, dashes, and all but a delimiter.
_NEAR = (b"", b"\r", b"\n", b"\r\n", b"\r\n--", b"--", b"\r\n--B-", b"\n--B\r\n", b"x--B--", b"\r\n--Bx\r\n")
_TAILS = {"close": b"\r\n--B--\r\n", "next": b"\r\n--B\r\n", "padded": b"\r\n--B \t\r\n"}
_EDGE = 65_536


def _many_parts() -> Iterable[Attack]:
    for name, one in (("texts", text(b"a", b"1")), ("files", file(b"f", b"a", b"1"))):
        upload = partial(_parts, one)
        over = Refused(form(*[one] * 1001), 413, "too_many_parts", form(*[one] * 1000))
        yield Attack("H070", f"1001-{name}", over, tier=1, variant="memory" if name == "files" else "disk")
        cost = Linear(upload, 120, repeat=2)
        yield Attack("H070", f"cost-{name}", cost, variant="memory")
    flood = Bounded(lambda: _sized_stream(text(b"a", b"1") * 100, 1000), 24, 413, "too_many_parts")
    yield Attack("H070", "100000", flood)
    flood = Bounded(lambda: _sized_stream(text(b"a", b"1") * 1000, 1000), 24, 413, "too_many_parts")
    yield Attack("H070", "million", flood, soak=True)


def _parts(one: bytes, count: int) -> bytes:
    return form(*[one] * count, target=b"/page")


def _sized_stream(
    piece: bytes, count: int, begin: bytes = b"", target: bytes = b"/upload/"
) -> Iterator[bytes]:
    """A POST whose multipart body is `begin` and then `piece` again and again; it never closes."""
    length = b"Content-Length: %d" % (len(begin) + count * len(piece))
    yield post(target, b"Content-Type: multipart/form-data; boundary=B", length) + begin
    yield from itertools.repeat(piece, count)


def _line_ends() -> Iterable[Attack]:
    """H072: data that begin with a line end, or are nothing else."""
    contents: dict[str, Callable[[int], bytes]] = {
        "noise": random.Random(72).randbytes,
        "lf-first": lambda n: b"\n" + b"x" * n,
        "cr-first": lambda n: b"\r" + b"x" * n,
        "only-cr": lambda n: b"\r" * n,
        "only-crlf": lambda n: b"\r\n" * (n // 2),
        "only-dashes": lambda n: b"\r\n--" * (n // 4),
        "near-delimiters": lambda n: b"\r\n--B-" * (n // 6),
    }
    for name, content in contents.items():
        data = content(2 * MIB)
        yield Attack("H072", name, Stored(form(file(b"f", b"a", data)), (data,)))
        yield Attack("H072", f"cost-{name}", Linear(partial(_upload, content), MIB), variant="memory")


def _upload(content: Callable[[int], bytes], size: int) -> bytes:
    return form(file(b"f", b"a", content(size)), target=b"/page")


class _EveryAlignment:
    """H073: a delimiter at every place round a 64 KiB edge, of the body and of the whole request."""

    def __init__(self, tail: bytes) -> None:
        self._tail = tail

    def __call__(self, target: Target) -> None:
        first = file(b"f", b"a", b"")[:-2]
        for near, at in itertools.product(_NEAR[:4], range(len(self._tail) + 3)):
            for edge in (_EDGE, _EDGE - _head_size()):
                size = edge - len(first) - at - len(near)
                self._upload(target, b"x" * size + near)

    def _upload(self, target: Target, data: bytes) -> None:
        rest = b"" if b"--B--" in self._tail else _FILE.partition(b"\r\n")[2] + b"--B--\r\n"
        body = file(b"f", b"a", data)[:-2] + self._tail + rest
        response = accepted(target, typed(b"multipart/form-data; boundary=B", body, b"/page"))
        entry = response.json()["files"][0]
        sent = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        fault = differs(entry, sent)
        assert not fault, f"{len(data)} bytes: {fault}"


def _head_size() -> int:
    """The size of the head in front of a body of five digits."""
    return len(typed(b"multipart/form-data; boundary=B", b"x" * 10_000, b"/page")) - 10_000


def every_split(target: Target) -> None:
    """H073: a body with all that resembles a delimiter, sent in two pieces, cut at every third byte."""
    request = form(*(file(b"f", b"a", near) for near in _NEAR), target=b"/page")
    body_at = request.index(b"\r\n\r\n") + 4
    sizes = [len(near) for near in _NEAR]
    for cut in range(body_at + 1, len(request), 3):
        response = target.talk(_paused(request, cut), half_close=True).only()
        files = response.json()["files"]
        assert [entry["size"] for entry in files] == sizes, f"cut at {cut}"
        hashes = [hashlib.sha256(near).hexdigest() for near in _NEAR]
        assert [entry["sha256"] for entry in files] == hashes, f"cut at {cut}"


def _paused(request: bytes, cut: int) -> Iterator[bytes]:
    yield request[:cut]
    time.sleep(0.002)  # so that it is read before the rest is there
    yield request[cut:]


def _bounded(boundary: bytes, data: bytes, target: bytes = b"/page") -> bytes:
    """An upload of one file with that boundary."""
    body = multipart(file(b"f", b"a", b"\0data\0")).replace(b"--B", b"--" + boundary)
    body = body.replace(b"\0data\0", data)
    return typed(b"multipart/form-data; boundary=" + boundary, body, target)


class _BoundaryLengths:
    """H084: boundaries of these lengths, round data that hold the boundary but for its last byte."""

    def __init__(self, first: int, last: int) -> None:
        self._lengths = range(first, last + 1)

    def __call__(self, target: Target) -> None:
        for length in self._lengths:
            boundary = (b"boundary" * 40)[:length]
            data = (b"\r\n--" + boundary[:-1]) * (6000 // (length + 3))
            reply = target.talk(_bounded(boundary, data), half_close=True).only()
            if length > 70:
                assert (reply.status, reply.json()["code"]) == (400, "boundary_invalid"), length
                continue
            assert reply.status == 200, (length, reply.body)
            entry = reply.json()["files"][0]
            assert entry["sha256"] == hashlib.sha256(data).hexdigest(), length


def _boundaries() -> Iterable[Attack]:
    for length in (71, 252, 255, 256, 257, 300, 4091, 4096):
        check = Refused(_bounded(b"b" * length, b"x"), 400, "boundary_invalid", _bounded(b"b" * 70, b"x"))
        yield Attack("H084", f"boundary-{length}", check, tier=1)
    long = Refused(_bounded(b"b" * 8191, b"x"), 431, "headers_too_large", _bounded(b"b" * 70, b"x"))
    yield Attack("H084", "boundary-8191", long, tier=1)
    yield Attack("H084", "1-to-70", _BoundaryLengths(1, 70), tier=1)
    yield Attack("H084", "71-to-300", _BoundaryLengths(71, 300), tier=1)
    near = Linear(lambda n: _bounded(b"b" * 70, (b"\r\n--" + b"b" * 69) * n), 4000)
    yield Attack("H084", "cost", near, variant="memory")
    values = {
        "8-kib": (b"b" * 8000, "boundary_invalid"),
        "spaces": (b'"' + b" " * 70 + b'"', "boundary_invalid"),
        "quotes": (b'"' + b'\\"' * 35 + b'"', "boundary_invalid"),
        "8-kib-quoted": (b'"' + b" b" * 3900 + b'"', "boundary_invalid"),
        "unterminated": (b'"' + b'\\"' * 3900, "content_type_syntax"),
    }
    for name, (value, code) in values.items():
        yield Attack("H083", name, _with_parameters(b"boundary=" + value, code), tier=1)
    parameters = {
        "two": (b"boundary=B; boundary=C", "content_type_syntax"),
        "last": (b"boundary=C; boundary=B", "content_type_syntax"),
        "other-case": (b"boundary=B; Boundary=C", "content_type_syntax"),
        "equal": (b"boundary=B; boundary=B", "content_type_syntax"),
        "empty": (b"boundary=;", "boundary_missing"),
    }
    for name, (value, code) in parameters.items():
        yield Attack("H085", name, _with_parameters(value, code), tier=1)
    other = typed(b"multipart/form-data; boundary=B; x-boundary=C", multipart(_FILE), b"/upload/")
    yield seen("H085", "other-name", other, {"files": [{"name": "f", "filename": "a", "size": 1}]})


def _with_parameters(parameters: bytes, code: str) -> Refused:
    body = multipart(_FILE)
    return Refused(typed(b"multipart/form-data; " + parameters, body, b"/upload/"), 400, code, _GOOD)


def _before_and_after() -> Iterable[Attack]:
    def preamble(data: bytes) -> bytes:
        return form(data + b"\r\n" + _FILE, target=b"/page")

    full = Accepted(preamble(b"\r\n" * 63), {"files": [{"size": 1}]})
    yield Attack("H086", "empty-lines", full, tier=1)
    over = Refused(preamble(b"\r\n" * 64), 400, "multipart_preamble", _GOOD)
    yield Attack("H086", "over", over, tier=1)
    stream = Bounded(
        lambda: _sized_stream(b"\r\n" * 32_768, 384), 24, 400, "multipart_preamble", most=16 * MIB
    )
    yield Attack("H086", "stream", stream)

    def epilogue(data: bytes) -> bytes:
        return form(_FILE, target=b"/page", end=b"--B--\r\n" + data)

    over = Refused(epilogue(b"\r\n" * MIB), 400, "multipart_epilogue", _GOOD)
    yield Attack("H087", "crlf", over, tier=1)
    lines = partial(_sized_stream, b"\r\n" * 32_768, 512, multipart(_FILE), b"/page")
    stream = Bounded(lines, 24, 400, "multipart_epilogue")
    yield Attack("H087", "stream", stream)


def _cut_parts() -> Iterable[Attack]:
    inside = form(end=b'--B\r\nContent-Disposition: form-data; name="a"\r\n--B--\r\n')
    yield Attack("H093", "in-the-head", Refused(inside, 400, "multipart_truncated", _GOOD), tier=1)
    one = text(b"a", b"1")
    for count, code, status, cut in (
        (1001, "multipart_truncated", 400, -30),
        (1001, "too_many_parts", 413, -2),
        (1002, "too_many_parts", 413, -30),
        (1002, "too_many_parts", 413, -2),
    ):
        request = form(end=(one * count)[:cut])
        name = f"{count}-{'head' if cut == -30 else 'data'}"
        yield Attack("H094", name, Refused(request, status, code, form(*[one] * 1000)), tier=1)
    last = file(b"f", b"test.txt", b"ABC", b"Content-Type: text/plain")
    for name, first in (("file", b""), ("file-after-a-file", _FILE)):
        unclosed = Refused(form(first, end=last[:-2]), 400, "multipart_truncated", form(first, last))
        yield Attack("H094", name, unclosed, tier=1)
    blocks = {
        "leading-space": (b' Content-Disposition: form-data; name="a"\r\n', "part_header_syntax"),
        "no-fields": (b"", "part_headers_missing"),
    }
    for name, (block, code) in blocks.items():
        yield Attack("H095", name, Refused(form(raw_part(block, b"v")), 400, code, _GOOD), tier=1)
    whole = form(file(b"f", b"a", b"x" * 100), file(b"f", b"b", b"y" * 100))
    yield Attack("H095", "cut-in-the-message", CutOff(whole[:-20], "body_truncated", whole), tier=1)


def _padding() -> Iterable[Attack]:
    """H108: blanks behind a boundary belong to the delimiter; anything else makes it data."""
    data = b"a\r\n--Bx\r\nb\r\n--B -\r\nc\r\n--B\t" + b" " * 64 + b"\r\nd"
    body = multipart(file(b"f", b"a", data), file(b"g", b"b", b"e")).replace(b"--B\r\n", b"--B \t\r\n")
    request = typed(b"multipart/form-data; boundary=B", body, b"/upload/")
    yield Attack("H108", "padding", Stored(request, (data, b"e")), tier=1)


def _endless_parts_of_file() -> Iterable[bytes]:
    return _sized_stream(b"x" * 65_536, 512, file(b"f", b"a", b"")[:-2], b"/page")


MULTIPART: tuple[Attack, ...] = (
    *_many_parts(),
    *_line_ends(),
    *(Attack("H073", f"aligned-{name}", _EveryAlignment(tail), 1) for name, tail in _TAILS.items()),
    Attack("H073", "splits", every_split),
    *_boundaries(),
    *_before_and_after(),
    *_cut_parts(),
    *_padding(),
    *each("H074", {"file-never-ends": Bounded(_endless_parts_of_file, 24, 400, "multipart_truncated")}),
    *each(
        "H074",
        {
            "field-never-ends": Bounded(
                lambda: _sized_stream(b"x" * 65_536, 384, text(b"a", b"")[:-2]),
                24,
                413,
                "field_too_large",
                most=16 * MIB,
            )
        },
    ),
)
