"""URLs, forms, cookies and credentials that are refused, and others for which requests is not a model."""

from typing import Any

import pytest

from clients.http1 import requests_transport, socket_transport
from clients.http1.encode import basic_credentials, cookie_field, json_bytes, urlencode
from clients.http1.errors import UsageError
from clients.http1.request import build_request
from clients.http1.request_url import parse_request_url
from clients.http1.upload_call import Call


@pytest.mark.parametrize(
    "url",
    [
        *("", "h", "ftp://h/", "mailto:a@b", "http://", "http:///a", "http://u@/", "http://.h/", "http://*/"),
        *("http://h:65536/", "http://h:-1/", "http://h:1x/", "http://a b/", "http://h\n/", "http://[::1/"),
        *("http://[1.2.3.4]/", "http://[::g]/", "http://[v1.a]/", "http://h%41/", "http://\udc80/"),
        "http://xn--\u0301/",
    ],
)
def test_what_is_not_a_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        parse_request_url(url)


def test_where_to_connect_and_what_to_ask_for() -> None:
    url = parse_request_url("https://me:p%20w@[FE80::1%25eth0]/a?b#c", {"d": 1})
    assert (url.scheme, url.host, url.port) == ("https", "fe80::1%eth0", 443)
    assert (url.authority, url.target) == ("[fe80::1]", "/a?b&d=1")
    # requests escapes the "%" of the whole URL because that of the zone begins no escape.
    assert url.credentials == ("me", "p%20w")


@pytest.mark.parametrize("pairs", [5, True, [1], ["abc"], [("a",)], [("a", "b", "c")]])
def test_what_is_not_a_list_of_pairs_is_refused(pairs: Any) -> None:
    with pytest.raises(UsageError, match="list of pairs"):
        urlencode(pairs)


@pytest.mark.parametrize("text", ["\ud800", "a\udcff"])
def test_lone_surrogates_are_refused(text: str) -> None:
    for arguments in (
        {"data": {"a": text}},
        {"data": text},
        {"files": {text: b""}},
        {"files": {"f": (text, b"")}},
    ):
        with pytest.raises(UsageError, match="UTF-8"):
            request = build_request("POST", "http://h/", **arguments)
            list(request.blocks())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x", object()])
def test_what_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="not a JSON value"):
        json_bytes(value)


@pytest.mark.parametrize("cookies", [{"a": "b\r\nc"}, {"a\n": "b"}, {"a": "\0"}])
def test_a_cookie_begins_no_new_line(cookies: dict[str, str | None]) -> None:
    with pytest.raises(UsageError, match="CR, LF or NUL"):
        cookie_field(cookies)


def test_a_cookie_without_a_value_is_its_name() -> None:
    assert cookie_field({"a": None, "b": "1"}) == "a; b=1"


def test_credentials_beyond_latin_1_are_given_as_bytes() -> None:
    with pytest.raises(UsageError, match="as bytes"):
        basic_credentials("€", "x")
    assert basic_credentials("€".encode(), 1) == "Basic 4oKsOjE="


@pytest.mark.parametrize("headers", [{"X": "€"}, {"X": "a\nb"}, {"X y": "1"}, {"": "1"}, {"X": b"\0"}])
def test_what_is_not_a_field_is_refused(headers: dict[str, Any]) -> None:
    for transport in (socket_transport, requests_transport):
        with pytest.raises(UsageError, match="field"):
            transport.dry_run(Call("GET", "http://h/", headers=headers), bytearray().extend)


@pytest.mark.parametrize(
    "arguments",
    [
        {"data": b"raw", "files": {"f": b""}},
        {"data": iter([b"a"]), "files": {"f": b""}},
        {"files": {"f": ("a",)}},
        {"files": {"f": ("a", b"", None, None, None)}},
        {"files": {5: b""}},
        {"data": {5: "a"}, "files": {"f": b""}},
        {"headers": {"Transfer-Encoding": "chunked"}, "data": b"x"},
        {"headers": {"Content-Length": "3"}, "data": iter([b"x"])},
        {"headers": {"content-length": "3"}, "data": b"x", "chunked": True},
    ],
)
def test_what_does_not_go_together_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        build_request("POST", "http://h/", **arguments)


def test_the_length_of_a_text_stream_is_that_of_its_bytes(tmp_path: Any) -> None:
    """requests counts characters, and sends a Content-Length that is too small."""
    path = tmp_path / "a.txt"
    path.write_text("äöü", "utf-8")
    with path.open(encoding="utf-8") as file:
        request = build_request("POST", "http://h/", data=file)
        assert request.field("content-length") == b"6"
        assert b"".join(bytes(block) for block in request.blocks()) == "äöü".encode()


def test_https_has_its_own_default_port() -> None:
    for transport in (socket_transport, requests_transport):
        sent = bytearray()
        transport.dry_run(Call("GET", "https://h:443/"), sent.extend)
        assert b"\r\nHost: h\r\n" in sent
