"""A request head from a WSGI environ: rules R, H, B, K and A as far as WSGI shows them."""

from typing import Any

import pytest

from servers.contract.limits import Limits
from servers.contract.request import RequestHead
from servers.flask_reading import read_environ
from tests.refusals import refusal_code


def read(target: str = "/", method: str = "GET", protocol: str = "HTTP/1.1", **fields: str) -> RequestHead:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "RAW_URI": target,
        "SERVER_PROTOCOL": protocol,
        "HTTP_HOST": "localhost",
        "wsgi.input": None,
        **fields,
    }
    return read_environ({key: value for key, value in environ.items() if value != "absent"}, Limits())


def code(*args: str, **fields: str) -> str:
    return refusal_code(read, *args, **fields)


def pairs(head: RequestHead) -> list[tuple[str, str]]:
    return [(pair.name, pair.value) for pair in head.args]


@pytest.mark.parametrize(
    "raw, target, path, host",
    [
        ("/a?b=c", "/a?b=c", "/a", "localhost"),
        ("http://o.example:81/p?q=1", "/p?q=1", "/p", "o.example:81"),
        ("HTTP://h?q=1", "/?q=1", "/", "h"),
        ("http://h", "/", "/", "h"),
        ("/%41%20%2525", "/%41%20%2525", "/A %25", "localhost"),
        ("/a%2Fb%2fc", "/a%2Fb%2fc", "/a%2Fb%2fc", "localhost"),
        ("/%zz%4", "/%zz%4", "/%zz%4", "localhost"),
        ("/%%2F%2%2F", "/%%2F%2%2F", "/%%2F%2%2F", "localhost"),
        ("/%c3%a9", "/%c3%a9", "/é", "localhost"),
        ("///a//b", "///a//b", "/a//b", "localhost"),
        ("/a/../b;p=1", "/a/../b;p=1", "/a/../b;p=1", "localhost"),
        ('/[]{}|"<>^`\\', '/[]{}|"<>^`\\', '/[]{}|"<>^`\\', "localhost"),
    ],
)
def test_target_gives_path_and_host(raw: str, target: str, path: str, host: str) -> None:
    head = read(raw)
    assert (head.target, head.path, head.host) == (target, path, host)
    assert head.field("host") == host


def test_asterisk_is_a_target_of_options_alone() -> None:
    assert read("*", "OPTIONS").path == "*"
    assert code("*") == "request_line"
    assert code("*", "BREW") == "request_line"


@pytest.mark.parametrize(
    "raw",
    ["", "foo", "h:80", "/a#b", "/é", "/\x7f", "/a b", "ftp://h/", "http:///a", "http://u@h/", "http://[x/",
     "http://h:99999/", "http:/a", "http://h\\x/", "http://a,b/"],
)  # fmt: skip
def test_target_of_no_form_is_refused(raw: str) -> None:
    assert code(raw) == "request_line"


@pytest.mark.parametrize(
    "raw, expected",
    [
        ("/%00", "bad_percent"),
        ("/%0d%0a", "bad_percent"),
        ("/%7f", "bad_percent"),
        ("/%ff%00", "bad_percent"),
        ("/%ff", "target_not_utf8"),
        ("/?%ff", "target_not_utf8"),
        ("/?a=%ed%a0%80", "target_not_utf8"),
    ],
)
def test_target_must_decode(raw: str, expected: str) -> None:
    assert code(raw) == expected


def test_query_is_split_as_a_form() -> None:
    head = read("/?a&b=&=c&&d=1&d=2&x=1;y&e+f=%2B&?=%00&%zz=%c3%a9&g=h=i")
    assert pairs(head) == [
        ("a", ""), ("b", ""), ("", "c"), ("d", "1"), ("d", "2"), ("x", "1;y"), ("e f", "+"), ("?", "\0"),
        ("%zz", "é"), ("g", "h=i"),
    ]  # fmt: skip
    assert pairs(read("/??x=1?2")) == [("?x", "1?2")]
    assert pairs(read("/?")) == []


def test_last_segment_is_decoded_in_full() -> None:
    assert read("/upload/a%2Fb%2520.txt").last_segment == "a/b%20.txt"


def test_https_target_is_left_to_the_access_rules() -> None:
    head = read("https://h/")
    assert head.https_target and head.host == "h"


@pytest.mark.parametrize(
    "method, protocol, expected",
    [
        ("GE(T", "HTTP/1.1", "request_line"),
        ("", "HTTP/1.1", "request_line"),
        ("GET", "HTTP/01.1", "request_line"),
        ("GET", "HTTP/1.10", "request_line"),
        ("GET", "http/1.1", "request_line"),
        ("GET", "HTTP/2.0", "unsupported_version"),
        ("GE(T", "HTTP/2.0", "request_line"),
    ],
)
def test_method_and_version_are_checked(method: str, protocol: str, expected: str) -> None:
    assert code("/", method, protocol) == expected


def test_any_token_is_a_method_here() -> None:
    assert read("/", "brew!").method == "brew!"
    assert read("h:80", "CONNECT").method == "CONNECT"


def test_request_line_has_at_most_8190_bytes() -> None:
    fits = "/" + "a" * (8190 - len("GET / HTTP/1.1"))
    assert read(fits).target == fits
    assert code(fits + "a") == "uri_too_long"
    assert code("é" * 9000, "GE(T") == "uri_too_long"


def test_headers_are_sorted_and_trimmed() -> None:
    head = read(HTTP_X_B="1,2", HTTP_ACCEPT=" */*\t ", CONTENT_TYPE="text/plain ", CONTENT_LENGTH="003")
    assert [tuple(pair) for pair in head.headers] == [
        ("accept", "*/*"), ("content-length", "003"), ("content-type", "text/plain"), ("host", "localhost"),
        ("x-b", "1,2"),
    ]  # fmt: skip
    assert head.content_length == 3


@pytest.mark.parametrize(
    "fields, expected",
    [
        ({"HTTP_HOST": "absent"}, "bad_host"),
        *(({"HTTP_HOST": host}, "bad_host") for host in (
            "", "a b", "a/b?c", "a, b", "x,y", "u@h", "h:99999", "h:a", "[::1", "[::1%25eth0]", "[v1.a]", "é",
            "a\0", ":80", "[::1]x", "%zz", "[1.2.3.4]", "h:9999999999999999999999"
        )),
        ({"HTTP_X": "a\0b"}, "bad_header"),
        ({"HTTP_X": "a\x7f"}, "bad_header"),
        ({"HTTP_X": "a\x0b"}, "bad_header"),
        ({"HTTP_EXPECT": "foo"}, "expectation_failed"),
        ({"HTTP_EXPECT": ""}, "expectation_failed"),
        ({"HTTP_EXPECT": "100-continue,foo"}, "expectation_failed"),
        *(({"CONTENT_LENGTH": length}, "bad_framing") for length in (
            "", "-1", "+3", "0x3", "1 0", "1_0", "3.0", "3, 3", "\u0663", "\xb2", "3\0"
        )),
        ({"CONTENT_LENGTH": "0", "HTTP_TRANSFER_ENCODING": "chunked"}, "bad_framing"),
        *(({"HTTP_TRANSFER_ENCODING": coding}, "bad_framing") for coding in (
            "identity", "gzip", "chunked, gzip", "chunked, chunked", "chunked,chunked", "xchunked", "",
            '"chunked"', "chunked;x=1", ",chunked", "\x0bchunked", '"gzip", chunked', "chun\xe2\x84\xaaed"
        )),
        ({"HTTP_TRANSFER_ENCODING": "gzip, chunked"}, "unsupported_transfer_coding"),
        ({"HTTP_TRANSFER_ENCODING": "identity, Chunked"}, "unsupported_transfer_coding"),
        ({"HTTP_TRANSFER_ENCODING": "gzip", "HTTP_HOST": ""}, "bad_framing"),
    ],
)  # fmt: skip
def test_fields_are_checked(fields: dict[str, str], expected: str) -> None:
    assert code(**fields) == expected


def test_http_1_0_has_other_rules() -> None:
    assert read("/", "GET", "HTTP/1.0", HTTP_HOST="absent").host is None
    assert read("/", "GET", "HTTP/1.0", HTTP_EXPECT="foo").method == "GET"
    assert code("/", "GET", "HTTP/1.0", HTTP_TRANSFER_ENCODING="chunked") == "bad_framing"
    assert code("/", "GET", "HTTP/1.0", HTTP_HOST="a b") == "bad_host"
    assert read("http://h:81/", "GET", "HTTP/1.0", HTTP_HOST="absent").field("host") == "h:81"


@pytest.mark.parametrize(
    "host",
    ["localhost", "h:", "h:080", "a_b:1", "[::1]:80", "[::ffff:1.2.3.4]", "0.0.0.0=5000", "%41", "h:065535"],
)
def test_host_is_reported_verbatim(host: str) -> None:
    assert read(HTTP_HOST=host).host == host


def test_length_of_any_number_of_digits_is_past_every_limit() -> None:
    for digits in ("9" * 23, "9" * 5000, "0" * 4500 + "9" * 30):
        length = read(CONTENT_LENGTH=digits).content_length
        assert length is not None and length > Limits().max_body


def test_length_with_many_leading_zeros_is_a_number() -> None:
    assert read(CONTENT_LENGTH="0" * 5000 + "7").content_length == 7


def test_only_what_surely_was_one_long_line_is_refused() -> None:
    """H30: neither blanks nor the places where lines were joined are visible here."""
    fits = "x" * (8190 - len("x:\r\n"))
    assert read(HTTP_X=fits).field("x") == fits
    assert code(HTTP_X=fits + "x") == code(HTTP_X=fits + " ") == "headers_too_large"
    assert read(HTTP_X=f"{fits},{fits}").field("x") == f"{fits},{fits}"
    cookies = "c=" + "x" * 5000
    assert read(HTTP_COOKIE=f"{cookies},{cookies}").field("cookie") == f"{cookies},{cookies}"
    assert code(HTTP_COOKIE=f"{cookies}; {cookies}") == code(HTTP_X="a;" * 5000) == "headers_too_large"
