"""Every size limit can be set, on every backend: what is equal to it is accepted, one more is refused.

The backends run once, with all limits small together (contract section 5), so that each row's request stays
within the limits of the others.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import NamedTuple

import pytest

from clients.comparison.cases import backend_tier, rule_tiers
from clients.http1.exchange import exchange
from clients.http1.response_parser import Response
from clients.launch import RunningBackend, running
from servers.contract.limits import Limits
from tests.conftest import BACKEND_NAMES

LIMITS = {
    "max_request_line": 40,
    "max_field_line": 64,
    "max_fields": 5,
    "max_trailers": 2,
    "max_chunk_line": 12,
    "max_body": 400,
    "max_json": 60,
    "max_form": 50,
    "max_text": 70,
    "max_field_text": 30,
    "max_parts": 4,
    "max_part_headers": 90,
    "max_part_fields": 3,
    "max_json_depth": 3,
}
# No sizes: what they do takes seconds, and has tests of its own (tests/socket_server/test_timeouts.py).
TIMES = {
    *("head_timeout", "body_idle_timeout", "min_body_rate"),
    *("body_rate_window", "keep_alive_timeout", "send_timeout", "resume_timeout"),
}
# What is done at once: tests/overload/test_quotas.py.
AT_ONCE = {"max_connections", "max_connections_per_client", "max_uploads", "max_uploads_per_client"}
ENVIRONMENT = {f"WIREPROOF_{limit.upper()}": str(value) for limit, value in LIMITS.items()}
DISPOSITION = b"Content-Disposition: form-data; name=a"


def request(*lines: bytes, body: bytes = b"", request_line: bytes = b"POST / HTTP/1.1") -> bytes:
    return b"\r\n".join([request_line, b"Host: localhost:8000", *lines, b"", body])


def post(body: bytes, media_type: bytes = b"application/octet-stream") -> bytes:
    return request(b"Content-Type: " + media_type, b"Content-Length: %d" % len(body), body=body)


def chunked(body: bytes, *lines: bytes) -> bytes:
    return request(b"Transfer-Encoding: chunked", *lines, body=body)


def form(*parts: bytes) -> bytes:
    """A multipart form of parts, each its header block, an empty line and its data."""
    body = b"".join(b"--b\r\n%s\r\n" % part for part in parts) + b"--b--\r\n"
    return post(body, b"multipart/form-data; boundary=b")


def text_part(data: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join([DISPOSITION, *lines, b"", data])


def request_line(size: int) -> bytes:
    line = b"GET /%s HTTP/1.1"
    return request(request_line=line % bytes(size - len(line % b"")).replace(b"\0", b"a"))


def field_line(size: int, *, colon: bytes = b":", end: bytes = b"") -> bytes:
    """A field line of `size` bytes with its CRLF."""
    return b"X-A" + colon + b"a" * (size - len(b"X-A" + colon + end + b"\r\n")) + end


def trailers(*lines: bytes) -> bytes:
    return chunked(b"\r\n".join([b"0", *lines, b"", b""]))


def numbered(count: int) -> list[bytes]:
    """So many fields, all of different names: a WSGI server joins those of one name (H20)."""
    return [b"X-%d: 1" % number for number in range(count)]


def two_texts(size: int) -> bytes:
    """A form whose two text fields have `size` bytes together."""
    return form(text_part(b"a" * (size // 2)), text_part(b"a" * (size - size // 2)))


def part_headers(size: int) -> bytes:
    """A part whose header block has `size` bytes, the CRLF of its last line among them."""
    pad = size - len(DISPOSITION + b"\r\nX: \r\n")
    return form(text_part(b"v", b"X: " + b"a" * pad))


def nested(depth: int) -> bytes:
    """JSON of this depth, with more brackets than that: it is the depth that counts, not their number."""
    return post(b"[" * (depth - 1) + b"[],[]" + b"]" * (depth - 1), b"application/json")


class Row(NamedTuple):
    """`make(size)` is the request that comes to `size` of `limit`, and `code` what is said to one more.

    Without a code one more is accepted, and its text is null.
    """

    limit: str
    make: Callable[[int], bytes]
    code: str


ROWS: Mapping[str, Row] = {
    "request line": Row("max_request_line", request_line, "uri_too_long"),
    "field line": Row("max_field_line", lambda size: request(field_line(size)), "headers_too_large"),
    "field line with blanks": Row(
        "max_field_line",
        lambda size: request(field_line(size, colon=b": \t", end=b" ")),
        "headers_too_large",
    ),
    "field line with commas": Row(
        "max_field_line", lambda size: request(field_line(size, colon=b":,", end=b",")), "headers_too_large"
    ),
    "cookie line": Row(
        "max_field_line",
        lambda size: request(b"Cookie:" + b"a" * (size - len("Cookie:\r\n"))),
        "headers_too_large",
    ),
    "trailer line": Row("max_field_line", lambda size: trailers(field_line(size)), "bad_chunk"),
    "fields": Row("max_fields", lambda count: request(*numbered(count - 1)), "headers_too_large"),
    "fields of one name": Row(
        "max_fields", lambda count: request(*[b"X-A: 1"] * (count - 1)), "headers_too_large"
    ),
    "trailers": Row("max_trailers", lambda count: trailers(*numbered(count)), "bad_chunk"),
    "chunk line": Row(
        "max_chunk_line", lambda size: chunked(b"1;%s\r\na\r\n0\r\n\r\n" % (b"x" * (size - 2))), "bad_chunk"
    ),
    "body": Row("max_body", lambda size: post(b"a" * size), "body_too_large"),
    "chunked body": Row(
        "max_body",
        lambda size: chunked(b"9\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (b"a" * 9, size - 9, b"a" * (size - 9))),
        "body_too_large",
    ),
    "json": Row(
        "max_json", lambda size: post(b'"%s"' % (b"a" * (size - 2)), b"application/json"), "body_too_large"
    ),
    "form": Row(
        "max_form", lambda size: post(b"a" * size, b"application/x-www-form-urlencoded"), "body_too_large"
    ),
    "text": Row("max_text", lambda size: post(b"a" * size, b"text/plain"), ""),
    "text of a charset": Row("max_text", lambda size: post(b"a" * size, b"text/plain; charset=utf-8"), ""),
    "text without a type": Row(
        "max_text", lambda size: chunked(b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"a" * size)), ""
    ),
    "text fields": Row("max_field_text", two_texts, "field_too_large"),
    "parts": Row("max_parts", lambda count: form(*[text_part(b"v")] * count), "too_many_parts"),
    "pairs": Row(
        "max_parts", lambda count: post(b"&a" * count, b"application/x-www-form-urlencoded"), "too_many_parts"
    ),
    "M73: part headers": Row("max_part_headers", part_headers, "part_headers_too_large"),
    "M73: part fields": Row(
        "max_part_fields", lambda count: form(text_part(b"v", *numbered(count - 1))), "part_headers_too_large"
    ),
    "json depth": Row("max_json_depth", nested, "json_too_deep"),
}
# What a backend cannot keep, with the rule: Werkzeug's server joins fields of a name and drops blanks.
HIDDEN = {
    ("fields of one name", "flask"): "H29",
    ("field line with blanks", "flask"): "H30",
    ("field line with commas", "flask"): "H30",
}
# Bytes that are past a limit whatever comes next, with the rule and the code; then the client ends.
UNFINISHED = {
    "request line": ("R42", request_line(LIMITS["max_request_line"] + 1).partition(b"\r")[0], "uri_too_long"),
    "field line": (
        "R42",
        request(field_line(LIMITS["max_field_line"] + 1)).removesuffix(b"\r\n\r\n"),
        "headers_too_large",
    ),
    "chunk": ("B33", chunked(b"%x\r\n" % (LIMITS["max_body"] + 1)), "body_too_large"),
}
PAIRS = [(name, backend) for name in ROWS for backend in BACKEND_NAMES if (name, backend) not in HIDDEN]


@pytest.fixture(scope="module")
def small() -> Iterator[Mapping[str, RunningBackend]]:
    """The backends with all these limits at once."""
    with running(BACKEND_NAMES, env=ENVIRONMENT) as started:
        yield {backend.name: backend for backend in started}


def response(backend: RunningBackend, sent: bytes) -> Response:
    came = exchange(backend.host, backend.port, [sent], methods=(sent.partition(b" ")[0],))
    assert len(came.responses) == 1, came
    return came.responses[0]


def test_every_limit_on_a_size_has_a_row() -> None:
    rows = {row.limit for row in ROWS.values()}
    assert rows == LIMITS.keys()
    assert rows | TIMES | AT_ONCE == {limit.name for limit in fields(Limits)}


@pytest.mark.parametrize(("row", "backend"), HIDDEN)
def test_only_what_its_tier_hides_is_left_out(row: str, backend: str) -> None:
    assert row in ROWS
    assert rule_tiers()[HIDDEN[row, backend]] > backend_tier(backend)


@pytest.mark.parametrize(("name", "backend"), PAIRS)
def test_what_is_equal_to_a_limit_is_accepted(
    small: Mapping[str, RunningBackend], name: str, backend: str
) -> None:
    row = ROWS[name]
    said = response(small[backend], row.make(LIMITS[row.limit]))
    assert said.status == 200, said.body
    assert row.code or said.json()["text"] == "a" * LIMITS[row.limit]


@pytest.mark.parametrize(("name", "backend"), PAIRS)
def test_one_more_than_a_limit_is_not(small: Mapping[str, RunningBackend], name: str, backend: str) -> None:
    row = ROWS[name]
    said = response(small[backend], row.make(LIMITS[row.limit] + 1))
    if row.code:
        assert said.status != 200, "accepted"
        assert said.json()["code"] == row.code
    else:
        assert (said.status, said.json()["text"]) == (200, None)
        assert said.json()["body"]["kind"] == "text"


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        (name, backend)
        for name, (rule, _, _) in UNFINISHED.items()
        for backend in BACKEND_NAMES
        if rule_tiers()[rule] <= backend_tier(backend)
    ],
)
def test_what_is_past_a_limit_is_refused_before_its_end(
    small: Mapping[str, RunningBackend], name: str, backend: str
) -> None:
    _, sent, code = UNFINISHED[name]
    assert response(small[backend], sent).json()["code"] == code
