"""In a flood some requests are not noted. Those that are noted are whole."""

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

from servers.contract.request_log import RequestLog
from servers.web.history import History
from servers.web.history_writer import HistoryWriter
from servers.web.recorder import Recorder
from tests.web.recording import KeepingWriter, record_into

REQUESTS = 60


def _request(number: int, chance: random.Random) -> bytes:
    """A request whose target is its number."""
    size = chance.choice((0, 1, 300, 5000))
    body = bytes(chance.choices(b"abcdefgh", k=size))
    if size and chance.random() < 0.3:
        head = f"POST /{number} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        return head.encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (size, body)
    return f"POST /{number} HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n".encode() + body


def _pieces(requests: list[bytes], chance: random.Random) -> Iterator[bytes]:
    """Reads that end at a request, in one, or behind its beginning."""
    data = b"".join(requests)
    edges = [sum(map(len, requests[:count])) for count in range(len(requests) + 1)]
    cuts = {edge for edge in edges if chance.random() < 0.7} | set(chance.choices(range(len(data)), k=20))
    cuts |= {0, len(data)}
    ordered = sorted(cuts)
    for begin, end in pairwise(ordered):
        yield data[begin:end]


@pytest.mark.parametrize("seed", range(40))
def test_of_each_request_that_is_noted_every_byte_is_kept(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    requests = [_request(number, chance) for number in range(REQUESTS)]
    keeping = KeepingWriter(chance.choices((True, False), k=REQUESTS))
    record_into(keeping, History(tmp_path, 10), _pieces(requests, chance))
    assert len(keeping.runs) + keeping.skipped == REQUESTS
    assert 0 < keeping.skipped < REQUESTS
    for run in keeping.runs:
        assert run.wire is not None
        assert run.head is not None
        number = int(run.head.target.strip("/"))
        assert b"".join(run.wire.pieces) == requests[number]
        assert run.wire.total == len(requests[number])
        assert run.wire.reads[:1] == [0]
        assert run.wire.reads == sorted(set(run.wire.reads))
        assert run.wire.reads[-1] < run.wire.total


def test_a_request_whose_beginning_has_gone_is_not_noted(tmp_path: Path) -> None:
    """It came in one read with the end of a request that is not noted."""
    chance = random.Random(0)
    requests = [_request(number, chance) for number in range(3)]
    keeping = KeepingWriter([False, True])
    record_into(keeping, History(tmp_path, 10), [requests[0] + requests[1], requests[2]])
    assert [run.head and run.head.target for run in keeping.runs] == ["/2"]
    assert keeping.skipped == 2


def test_a_request_that_was_read_ahead_is_treated_as_the_one_before_it() -> None:
    """While a thread works for the first one, the second one arrives. It is parsed later."""
    first, second = (b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % number for number in range(2))
    for wanted in (True, False):
        keeping = KeepingWriter([wanted, not wanted])
        recorder = Recorder(cast(HistoryWriter, keeping), "socket", wire=True)
        record = RequestLog(quiet=True).record(None, recorder)
        recorder.read(len(first))
        recorder.feed(first)
        recorder.complete()
        recorder.read(10)
        record.begin("GET", "/")
        record.end()
        recorder.feed(second[:10])
        recorder.read(len(second) - 10)
        recorder.feed(second[10:])
        recorder.complete()
        record.begin("GET", "/")
        record.end()
        wires = [run.wire and (b"".join(run.wire.pieces), run.wire.reads) for run in keeping.runs]
        assert wires == ([(first, [0]), (second, [0, 10])] if wanted else [])
        assert keeping.skipped == (0 if wanted else 2)
