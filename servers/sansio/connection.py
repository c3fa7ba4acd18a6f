"""The requests of one connection, from bytes to events (RFC 9112).

`RequestReader` reads one request after another. It is a generator as described in `stream`:

    state              input                              event or Problem     next state
    between requests   one empty line (R16)               -                    between requests
                       end of input                       ConnectionClosed     closed
                       any other byte                     -                    head
    head               request line, fields, empty line   HeadReceived         body
                       end of input                       ConnectionClosed     closed
    body               some bytes of the body             BodyReceived         body
                       the end of the body                BodyComplete         between requests
                       end of input                       `body_truncated`     refused
    any state          a fault                            its Problem          refused
    refused            anything                           the same Problem     refused
    closed             anything                           ConnectionClosed     closed

A request without a body gives HeadReceived and BodyComplete. A pipelined request stays in the buffer until
the caller pulls its events. No byte after a fault is read, because a fault may hide where a request ends.
"""

from collections.abc import Generator
from dataclasses import dataclass

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.remembered import MOST_OF_A_HEAD, KnownHeads
from ..contract.request import RequestHead
from .chunked import read_chunks
from .cookies import parse_cookies
from .credentials import parse_authorization
from .fields import FieldLines, Framing, pairs_of
from .grammar import OWS
from .stream import NEED_DATA, Incoming, LineFaults, Need, PeerClosed, Role, Trace
from .target import AUTHORITY, RequestLine, decode_target, parse_request_line

_REQUEST_LINE = LineFaults(
    "uri_too_long", "R41", "request_line", "R18", "R19", lf_alone="R17", cr_cr_lf="R19"
)
_FIELD_LINE = LineFaults("headers_too_large", "H30", "bad_header", "H5", "H4", lf_alone="H5", cr_cr_lf="H6")


@dataclass(frozen=True, slots=True)
class HeadReceived:
    """A head that passed steps 1 to 5 of contract section 4.

    `keep_alive`: the client allows another request on this connection (RFC 9112 9.3). `expects_continue`:
    the client waits for a 100 before it sends the body (RFC 9110 10.1.1).
    """

    head: RequestHead
    minor_version: int
    keep_alive: bool
    expects_continue: bool

    @property
    def has_body(self) -> bool:
        return self.head.chunked or bool(self.head.content_length)


@dataclass(frozen=True, slots=True)
class BodyReceived:
    """The next bytes of the body, without the chunked coding."""

    data: memoryview


@dataclass(frozen=True, slots=True)
class BodyComplete:
    """The request is complete. The next one begins with the next byte."""


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """The peer has closed its side, between two requests or in the middle of a head."""


Event = HeadReceived | BodyReceived | BodyComplete | ConnectionClosed


class RequestReader:
    """Call `feed` with the bytes that arrived, then `next_event` until it returns NEED_DATA.

    `request_line` is the method and the target of the request at hand, or None twice until its line was
    accepted.
    """

    def __init__(
        self,
        limits: Limits,
        trace: Trace | None = None,
        known: KnownHeads[HeadReceived] | None = None,
    ) -> None:
        """`known` are the heads of all readers with these limits."""
        self._incoming = Incoming(trace)
        self._known = known
        self._limits = limits
        self._events = self._read_requests()
        self._failed: Problem | None = None
        self._between_requests = True
        self._offset_of_request = 0  # how many bytes of the connection came before the request
        self.request_line: tuple[str | None, str | None] = (None, None)

    def feed(self, data: bytes) -> None:
        """Add the bytes that arrived; b"" means that the peer has closed its side."""
        self._incoming.feed(data)

    def trace(self, trace: Trace | None) -> None:
        """Tell `trace`, instead of the one before, what is consumed from now on."""
        self._incoming.trace = trace

    @property
    def buffered(self) -> int:
        """How many bytes have arrived that no event has consumed."""
        return len(self._incoming)

    @property
    def between_requests(self) -> bool:
        """Whether no byte of the next request has been read. An empty line does not begin a request."""
        return self._between_requests

    def next_event(self) -> Event | Need:
        """The next event, or NEED_DATA. Raises Problem, and the same one again when called after it.

        The offset of a Problem counts the bytes of its request, an empty line before it included.
        """
        if self._failed is not None:
            raise self._failed
        try:
            return next(self._events, ConnectionClosed())
        except Problem as problem:
            self._failed = problem.behind(-self._offset_of_request)
            raise self._failed from None

    def _read_requests(self) -> Generator[Event | Need, None, None]:
        while True:
            self._offset_of_request = self._incoming.offset
            try:
                received = yield from self._read_head()
            except PeerClosed:
                return
            yield received
            try:
                yield from self._read_body(received.head)
            except PeerClosed:
                what, rule = (
                    "the connection ended before the body did",
                    "B36" if received.head.chunked else "B2",
                )
                end = self._incoming.offset + self.buffered
                raise Problem("body_truncated", what, rule=rule, offset=end) from None
            yield BodyComplete()

    def _read_body(self, head: RequestHead) -> Generator[Event | Need, None, None]:
        if head.chunked:
            chunks = read_chunks(
                self._incoming, self._limits, has_content_type=head.field("content-type") is not None
            )
            for item in chunks:
                yield item if item is NEED_DATA else BodyReceived(item)
            return
        left = head.content_length or 0
        while left:
            yield from self._incoming.at_least(1)
            data = self._incoming.take(left)
            left -= len(data)
            yield BodyReceived(data)

    def _read_head(self) -> Generator[Need, None, HeadReceived]:
        yield from self._read_first_byte()
        if (known := self._known_head()) is not None:
            return known
        begin = self._incoming.offset
        received = yield from self._read_new_head()
        if self._known is not None and (head := self._incoming.since(begin)):
            self._known.add(head, received)
        return received

    def _known_head(self) -> HeadReceived | None:
        if self._known is None or self._incoming.trace is not None:
            return None
        data = self._incoming.until_empty_line(MOST_OF_A_HEAD)
        received = self._known.find(data)
        if received is not None:
            self._incoming.skip(len(data))
            self.request_line = received.head.method, received.head.target
        return received

    def _read_new_head(self) -> Generator[Need, None, HeadReceived]:
        line = yield from self._read_request_line()
        end = self._incoming.offset
        offset = end - len(line) - 2
        try:
            request_line = parse_request_line(line)
        except Problem as problem:
            raise problem.behind(offset) from None
        self.request_line = request_line.method, request_line.target.decode("ascii")
        fields = FieldLines(request_line.minor_version, self._limits, end)
        yield from self._read_fields(fields)
        framing = fields.framing()
        host = fields.host()
        return _head(request_line, fields, framing, host, offset)

    def _read_fields(self, fields: FieldLines) -> Generator[Need, None, None]:
        incoming, limit = self._incoming, self._limits.max_field_line - 2
        if lines := incoming.whole_lines(limit):  # most heads arrive at once
            for line in lines:
                incoming.take_line(Role.FIELD, line)
                fields.add(line)
        while line := (yield from incoming.line(Role.FIELD, limit, _FIELD_LINE)):
            fields.add(line)

    def _read_request_line(self) -> Generator[Need, None, bytes]:
        line = yield from self._read_first_line()
        if not line:  # one empty line may come first, and no more (RFC 9112 2.2; R16, R17)
            line = yield from self._read_first_line()
        return line

    def _read_first_byte(self) -> Generator[Need, None, None]:
        self._between_requests = True
        self.request_line = None, None
        yield from self._incoming.at_least(1)
        self._between_requests = False

    def _read_first_line(self) -> Generator[Need, None, bytes]:
        yield from self._read_first_byte()
        limit = self._limits.max_request_line
        return (yield from self._incoming.line(Role.REQUEST_LINE, limit, _REQUEST_LINE))


def _head(
    request_line: RequestLine, fields: FieldLines, framing: Framing, host: str | None, offset: int
) -> HeadReceived:
    """The head. Raises Problem `bad_percent` or `target_not_utf8`. `offset` is that of its first line."""
    values = fields.joined()
    if request_line.authority is not None:
        host = values["host"] = request_line.authority
    if request_line.method == "CONNECT":
        target = AUTHORITY
    else:
        try:
            target = decode_target(request_line.target)
        except Problem as problem:
            raise problem.behind(offset + request_line.offset) from None
    head = RequestHead(
        method=request_line.method,
        target=request_line.target.decode("ascii"),
        path=target.path,
        host=host,
        args=target.args,
        headers=pairs_of(values),
        cookies=parse_cookies(values.get("cookie", "")),
        auth=parse_authorization(values.get("authorization", "")),
        content_length=framing.content_length,
        chunked=framing.chunked,
        last_segment=target.last_segment,
        https_target=request_line.https,
    )
    modern = request_line.minor_version > 0
    return HeadReceived(
        head,
        request_line.minor_version,
        # The bytes after a CONNECT may be meant for a tunnel: never read them as a request (R7, H054).
        request_line.method != "CONNECT" and _keep_alive(values.get("connection", ""), modern),
        modern and "expect" in values,
    )


def _keep_alive(connection: str, modern: bool) -> bool:
    """RFC 9112 9.3: never after `close`; in HTTP/1.0 only with `keep-alive`."""
    options = {option.strip(OWS.decode()).lower() for option in connection.split(",")}
    return "close" not in options and (modern or "keep-alive" in options)
