"""The head of a request from an ASGI scope, as servers without our protocol class give it."""

from typing import Any

import pytest

pytest.importorskip("starlette", reason="without the extra 'fastapi' its backend is NOT tested")

from servers.contract.limits import Limits
from servers.contract.request import RequestHead
from servers.fastapi_server.scope import HEAD_EXTENSION, read_scope
from tests.fastapi_server.asgi import scope_of
from tests.refusals import refusal_code


def head_of(*scope: Any, **more: Any) -> RequestHead:
    return read_scope(scope_of(*scope, **more), Limits())


def code_of(*scope: Any, **more: Any) -> str:
    return refusal_code(head_of, *scope, **more)


def test_a_head_is_read_from_what_the_server_says() -> None:
    head = head_of("PUT", b"/a%41?b=c&d", (b"content-length", b"3"), (b"x-b", b" 1"), (b"x-b", b"\xe9 "))
    assert (head.method, head.target, head.path, head.host) == ("PUT", "/a%41?b=c&d", "/aA", "localhost:8000")
    assert [tuple(pair) for pair in head.args] == [("b", "c"), ("d", "")]
    assert (head.content_length, head.chunked, head.field("x-b")) == (3, False, "1,é")


def test_a_line_of_exactly_the_limit_is_accepted_without_a_blank_after_its_colon() -> None:
    """H30."""
    value = b"v" * (8190 - len("x:\r\n"))
    assert head_of("GET", b"/", (b"x", value)).field("x") == value.decode()
    assert code_of("GET", b"/", (b"x", value + b"v")) == "headers_too_large"


def test_a_head_that_the_server_has_read_by_sansio_is_taken_as_it_is() -> None:
    known = head_of("GET", b"/known?")
    assert head_of("GET", b"/other", extensions={HEAD_EXTENSION: known}) is known


def test_an_empty_query_is_lost_without_our_protocol_class() -> None:
    assert head_of("GET", b"/a?").target == "/a"  # R34


@pytest.mark.parametrize(
    ("asked", "more", "code"),
    [
        (("GET", b""), {}, "request_line"),
        (("GE T", b"/"), {}, "request_line"),
        (("GET", b"/#"), {}, "request_line"),
        (("GET", b"/"), {"http_version": "2"}, "request_line"),
        (("GET", b"/"), {"http_version": "2.0"}, "unsupported_version"),
        (("GET", b"/" + b"a" * 9000), {}, "uri_too_long"),
        (("GET", b"/", (b"x ", b"y")), {}, "bad_header"),
        (("GET", b"/", (b"x", b"\0")), {}, "bad_header"),
        (("GET", b"/", (b"x", b"y\nz: a")), {}, "bad_header"),
        (("GET", b"/", (b"x", b"y" * 8200)), {}, "headers_too_large"),
        (("GET", b"/", *[(b"x", b"y")] * 100), {}, "headers_too_large"),
        (("GET", b"/", (b"content-length", b"+1")), {}, "bad_framing"),
        (("GET", b"/", (b"host", b"other")), {}, "bad_host"),
        (("GET", b"/%00"), {}, "bad_percent"),
        (("GET", b"/?%ff"), {}, "target_not_utf8"),
    ],
)
def test_a_head_is_refused(asked: Any, more: Any, code: str) -> None:
    assert code_of(*asked, **more) == code
