"""Responses as bytes (RFC 9112 4): status line, fields, and the body piece by piece."""

import time
from collections.abc import Iterator
from functools import lru_cache

from ..contract.responses import Event, EventStream, FileSlice, Response

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

# RFC 9110 15, RFC 6585, RFC 4918, tus 1.0. Nothing of the request is repeated in the status line (H057).
_PHRASES = {
    200: "OK",
    201: "Created",
    204: "No Content",
    206: "Partial Content",
    303: "See Other",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    412: "Precondition Failed",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    421: "Misdirected Request",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    460: "Checksum Mismatch",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def encode_head(response: Response, *, keep_alive: bool, minor_version: int) -> bytes:
    """The head of a response. Connection is sent where it is not the default (RFC 9112 9.3)."""
    lines = [
        f"HTTP/1.1 {response.status} {_PHRASES[response.status]}",
        f"Date: {_http_date(int(time.time()))}",
        "Server: wireproof-socket",
    ]
    lines += [f"{name}: {value}" for name, value in response.headers]
    if (length := response.content_length) is not None:
        lines.append(f"Content-Length: {length}")
    elif is_chunked(response, minor_version):
        lines.append("Transfer-Encoding: chunked")
    if not keep_alive:
        lines.append("Connection: close")
    elif minor_version == 0:
        lines.append("Connection: keep-alive")
    return "\r\n".join((*lines, "", "")).encode("ascii")


def is_chunked(response: Response, minor_version: int) -> bool:
    """Whether the body is sent chunked. For HTTP/1.0 the end of the connection ends a stream (S7)."""
    return isinstance(response.body, EventStream) and minor_version > 0


def pieces_of(response: Response, head: bytes, *, chunked: bool) -> Iterator[Event]:
    """The response as it goes on the wire, in pieces. Each piece is made when the iterator is asked for it.

    Closes the response at its end, or when the iterator is closed.
    """
    try:
        if response.head_only or response.status == 304:
            yield Event(head)
        elif isinstance(response.body, bytes):
            yield Event(head + response.body)
        elif isinstance(response.body, FileSlice):
            blocks = response.body.blocks()
            yield Event(head + next(blocks, b""))
            yield from map(Event, blocks)
        else:
            yield Event(head)
            yield from _coded(response.body, chunked=chunked)
    finally:
        response.close()


def _coded(stream: EventStream, *, chunked: bool) -> Iterator[Event]:
    """Each event as a chunk of its own (RFC 9112 7.1), or as it is."""
    for data, wait in stream.events:
        # A chunk of size 0 would end the body.
        yield Event(b"%x\r\n%s\r\n" % (len(data), data) if chunked and data else data, wait)
    if chunked:
        yield Event(b"0\r\n\r\n")


@lru_cache(2)
def _http_date(now: int) -> str:
    """IMF-fixdate (RFC 9110 5.6.7). `strftime` would depend on the locale."""
    when = time.gmtime(now)
    return (
        f"{_DAYS[when.tm_wday]}, {when.tm_mday:02} {_MONTHS[when.tm_mon - 1]} {when.tm_year} "
        f"{when.tm_hour:02}:{when.tm_min:02}:{when.tm_sec:02} GMT"
    )
