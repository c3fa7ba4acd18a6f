"""What clients do with connections: reset, pipeline, never read, stall, and be greedy (H008 to H063)."""

import itertools
import random
import select
import socket
import struct
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from clients.http1.response_parser import read_responses
from tests.advisories.assertions import Accepted, Refused, Rejected, accepted, intact, refused
from tests.advisories.attacks import Attack, each
from tests.advisories.measures import MIB, Memory, cpu, descriptors
from tests.advisories.messages import HOST, OPAQUE, chunked, chunks, file, form, get, post, sized
from tests.advisories.target import TOKEN, Target
from tests.patience import eventually, patient

_SMUGGLED = get(b"/__smuggled")
_NOW = struct.pack("ii", 1, 0)
# A spinning loop uses a second of CPU a second.
_SPIN = 0.5
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def _reset(connection: socket.socket) -> None:
    """Close with a RST in place of a FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOW)
    connection.close()


def _rest_is_quiet(target: Target, before: int) -> None:
    """All descriptors are closed, and no process is busy."""
    assert eventually(lambda: descriptors(target.pid) <= before), f"{descriptors(target.pid)}, not {before}"
    used = cpu(target.pid)
    time.sleep(1.0)
    assert cpu(target.pid) - used <= _SPIN, "the server is busy with nothing"


def _warm(target: Target) -> int:
    """The number of descriptors once every process has served."""
    for _ in range(8):
        accepted(target, get())
    return descriptors(target.pid)


def reset_at_once(target: Target) -> None:
    """H008: connections that are reset before a byte."""
    before = _warm(target)
    for _ in range(500):
        _reset(target.connect())
    _rest_is_quiet(target, before)


def leave_while_answered(target: Target) -> None:
    """H009: clients that close while a large answer is on its way."""
    content = bytes(range(256)) * (4 * MIB // 256)
    stored = accepted(target, form(file(b"f", b"big", content)))
    request = get(stored.json()["files"][0]["href"].encode())
    before = _warm(target)
    for count in range(100):
        with target.connect() as connection:
            connection.sendall(request)
            connection.recv(1024)
            if count % 2:
                _reset(connection)
    _rest_is_quiet(target, before)
    intact(target, stored, content)


def pipelined(target: Target) -> None:
    """H051: two POSTs and a GET in one go, cut at random: three answers, in order."""
    requests = [
        chunked(chunks(b"one", b"two"), b"/first"),
        sized(b"/second", b"three", OPAQUE),
        get(b"/third"),
    ]
    rng = random.Random(51)
    whole = b"".join(requests)
    for _ in range(20):
        cuts = sorted(rng.sample(range(1, len(whole)), 8))
        pieces = [whole[start:end] for start, end in itertools.pairwise((0, *cuts, len(whole)))]
        reply = target.talk(pieces, expected=3, half_close=True)
        assert not reply.fault, reply.fault
        targets = [response.json()["target"] for response in reply.responses]
        assert targets == ["/first", "/second", "/third"]


def never_read(target: Target) -> None:
    """H052: a client pipelines requests and reads no response: the server stops reading."""
    accepted(target, get())
    memory = Memory(target.pid)
    data = get(b"/", *[b"A: " + b"a" * 4000] * 2) * 32
    flood = memoryview(data * (48 * MIB // len(data)))
    with target.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        sent = 0
        while sent < len(flood) and select.select([], [connection], [], 1.0)[1]:
            sent += connection.send(flood[sent : sent + MIB])
        assert sent < len(flood) // 2, f"{sent} bytes were taken from a client that reads nothing"
        assert memory.growth() <= 32, f"grew by {memory.growth():.1f} MiB"
        _reset(connection)


def greedy(target: Target) -> None:
    """H060: many connections with requests back to back; `alive` asserts that others are served."""
    batch = get() * 60
    with ThreadPoolExecutor(32) as pool:
        talks = [pool.submit(target.talk, batch, expected=60, half_close=True) for _ in range(32)]
        for each_talk in talks:
            reply = each_talk.result()
            assert len(reply.responses) == 60, f"{len(reply.responses)} answers ({reply.fault})"


def stalled_heads(target: Target) -> None:
    """H061: the first 1 to 23 bytes of HTTP/2's preface, or of TLS; nothing follows."""
    beginnings = [_PREFACE[:length] for length in range(1, len(_PREFACE))] + [b"\x16", b"\x16\x03\x01"]
    _closed_in_time(target, [(target.connect(), beginning, b"") for beginning in beginnings])


def slow_heads(target: Target) -> None:
    """H063: a hundred and fifty clients that send one byte of a field now and then."""
    _closed_in_time(target, [(target.connect(), get()[:-2], b"a") for _ in range(150)])


def _closed_in_time(target: Target, clients: list[tuple[socket.socket, bytes, bytes]]) -> None:
    """Every client sends its beginning, then one `drip` after the other; each is refused and closed."""
    waiting = {}
    for connection, beginning, drip in clients:
        connection.sendall(beginning)
        waiting[connection] = (drip, bytearray())
    deadline = time.monotonic() + patient(9.0)  # the server's own time-out is two seconds
    while waiting and time.monotonic() < deadline:
        for connection in select.select(list(waiting), [], [], 0.2)[0]:
            try:
                data = connection.recv(4096)
            except ConnectionResetError:
                data = b""
            waiting[connection][1].extend(data)
            if not data:
                _is_a_refusal(bytes(waiting.pop(connection)[1]))
                connection.close()
        for connection, (drip, _) in waiting.items():
            if drip:
                _drip(connection, drip)
    left = len(waiting)
    for connection in waiting:
        connection.close()
    assert not left, f"{left} of {len(clients)} connections are still open"


def _drip(connection: socket.socket, drip: bytes) -> None:
    try:
        connection.sendall(drip)
    except OSError:
        return  # closed by the server: its end is read next


def _is_a_refusal(received: bytes) -> None:
    if received:  # a reset may take the answer away
        response = read_responses(received, (b"GET",), ended=True).complete[0]
        assert response.json()["code"] in ("request_timeout", "request_line"), received


def one_byte_segments(target: Target) -> None:
    """H062, as far as it is not TLS: a body that comes in records of one byte."""
    content = random.Random(62).randbytes(2000)
    request = form(file(b"f", b"a.bin", content))
    pieces = [request[at : at + 1] for at in range(len(request))]
    intact(target, target.talk(pieces, half_close=True).only(), content)


def _early_answers() -> Iterable[Attack]:
    """H050: the body of a request that is refused on its head holds another request."""
    cases = {
        "404": (b"/files/none", 404, "not_found", "disk", b"/page", 1),
        "405": (b"/healthz", 405, "method_not_allowed", "disk", b"/page", 1),
        "401": (b"/upload/", 401, "token_required", "token", b"", 2),
    }
    for name, (target, status, code, variant, twin, tier) in cases.items():
        auth = (b"Authorization: Bearer " + TOKEN.encode(),)
        good = sized(twin or target, _SMUGGLED, OPAQUE, *(() if twin else auth))
        check = Refused(sized(target, _SMUGGLED, OPAQUE), status, code, good)
        if target == b"/files/none":
            check = Refused(sized(b"/upload/a/b", _SMUGGLED, OPAQUE), status, code, good)
        yield Attack("H050", name, check, tier, variant)
    large = _SMUGGLED + b"x" * MIB
    over = Refused(sized(b"/page", large, OPAQUE), 413, "body_too_large", sized(b"/page", _SMUGGLED, OPAQUE))
    yield Attack("H050", "413", over, variant="small")


class _FinalWithout100:
    """H055: the final answer comes at once, without a 100, and the connection ends: no body was sent."""

    def __init__(self, request: bytes, status: int, code: str) -> None:
        self._request = request
        self._status = status
        self._code = code

    def __call__(self, target: Target) -> None:
        reply = target.talk(self._request)
        refused(reply.only(), self._status, self._code)
        assert reply.continues == 0
        assert reply.ended


def answers_100(target: Target) -> None:
    """The twin of H055: the 100 comes before the body is sent."""
    content = b"after the 100"
    request = form(file(b"f", b"a", content), target=b"/upload/")
    head_bytes, _, body = request.replace(HOST, HOST + b"\r\nExpect: 100-continue").partition(b"\r\n\r\n")
    with target.connect() as connection:
        connection.sendall(head_bytes + b"\r\n\r\n")
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        received = b""
        while not read_responses(received, (b"POST",), ended=False).complete:
            received += connection.recv(4096)
    intact(target, read_responses(received, (b"POST",), ended=False).complete[0], content)


def _expectations() -> Iterable[Attack]:
    over = post(b"/page", b"Expect: 100-continue", b"Content-Length: %d" % (2 * MIB))
    yield Attack("H055", "over-limit", _FinalWithout100(over, 413, "body_too_large"), variant="small")
    unauthorized = post(b"/upload/", b"Expect: 100-continue", b"Content-Length: 5")
    yield Attack("H055", "no-token", _FinalWithout100(unauthorized, 401, "token_required"), variant="token")
    unknown = post(b"/page", b"Expect: foo", b"Content-Length: 5", body=b"AAAAA")
    twin = sized(b"/page", b"AAAAA")
    yield Attack("H055", "unknown", Rejected(unknown, 417, "expectation_failed", twin), tier=1)
    yield Attack("H055", "100-then-body", answers_100)


def _upgrades() -> Iterable[Attack]:
    see = {"body": {"size": 5}, "text": "AAAAA", "target": "/page"}
    fields = {
        "websocket": (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"),
        "h2c": (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"),
        "settings-alone": (b"HTTP2-Settings: AAMAAABk",),
    }
    checks = {name: Accepted(sized(b"/page", b"AAAAA", *lines), see) for name, lines in fields.items()}
    return each("H053", checks, tier=1)


def understated_length(target: Target) -> None:
    """H104: more bytes than Content-Length says are read as the next request."""
    request = post(b"/page", OPAQUE, b"Content-Length: 5", body=b"AAAAABBBBB\r\n\r\n")
    reply = target.talk(request, expected=2)
    first, second = reply.responses
    assert first.json()["body"]["size"] == 5
    refused(second, 400, "request_line")
    assert reply.ended


CONNECTIONS: tuple[Attack, ...] = (
    Attack("H008", "reset", reset_at_once),
    Attack("H009", "leave", leave_while_answered),
    *_early_answers(),
    Attack("H051", "random-cuts", pipelined),
    Attack("H052", "never-read", never_read, variant="memory"),
    *_upgrades(),
    *_expectations(),
    Attack("H060", "greedy", greedy),
    Attack("H061", "stalled", stalled_heads, variant="small"),
    Attack("H062", "one-byte-segments", one_byte_segments),
    Attack("H063", "slow-heads", slow_heads, variant="small"),
    Attack("H104", "understated", understated_length),
)
