"""Builds valid requests; the rows change them into attacks."""

from collections.abc import Iterable

HOST = b"Host: localhost:8000"
AGENT = b"User-Agent: wireproof"
BOUNDARY = b"B"
CANARY = b"GET /__canary HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: wireproof\r\n\r\n"
OPAQUE = b"Content-Type: application/octet-stream"


def head(line: bytes, *fields: bytes) -> bytes:
    """A request head of that request line and exactly those field lines."""
    return b"\r\n".join((line, *fields, b"", b""))


def get(target: bytes = b"/page", *fields: bytes) -> bytes:
    """A GET with further field lines."""
    return head(b"GET %s HTTP/1.1" % target, HOST, AGENT, *fields)


def post(target: bytes, *fields: bytes, body: bytes = b"", method: bytes = b"POST") -> bytes:
    """A POST whose framing, if any, is among `fields`."""
    return head(b"%s %s HTTP/1.1" % (method, target), HOST, AGENT, *fields) + body


def sized(target: bytes, body: bytes, *fields: bytes, method: bytes = b"POST") -> bytes:
    """A POST with the right Content-Length."""
    length = b"Content-Length: %d" % len(body)
    return post(target, *fields, length, body=body, method=method)


def typed(content_type: bytes, body: bytes, target: bytes = b"/page") -> bytes:
    """A POST of that Content-Type."""
    return sized(target, body, b"Content-Type: " + content_type)


def chunked(wire: bytes, target: bytes = b"/upload/", *fields: bytes) -> bytes:
    """A POST whose chunked body is `wire`, byte for byte."""
    return post(target, *(fields or (OPAQUE,)), b"Transfer-Encoding: chunked", body=wire)


def chunks(*data: bytes) -> bytes:
    """A well-formed chunked body of these chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(item), item) for item in data) + b"0\r\n\r\n"


def part(disposition: bytes, data: bytes, *fields: bytes) -> bytes:
    """One part behind its dash-boundary line: a Content-Disposition value, further field lines, data."""
    lines = (b"Content-Disposition: " + disposition, *fields)
    return raw_part(b"".join(line + b"\r\n" for line in lines), data)


def raw_part(block: bytes, data: bytes = b"") -> bytes:
    """A part with that header block, byte for byte; the empty line is added."""
    return b"--%s\r\n%s\r\n%s\r\n" % (BOUNDARY, block, data)


def text(name: bytes, value: bytes) -> bytes:
    """A text field."""
    return part(b'form-data; name="%s"' % name, value)


def file(name: bytes, filename: bytes, data: bytes, *fields: bytes) -> bytes:
    """A file part; name and filename stand verbatim between their quotes."""
    return part(b'form-data; name="%s"; filename="%s"' % (name, filename), data, *fields)


def multipart(*parts: bytes) -> bytes:
    """A body of these parts and the close delimiter."""
    return b"".join(parts) + b"--%s--\r\n" % BOUNDARY


def form(*parts: bytes, target: bytes = b"/upload/", end: bytes | None = None) -> bytes:
    """A POST of a multipart body; `end` replaces the close delimiter."""
    body = multipart(*parts) if end is None else b"".join(parts) + end
    return typed(b"multipart/form-data; boundary=" + BOUNDARY, body, target)


def segments(data: bytes, size: int) -> Iterable[bytes]:
    """`data` in pieces of `size` bytes."""
    return (data[start : start + size] for start in range(0, len(data), size))
