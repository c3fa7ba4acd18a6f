"""The access logs of other people's servers: a line stays, the query in it does not."""

import logging

import pytest

from servers.contract.redaction import WITHOUT_QUERIES


@pytest.mark.parametrize(
    ("message", "arguments", "logged"),
    [
        ('"%s" %s %s', ("GET /a?token=s HTTP/1.1", 200, "-"), '"GET /a?... HTTP/1.1" 200 -'),
        ('%s - "%s %s HTTP/%s" %d', ("::1", "GET", "/?key=s", "1.1", 200), '::1 - "GET /?... HTTP/1.1" 200'),
        (
            "code 400, message Bad request syntax ('GET /?a=s b')",
            (),
            "code 400, message Bad request syntax ('GET /?... b')",
        ),
        ('"%s" %s', ("GET /a HTTP/1.1", 200), '"GET /a HTTP/1.1" 200'),
        ("%(a)s", ({"a": 1},), "1"),
        ('"%s"', ("GET /a?b='&token=s\"t) HTTP/1.1",), '"GET /a?... HTTP/1.1"'),
        ('Bad request ("GET /?a=\'s")', (), 'Bad request ("GET /?...")'),
    ],
)
def test_a_query_is_cut_out_of_a_log_line(message: str, arguments: tuple[object, ...], logged: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, message, arguments, None)
    assert WITHOUT_QUERIES.filter(record)
    assert record.getMessage() == logged
