"""The spans of `--wire`: each received byte once, in the order of the wire, however it is split."""

import random
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise

import pytest

from clients.comparison.cases import Case
from servers.contract.exchange import Exchange
from servers.contract.problems import Problem
from servers.routes import TABLE
from servers.sansio.connection import BodyComplete, BodyReceived, HeadReceived
from servers.sansio.stream import Role
from servers.settings import Settings
from servers.socket_server.inbox import Inbox
from servers.storage.memory import MemoryStore
from servers.web.observed_parsers import ObservedParsers, ObservedReader
from servers.web.spans import NoRole, Span, SpanBuilder
from tests.recorded import recorded_cases

Shown = list[tuple[str, bytes]]

_CASES = random.Random("wire").sample([case for case in recorded_cases() if len(case.request) < 20_000], 400)
_CONTEXT = Settings().context(MemoryStore())
_HEAD = b"POST /upload/ HTTP/1.1\r\nHost: localhost\r\n"
_FORM = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n12\r\n3\r\n--b--\r\n'


class _Observed:
    """Parses requests as a connection does, up to the first refusal, and collects the spans."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.refused: Problem | None = None
        self._builder = SpanBuilder(self.spans.append)
        self._inbox = Inbox(ObservedReader(_CONTEXT.limits, self._builder))
        self._parsers = ObservedParsers(self._builder)
        self._exchange: Exchange | None = None

    def arrive(self, piece: bytes) -> None:
        self._builder.receive(piece)
        if self.refused is not None:
            return
        self._inbox.feed(piece)
        try:
            self._advance()
        except Problem as problem:
            self.refused = problem
            self._builder.refuse(problem)
        else:
            self._builder.settle()

    def end(self) -> None:
        self.arrive(b"")
        self._builder.end()
        if self._exchange is not None:
            self._exchange.abort()

    def _advance(self) -> None:
        while True:
            event = self._inbox.next_event()
            if isinstance(event, HeadReceived):
                self._builder.begin_body()
                self._exchange = Exchange(event.head, TABLE, self._parsers, _CONTEXT)
            elif isinstance(event, BodyReceived):
                assert self._exchange is not None
                self._exchange.feed(event.data)
            elif isinstance(event, BodyComplete):
                assert self._exchange is not None
                self._exchange.finish().close()
                self._builder.settle()
            else:
                return


def _observe(pieces: Iterable[bytes]) -> _Observed:
    observed = _Observed()
    for piece in pieces:
        observed.arrive(piece)
    observed.end()
    return observed


def _shown(pieces: Iterable[bytes]) -> Shown:
    """Role and bytes, adjacent spans of one role joined; `✗` marks what is at fault."""
    spans = _observe(pieces).spans
    labelled = [(span.role.value + " ✗" * span.at_fault, bytes(span.data)) for span in spans]
    return [
        (label, b"".join(data for _, data in group))
        for label, group in groupby(labelled, lambda pair: pair[0])
    ]


def _body_of(body: bytes, content_type: bytes = b"multipart/form-data; boundary=b") -> bytes:
    return b"%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (_HEAD, content_type, len(body), body)


def _chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    head = b"%sContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n" % _HEAD
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + end


def _cut(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    return [data[start:end] for start, end in pairwise([0, *cuts, len(data)])]


def _pieces(case: Case) -> list[bytes]:
    source = random.Random(case.name)
    cuts = sorted(source.sample(range(1, len(case.request)), min(6, len(case.request) - 1)))
    return _cut(case.request, cuts)


@pytest.mark.parametrize("rules", ["B", "M", "HRJCU"])
def test_the_spans_of_recorded_requests_are_their_bytes_in_order(rules: str) -> None:
    for case in (case for case in _CASES if case.rules[0][0] in rules):
        for pieces in ([case.request], _pieces(case)):
            spans = _observe(pieces).spans
            assert b"".join(span.data for span in spans) == case.request, case.name
            assert [span.offset for span in spans[1:]] == [span.end for span in spans[:-1]], case.name
            assert all(span.data for span in spans), case.name


def test_the_roles_of_the_bytes_of_an_accepted_request_do_not_depend_on_the_reads() -> None:
    accepted = [case for case in _CASES if case.accepted and _observe([case.request]).refused is None]
    assert len(accepted) > 50
    for case in accepted:
        whole = _shown([case.request])
        assert _shown(_pieces(case)) == whole, case.name
        assert NoRole.AT_FAULT.value not in dict(whole), case.name


def test_the_framing_of_chunks_is_between_the_bytes_of_the_parts() -> None:
    cuts = (20, 47, 51, 54, 58)
    shown = _shown([_chunked(*_cut(_FORM, cuts))])
    body = shown[shown.index(("end of head", b"\r\n")) + 1 :]
    assert [label for label, _ in body if label == "chunk size"] == ["chunk size"] * 6
    assert body == [
        ("chunk size", b"14\r\n"),
        ("delimiter", b"--b\r\n"),
        ("part header", _FORM[5:20]),
        ("end of chunk", b"\r\n"),
        ("chunk size", b"1b\r\n"),
        ("part header", _FORM[20:47]),
        ("end of chunk", b"\r\n"),
        ("chunk size", b"4\r\n"),
        ("part header", b"\r\n"),
        ("part data", b"12"),
        ("end of chunk", b"\r\n"),
        ("chunk size", b"3\r\n"),
        ("part data", b"\r\n3"),
        ("end of chunk", b"\r\n"),
        ("chunk size", b"4\r\n"),
        ("close delim.", b"\r\n--"),
        ("end of chunk", b"\r\n"),
        ("chunk size", b"5\r\n"),
        ("close delim.", b"b--"),
        ("epilogue", b"\r\n"),
        ("end of chunk", b"\r\n"),
        ("last chunk", b"0\r\n"),
        ("end of body", b"\r\n"),
    ]
    assert _shown([bytes([octet]) for octet in _chunked(*_cut(_FORM, cuts))]) == shown


@pytest.mark.parametrize("size", [1, 2, 7])
def test_chunks_of_any_size_leave_the_parts_as_they_are(size: int) -> None:
    chunks = [_FORM[start : start + size] for start in range(0, len(_FORM), size)]
    framing = {"chunk size", "end of chunk", "last chunk", "end of body"}
    parts = [(label, data) for label, data in _shown([_chunked(*chunks)]) if label not in framing]
    joined = [
        (label, b"".join(data for _, data in group)) for label, group in groupby(parts, lambda pair: pair[0])
    ]
    head = b'Content-Disposition: form-data; name="a"\r\n\r\n'
    assert joined[-5:] == [
        ("delimiter", b"--b\r\n"),
        ("part header", head),
        ("part data", b"12\r\n3"),
        ("close delim.", b"\r\n--b--"),
        ("epilogue", b"\r\n"),
    ]


_GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
_PART = b"--b\r\nContent-Disposition: form-data; name=a\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "at_fault"),
    [
        (b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", ("request line", b"GET /a b HTTP/1.1\r\n")),
        (b"GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", ("field", b"Host: h\n")),
        (b"GET / HTTP/1.1\r\nHost: h\rX\r\n\r\n", ("field", b"Host: h\rX\r\n")),
        (_GET + b"A B: c\r\nD: e\r\n\r\n", ("field", b"A B: c\r\n")),
        (_chunked(b"--", end=b"zz\r\nabc"), ("chunk size", b"zz\r\n")),
        (_chunked(end=b"2\r\n--cd\r\n"), ("end of chunk", b"c")),
        (_chunked(end=b"2\r\n--\rX"), ("end of chunk", b"\rX")),
        (_chunked(_FORM, end=b"0\r\nHost: x\r\n\r\n"), ("trailer", b"Host: x\r\n")),
        (_body_of(_PART + b"X bad\r\nY: z\r\n\r\n1\r\n--b--"), ("at fault", b"X bad\r\n")),
        (_body_of(_PART + b"X: y\nZ: z\r\n\r\n1\r\n--b--"), ("at fault", b"\n")),
        (_body_of(b"--b\r\nX: y\r\n\r\n1\r\n--b--"), ("at fault", b"X: y\r\n")),
        (_body_of(b"--b\r\n\r\n1\r\n--b--"), ("at fault", b"\r")),
        (_body_of(b"junk\r\n--b--"), ("at fault", b"j")),
        (_body_of(_PART + b"\r\n1\r\n--b--X\r\n"), ("at fault", b"X")),
        (_body_of(_PART + b"\r\n1\r\n--b--\r\nX"), ("at fault", b"X")),
        (_body_of(b'{"a": b}', b"application/json"), ("at fault", b"b")),
        (_body_of(b'{"a": "\xff"}', b"application/json"), ("at fault", b"\xff")),
        (_body_of(b"a=1&b=\xff&c=3", b"application/x-www-form-urlencoded"), ("at fault", b"b=\xff")),
        (_body_of(b"abc\xffd", b"text/plain; charset=utf-8"), ("at fault", b"\xff")),
    ],
)
def test_what_is_refused_is_shown_and_marked(request_bytes: bytes, at_fault: tuple[str, bytes]) -> None:
    marked = [(label.removesuffix(" ✗"), data) for label, data in _shown([request_bytes]) if "✗" in label]
    assert marked == [at_fault]


@pytest.mark.parametrize(
    "limits_are_exceeded",
    [b"GET /%s HTTP/1.1\r\n\r\n" % (b"a" * 9000), _GET + b"X: %s\r\n\r\n" % (b"y" * 9000)],
)
def test_of_a_line_that_is_too_long_the_bytes_up_to_the_limit_are_marked(limits_are_exceeded: bytes) -> None:
    shown = _shown([limits_are_exceeded])
    label, data = next((label, data) for label, data in shown if "✗" in label)
    assert label in ("request line ✗", "field ✗")
    assert 8_190 <= len(data) <= 8_192
    assert shown[-1] == (
        NoRole.NOT_READ.value,
        limits_are_exceeded[limits_are_exceeded.index(data) + len(data) :],
    )


@pytest.mark.parametrize(
    "innocent",
    [
        b"GET / HTTP/1.1\r\n\r\n",  # no Host: no line is at fault
        b"GET /nothing HTTP/1.1\r\nHost: other.example\r\n\r\n",
        _body_of(_PART + b"\r\n1"),  # the form ends early
        b"%sContent-Length: 9\r\n\r\nshort" % _HEAD,
        _chunked(b"--b\r\n", end=b"5\r\n"),
    ],
)
def test_where_no_byte_is_at_fault_none_is_marked(innocent: bytes) -> None:
    assert not [label for label, _ in _shown([innocent]) if "✗" in label]


def test_bytes_that_the_parser_of_a_form_holds_back_are_undecided_and_those_behind_a_fault_are_not_read() -> (
    None
):
    body = _PART + b"X: y\nZ: z\r\n\r\n1\r\n--b--"
    assert _shown([_body_of(body) + b"rest"])[-4:] == [
        ("delimiter", b"--b\r\n"),
        ("undecided", _PART[5:] + b"X: y"),
        ("at fault ✗", b"\n"),
        ("not read", b"Z: z\r\n\r\n1\r\n--b--rest"),
    ]


def test_a_body_that_is_not_parsed_as_a_form_has_one_role() -> None:
    request = _body_of(b"--b\r\n\r\n", b"text/plain")
    assert ("body", b"--b\r\n\r\n") in _shown([request])
    assert Role.BODY not in [span.role for span in _observe([_body_of(_FORM)]).spans]
