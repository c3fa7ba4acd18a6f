"""Every limit of a head, by each way to reach it: it holds for the bytes as sent (R41, H29, H30)."""

from collections.abc import Sequence

import pytest

from clients.fuzzing.limit_grammar import filled
from servers.contract.limits import Limits
from tests.parsers import READ_HEAD, ReadHead
from tests.sansio.splits import bytewise

_LIMITS = Limits(max_request_line=60, max_field_line=50, max_fields=6)
_EVERY_READING = pytest.mark.parametrize("read", READ_HEAD.values(), ids=READ_HEAD)
_OVER_OR_UNDER = pytest.mark.parametrize("excess", [-1, 0, 1])
_ANY_OCTET = [bytes([octet]) for octet in range(256)]
_CONTROLS = {*range(0x20), 0x7F} - {0x09}


def _head(*lines: bytes, line: bytes = b"GET / HTTP/1.1") -> bytes:
    return b"\r\n".join((line, b"Host: h", *lines, b"", b""))


def _outcome(read: ReadHead, data: bytes) -> str:
    """`accepted` or a code, the same for every split."""
    (outcome,) = {
        found if isinstance(found, str) else "accepted"
        for found in (read([data], _LIMITS), read(bytewise(data), _LIMITS))
    }
    return outcome


@_EVERY_READING
@_OVER_OR_UNDER
@pytest.mark.parametrize(
    "way",
    [
        b"X: <v>", b"X:<v>", b"X:  \t<v>", b"X:<v> \t", b"X:< >", b"X:<\t>v", b"X: v< >", b"X:< >v \t",
        b"<x>: v", b"<x>:", b"X_A:<v>", b"<_>: v", b"X:<\xe9>", b"X: <\x80>", b"X:<\xff>", b"X:<,>",
        b"X: a,<b>,", b"Cookie:<a>", b"Cookie: a=<b>; c=d", b"Cookie:<;>", b"cookie: a<;> b",
        b"Accept: <a>", b"Range: bytes=0-<9>", b"Authorization: Basic <A>", b"Authorization:<\xe9>",
        b"Content-Type:<a>", b"Content-Type: a/b; c=<\xe9>", b"Content-Length:<0>", b"Content-Length:< >1",
        b"Expect:< >100-continue", b"expect: 100-Continue< >", b"Transfer-Encoding:<\t>chunked",
        b"Transfer-Encoding: chunked< >",
    ],
)  # fmt: skip
def test_a_field_line_has_its_limit_however_it_is_filled(read: ReadHead, way: bytes, excess: int) -> None:
    line = filled(way, _LIMITS.max_field_line - len("\r\n") + excess)
    expected = "headers_too_large" if excess > 0 else "accepted"
    assert _outcome(read, _head(line)) == expected
    assert _outcome(read, b"\r\n" + _head(b"X-A: 1", line)) == expected
    assert _outcome(read, _head(line, line=b"GET / HTTP/1.0")) in (expected, "bad_framing")
    assert _outcome(read, _head(line, line=b"GET http://h/ HTTP/1.1")) == expected


@_EVERY_READING
@pytest.mark.parametrize("name", [b"X", b"Cookie", b"Accept", b"Origin"])
def test_lines_of_one_name_may_have_more_bytes_together(read: ReadHead, name: bytes) -> None:
    lines = [filled(name + b":<v>", _LIMITS.max_field_line - len("\r\n"))] * 5
    head = read([_head(*lines)], _LIMITS)
    assert not isinstance(head, str)
    assert len(head.field(name.decode().lower()) or "") > 5 * (_LIMITS.max_field_line - 20)


@_EVERY_READING
@_OVER_OR_UNDER
@pytest.mark.parametrize(
    "way",
    [
        b"GET /<a> HTTP/1.1", b"GET /?<&> HTTP/1.1", b"GET /<%> HTTP/1.0", b"GET </> HTTP/1.1",
        b"GET http://<h> HTTP/1.1", b"GET http://h/<a> HTTP/1.1", b"GET http://h?<q> HTTP/1.9",
        b"<G> / HTTP/1.1",
    ],
)  # fmt: skip
def test_a_request_line_has_its_limit_however_it_is_filled(read: ReadHead, way: bytes, excess: int) -> None:
    line = filled(way, _LIMITS.max_request_line + excess)
    expected = "uri_too_long" if excess > 0 else "accepted"
    assert _outcome(read, _head(line=line)) == expected
    assert _outcome(read, b"\r\n" + _head(line=line)) == expected


@_EVERY_READING
@_OVER_OR_UNDER
@pytest.mark.parametrize(
    "lines",
    [
        [b"X-%d: 1"], [b"X: %d"], [b"X:"], [b"Cookie: c=%d"], [b"Cookie:"], [b"Accept: %d, 2"],
        [b"X_%d: 1", b"X-%d: 2"], [b"X_%d:", b"_: 1", b"Cookie: %d"],
    ],
)  # fmt: skip
def test_fields_are_counted_by_line(read: ReadHead, lines: Sequence[bytes], excess: int) -> None:
    """H29: each line counts, whether it is joined or not; one whose name has an underscore does not."""
    count = _LIMITS.max_fields - 1 + excess  # Host is one of them
    made = [line.replace(b"%d", b"%d" % number) for number in range(count) for line in lines]
    assert _outcome(read, _head(*made)) == ("headers_too_large" if excess > 0 else "accepted")


@_EVERY_READING
@pytest.mark.parametrize("name", [b"X", b"Cookie", b"Accept", b"Authorization", b"Content-Type", b"Origin"])
def test_a_value_has_any_octets_but_controls(read: ReadHead, name: bytes) -> None:
    """H12 to H14. Blanks at its ends are not part of it, and no other octet is a blank (H11)."""
    for octet in _ANY_OCTET:
        head = read([_head(name + b": " + octet + b"v" + octet)], _LIMITS)
        if octet[0] in _CONTROLS:
            assert head == "bad_header", octet
            continue
        assert not isinstance(head, str), octet
        value = (octet + b"v" + octet).strip(b" \t").decode("iso-8859-1")
        assert head.field(name.decode().lower()) == value


@_EVERY_READING
def test_only_token_characters_make_a_name(read: ReadHead) -> None:
    """H15 to H17."""
    for octet in _ANY_OCTET:
        token = octet.isalnum() or octet in b"!#$%&'*+-.^_`|~"
        expected = "accepted" if token else "bad_header"
        if octet != b":":
            assert _outcome(read, _head(b"X" + octet + b"A: 1")) == expected, octet


@_EVERY_READING
@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        (b"Content-Length", b"3", "bad_framing"),
        (b"Transfer-Encoding", b"chunked", "bad_framing"),
        (b"Host", b"h", "bad_host"),
        (b"Expect", b"100-continue", "expectation_failed"),
    ],
)
def test_a_value_that_is_checked_has_no_octet_more(
    read: ReadHead, name: bytes, value: bytes, code: str
) -> None:
    """Every octet at either end is refused, except for blanks and what the field's own grammar allows."""
    lines = [] if name == b"Host" else [b"Host: h"]
    for octet in _ANY_OCTET:
        control = "bad_header" if octet in b"\r\n" or name == b"Expect" else code
        refused = control if octet[0] in _CONTROLS else code
        for changed in (octet + value, value + octet):
            data = b"\r\n".join((b"GET / HTTP/1.1", name + b":" + changed, *lines, b"", b""))
            allowed = _allowed(name, changed)
            assert _outcome(read, data) == ("accepted" if allowed else refused), changed


def _allowed(name: bytes, changed: bytes) -> bool:
    value = changed.strip(b" \t")
    if name == b"Content-Length":
        return value.isdigit()
    if name == b"Host":
        return value.isalnum() or all(octet in b"h-._~!$&'()*+;=" for octet in value) or value == b"h:"
    return len(value) == len(changed) - 1


@_EVERY_READING
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"Expect: 100-continue", b"expect:100-Continue"], "accepted"),
        ([b"Expect: 100-continue", b"Expect:"], "expectation_failed"),
        ([b"Expect: 100-continue,100-continue"], "expectation_failed"),
        ([b"Content-Length: 3", b"Content-Length:3"], "bad_framing"),
        ([b"Content-Length: 3", b"Content-Length:"], "bad_framing"),
        ([b"Content-Length: 3,"], "bad_framing"),
        ([b"Transfer-Encoding: chunked", b"Transfer-Encoding:"], "bad_framing"),
        ([b"Transfer-Encoding:chunked\t,\tchunked"], "bad_framing"),
        ([b"Transfer-Encoding: gzip\t,\tchunked"], "unsupported_transfer_coding"),
        ([b"Transfer-Encoding: g\xe9, chunked"], "bad_framing"),
        ([b"Transfer-Encoding: gzip,, chunked"], "bad_framing"),
        ([b"Content-Type:", b"Content-Type: a/b"], "bad_header"),
        ([b"Content-Type: a/b", b"Content_Type: a/b"], "accepted"),
        ([b"Host:"], "bad_host"),
        ([b"HOST: h"], "bad_host"),
        ([b"Content_Length: 3", b"Transfer_Encoding: x", b"_Host:"], "accepted"),
        ([b"Authorization:", b"Authorization: Basic dTpw"], "bad_header"),
        ([b"Range: bytes=0-1", b"Range:,", b"Accept:,", b"Accept: */*"], "accepted"),
    ],
)
def test_repeated_fields_and_lists(read: ReadHead, lines: Sequence[bytes], expected: str) -> None:
    assert _outcome(read, _head(*lines)) == expected


@_EVERY_READING
@pytest.mark.parametrize(
    ("digits", "value"),
    [
        (b"0", 0), (b"0" * 30 + b"7", 7), (b"18446744073709551619", 18446744073709551619),
        (b"9" * 25, 10**25 - 1), (b"1" + b"0" * 25, 10**25), (b"9" * 26, 10**25), (b"9" * 4301, 10**25),
    ],
    ids=lambda given: f"{len(given)} digits" if isinstance(given, bytes) else "",
)  # fmt: skip
def test_a_length_beyond_all_limits_is_one_number(read: ReadHead, digits: bytes, value: int) -> None:
    """B7: never the first digits of it, which would be a length that another server does not see."""
    head = read([_head(b"Content-Length: " + digits)], Limits())
    assert not isinstance(head, str)
    assert head.content_length == value
