"""Each byte of every recorded request is explained once, and spans decode to the values of the result."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

import pytest

from servers.contract.exchange import Exchange
from servers.contract.problems import Problem
from servers.contract.route import Route, RouteTable
from servers.routes import ROUTES
from servers.routes.uploads import describe_request
from servers.sansio.connection import BodyComplete, BodyReceived, HeadReceived, RequestReader
from servers.sansio.parsers import SansIoParsers
from servers.sansio.stream import NEED_DATA
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from servers.web.explanation import ROLES, Explanation, Wire, explain, strip_of
from servers.web.fine_spans import FineSpan
from tests.recorded import recorded_cases
from tests.web.decoded import decoded, value_at, values_on_the_wire

_CONTEXT = Settings().context(MemoryStore())
_LIMITS = _CONTEXT.limits


def _described(route: Route) -> Route:
    """The route with the result as its response. A piece of an upload is explained as a file is."""
    if route.appends is not None:
        route = replace(route, appends=None, body="raw")
    return replace(route, handler=describe_request)


# So each request that is accepted has a result.
_TABLE = RouteTable(tuple(map(_described, ROUTES)))
_FAMILIES = sorted({case.path.parent.name for case in recorded_cases() if case.path})


# A Host that is missing has no byte.
_WITHOUT_A_BYTE = {"browser-request-without-a-host"}


class _Request(NamedTuple):
    """One request of a recorded connection: its bytes, and its result, or why it is refused."""

    name: str
    data: bytes
    result: Any
    problem: Problem | None


def _requests(name: str, data: bytes) -> Iterator[_Request]:
    """The requests that follow each other in these bytes, up to the first refusal."""
    while data:
        result, problem, size = _first(data)
        if result is None and problem is None:
            return
        yield _Request(name, data[:size], result, problem)
        data = data[size:]


def _first(data: bytes) -> tuple[Any, Problem | None, int]:
    reader = RequestReader(_LIMITS)
    reader.feed(data)
    reader.feed(b"")
    exchange: Exchange | None = None
    try:
        while (event := reader.next_event()) is not NEED_DATA:
            if isinstance(event, HeadReceived):
                exchange = Exchange(event.head, _TABLE, SansIoParsers(), _CONTEXT)
            elif isinstance(event, BodyReceived) and exchange is not None:
                exchange.feed(event.data)
            elif isinstance(event, BodyComplete) and exchange is not None:
                body = exchange.finish().body
                assert isinstance(body, bytes)
                return json.loads(body) if body else {}, None, len(data) - reader.buffered
            else:
                break
    except Problem as problem:
        return None, problem, len(data)
    return None, None, 0


def _recorded(family: str) -> Iterator[_Request]:
    for case in recorded_cases():
        if case.path is not None and case.path.parent.name == family:
            yield from _requests(case.name, case.request)


def _explained(request: _Request) -> Explanation:
    return explain(Wire(request.data, len(request.data)), request.problem, _LIMITS)


def _not_covered(spans: list[FineSpan], size: int) -> list[FineSpan]:
    """The spans that do not begin where the one before ends."""
    ends = [0, *(span.end for span in spans)]
    wrong = [span for span, end in zip(spans, ends, strict=False) if span.start != end or span.length < 1]
    return wrong if ends[-1] == size else [*wrong, FineSpan(ends[-1], size - ends[-1], "missing")]


def _bytes_by_path(spans: list[FineSpan], data: bytes) -> dict[tuple[str, str], list[bytes]]:
    """The bytes of each path with the way to decode them. A field line gives a piece of its own."""
    found: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    for (path, how, role), group in groupby(spans, key=lambda span: (span.path, span.how, span.role)):
        piece = b"".join(data[span.start : span.end] for span in group)
        if not path:
            continue
        if role in ("field name", "field value", "request line"):
            found[path, how].append(piece)
        else:
            found[path, how] = [b"".join([*found[path, how], piece])]
    for path, group in groupby(spans, key=lambda span: span.also):
        if path:
            found[path, "also"].append(b"".join(data[span.start : span.end] for span in group))
    return found


@pytest.mark.parametrize("family", _FAMILIES)
def test_the_spans_cover_each_byte_of_a_recorded_request_once(family: str) -> None:
    wrong = {}
    for request in _recorded(family):
        spans = _explained(request).spans
        if gaps := _not_covered(spans, len(request.data)):
            wrong[request.name] = gaps[:3]
        assert {span.role for span in spans} <= set(ROLES)
    assert wrong == {}


@pytest.mark.parametrize("family", _FAMILIES)
def test_the_bytes_of_a_span_decode_to_the_value_at_its_path(family: str) -> None:
    wrong = []
    for request in _recorded(family):
        if not request.result:
            continue
        found = _bytes_by_path(_explained(request).spans, request.data)
        for (path, how), pieces in found.items():
            value = value_at(request.result, path)
            if value not in decoded(how, pieces, path, request.result):
                wrong.append((request.name, path, how, pieces, value))
    assert wrong == []


@pytest.mark.parametrize("family", _FAMILIES)
def test_every_value_of_the_result_that_was_sent_has_its_bytes(family: str) -> None:
    wrong = []
    for request in _recorded(family):
        if not request.result:
            continue
        spans = _explained(request).spans
        paths = {span.path for span in spans} | {span.also for span in spans}
        missing = [path for path in values_on_the_wire(request.result, request.data) if path not in paths]
        if missing:
            wrong.append((request.name, missing))
    assert wrong == []


@pytest.mark.parametrize("family", _FAMILIES)
def test_a_refusal_of_the_parsers_stops_at_a_byte_of_the_request(family: str) -> None:
    wrong = []
    for request in _recorded(family):
        stop = _explained(request).stop
        if request.problem is None:
            assert stop is None
        elif request.name not in _WITHOUT_A_BYTE and not (
            stop is not None and stop.at is not None and stop.at + stop.length <= len(request.data)
        ):
            wrong.append((request.name, request.problem.code, stop))
    assert wrong == []


@pytest.mark.soak(seconds=20)
def test_a_strip_has_few_runs_and_covers_the_same_bytes() -> None:
    for family in _FAMILIES:
        for request in _recorded(family):
            strip = strip_of(_explained(request).spans, 64)
            assert len(strip) <= 64
            assert sum(length for _, length, _ in strip) == len(request.data)


_UPLOAD = b"POST /upload/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
_PART = b'--b\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n'


def _long_form() -> bytes:
    body = _PART + b"x" * 5000 + b"\r\n--b--\r\n"
    return _UPLOAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_the_bytes_behind_the_kept_ones_have_the_spans_that_were_noted() -> None:
    data = _long_form()
    close = data.index(b"\r\n--b--")
    begin = data.index(b"--b\r\n")
    behind = ((begin, 5, "delimiter"), (data.index(b"x"), 5000, "part data"), (close, 9, "close delim."))
    spans = explain(Wire(data[:1000], len(data), behind), None, _LIMITS).spans
    assert _not_covered(spans, len(data)) == []
    last = [(span.role, span.path, span.end) for span in spans if span.end > 1000]
    assert last == [("part data", "files[0].sha256", close), ("close delimiter", "", len(data))]


def test_without_noted_spans_the_rest_of_a_form_and_of_a_chunked_body_is_undecided() -> None:
    head = b"POST /upload/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = head + b"3e8\r\n" + b"x" * 1000 + b"\r\n3e8\r\n" + b"y" * 1000 + b"\r\n0\r\n\r\n"
    for data in (_long_form(), chunked):
        spans = explain(Wire(data[:1000], len(data)), None, _LIMITS).spans
        assert _not_covered(spans, len(data)) == []
        assert spans[-1] == FineSpan(1000, len(data) - 1000, "undecided")


def test_the_rest_of_a_plain_body_is_body_and_that_of_one_that_arrives_goes_on_as_it_began() -> None:
    plain = b"POST /upload/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    spans = explain(Wire(plain[:1000], len(plain)), None, _LIMITS).spans
    assert spans[-1] == FineSpan(1000, len(plain) - 1000, "body")
    form = _long_form()
    spans = explain(Wire(form[:1000], 3000, is_arriving=True), None, _LIMITS).spans
    assert spans[-1] == FineSpan(1000, 2000, "part data")


def test_a_secret_that_was_replaced_is_shown_as_a_whole_value_and_the_rest_is_as_before() -> None:
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: ******\r\nAuthorization: *********\r\n\r\n"
    spans = explain(Wire(head, len(head)), None, _LIMITS).spans
    assert _not_covered(spans, len(head)) == []
    hidden = [span.path for span in spans if head[span.start : span.end].strip(b"*") == b""]
    assert hidden == ["headers[1].value", "headers[0].value"]


def test_bytes_behind_a_head_that_is_refused_as_a_whole_are_not_read() -> None:
    data = _long_form()
    problem = Problem("token_required", "send a token", field="authorization")
    explanation = explain(Wire(data, len(data)), problem, _LIMITS)
    assert _not_covered(explanation.spans, len(data)) == []
    assert explanation.spans[-1].role == "unread"
    assert explanation.stop is not None
    assert explanation.stop.at is None


def test_a_field_that_is_refused_by_its_value_is_where_it_stopped() -> None:
    data = _UPLOAD.replace(b"localhost", b"elsewhere") + b"\r\n"
    problem = Problem("misdirected_host", "another host", field="host")
    stop = explain(Wire(data, len(data)), problem, _LIMITS).stop
    assert stop is not None
    assert data[stop.at : (stop.at or 0) + stop.length] == b"elsewhere"


def test_a_body_that_was_cut_off_is_explained_up_to_its_last_byte() -> None:
    data = _long_form()[:1000]
    problem = Problem("body_truncated", "the connection ended before the body did")
    spans = explain(Wire(data, len(data), was_cut=True), problem, _LIMITS).spans
    assert _not_covered(spans, len(data)) == []
