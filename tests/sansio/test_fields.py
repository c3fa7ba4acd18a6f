"""The field lines of a head: grammar, size, number, framing and Host (rules H1 to H35, B5 to B23)."""

import dataclasses

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.sansio.fields import FieldLines, Framing, pairs_of, parse_field_line
from tests.refusals import refusal_code


def _fields(*lines: bytes, minor_version: int = 1, limits: Limits | None = None) -> FieldLines:
    fields = FieldLines(minor_version, limits or Limits())
    for line in lines:
        fields.add(line)
    return fields


def _code_of(*lines: bytes, minor_version: int = 1) -> str:
    """The code of the Problem for a head with these lines."""
    with pytest.raises(Problem) as raised:
        fields = _fields(*lines, minor_version=minor_version)
        fields.framing()
        fields.host()
    return raised.value.code


@pytest.mark.parametrize(
    ("line", "field"),
    [
        pytest.param(b"X-A: 1", (b"x-a", b"1"), id="H19"),
        pytest.param(b"X-A:", (b"x-a", b""), id="H11: empty"),
        pytest.param(b"X-A:1", (b"x-a", b"1"), id="H11: no blank"),
        pytest.param(b"X-A: \t 1 2 \t ", (b"x-a", b"1 2"), id="H11: blanks at both ends"),
        pytest.param(b"X-A: a:b", (b"x-a", b"a:b"), id="the first colon"),
        pytest.param(b"X-A: a\tb", (b"x-a", b"a\tb"), id="H13: a TAB inside"),
        pytest.param(b"X-A: \x80\xff\xa0", (b"x-a", b"\x80\xff\xa0"), id="H14"),
        pytest.param(b"!#$%&'*+-.^_`|~1: x", (b"!#$%&'*+-.^_`|~1", b"x"), id="H16"),
        pytest.param(b"X_A: 1", (b"x_a", b"1"), id="H17: parsed like any other"),
    ],
)
def test_a_field_line(line: bytes, field: tuple[bytes, bytes]) -> None:
    assert parse_field_line(line) == field


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param(b" two", "bad_header", id="H1: a fold"),
        pytest.param(b"\ttwo: 2", "bad_header", id="H1: a fold with a TAB"),
        pytest.param(b" X-A: 1", "bad_header", id="H2"),
        pytest.param(b"  ", "bad_header", id="H3"),
        pytest.param(b"X-A : 1", "bad_header", id="H7"),
        pytest.param(b"X-A\t: 1", "bad_header", id="H7: a TAB"),
        pytest.param(b"Content-Length : 3", "bad_header", id="H8"),
        pytest.param(b"Host : h", "bad_header", id="H8: Host"),
        pytest.param(b"X A: 1", "bad_header", id="H9"),
        pytest.param(b"X-A", "bad_header", id="H9: no colon"),
        pytest.param(b": 1", "bad_header", id="H10"),
        pytest.param(b"X-A: a\x00b", "bad_header", id="H12"),
        pytest.param(b"X\x00A: 1", "bad_header", id="H12: in a name"),
        pytest.param(b"X-A: a\x0bb", "bad_header", id="H13: VT"),
        pytest.param(b"X-A: \x0c", "bad_header", id="H13: FF is not a blank"),
        pytest.param(b"X-A: a\x7f", "bad_header", id="H13: DEL"),
        pytest.param(b"X-A: a\rb", "bad_header", id="H4"),
        pytest.param("\u00e9: 1".encode(), "bad_header", id="H15"),
        pytest.param(b"X(A: 1", "bad_header", id="H15: a separator"),
        pytest.param(b"X_A: a\x00", "bad_header", id="H17: dropped, but checked"),
        pytest.param(b"Host: h\x00", "bad_host", id="H12: in Host"),
        pytest.param(b"HOST: \x7f", "bad_host", id="H13: in Host"),
        pytest.param(b"Content-Length: 3\x00", "bad_framing", id="H12: in Content-Length"),
        pytest.param(b"Transfer-Encoding: \x0bchunked", "bad_framing", id="B22"),
        pytest.param(b"Cookie: a=\x01", "bad_header", id="K14"),
        pytest.param(b"Expect: 100-\x01continue", "bad_header", id="grammar before Expect"),
    ],
)
def test_a_malformed_field_line_is_refused(line: bytes, code: str) -> None:
    assert _code_of(line) == code


def test_repeated_fields_are_joined_and_names_with_underscores_are_dropped() -> None:
    """H17, H18, H20, H21."""
    fields = _fields(
        *(b"X-A: 1", b"X_A: 2", b"x-a:", b"X-A: 3", b"Cookie: a=1", b"COOKIE: b=2", b"X_Only: 1"),
        *(b"Authorization: Basic x", b"SCRIPT_NAME: /a"),
    )
    assert fields.joined() == {
        "x-a": "1,,3",
        "cookie": "a=1; b=2",
        "authorization": "Basic x",
    }


def test_fields_are_shown_sorted_by_name() -> None:
    assert [pair.name for pair in pairs_of({"b": "1", "a": "2", "a-b": "3"})] == ["a", "a-b", "b"]


@pytest.mark.parametrize("second", [b"Content-Type: a/b", b"content-type: c/d", b"CONTENT-TYPE:"])
def test_a_second_content_type_is_refused(second: bytes) -> None:
    """H22."""
    assert _code_of(b"Content-Type: a/b", second) == "bad_header"
    assert _fields(b"Content-Type: a/b", b"Content_Type: c/d").joined() == {"content-type": "a/b"}


@pytest.mark.parametrize("second", [b"Authorization: Basic x", b"authorization: y", b"AUTHORIZATION:"])
def test_a_second_authorization_is_refused(second: bytes) -> None:
    """H23."""
    assert _code_of(b"Authorization: Basic x", second) == "bad_header"
    assert _code_of(b"Authorization:", second) == "bad_header"


def test_a_head_has_at_most_100_fields() -> None:
    """H29: names with `_` do not count. The line after the limit is refused before it is parsed."""
    fields = _fields(*(b"X-%d: 1" % number for number in range(99)), *[b"X_A: 1"] * 50, b"X-99: 1")
    for line in (b"X-100: 1", b"no field at all", b"X_A: 1"):
        assert refusal_code(fields.add, line) == "headers_too_large"


@pytest.mark.parametrize(
    "value", [b"foo", b"", b"100-continue, foo", b"100-continue;q=1", b"100", b"100-continue,"]
)
def test_any_other_expectation_is_refused(value: bytes) -> None:
    """H35; B38: HTTP/1.0 has no Expect."""
    assert _code_of(b"Expect: 100-Continue", b"Expect: " + value) == "expectation_failed"
    assert _fields(b"Expect: " + value, minor_version=0).joined() == {"expect": value.decode()}


@pytest.mark.parametrize(
    ("lines", "framing"),
    [
        pytest.param([], Framing(None, False), id="B11"),
        pytest.param([b"Content-Length: 0"], Framing(0, False), id="B1: zero"),
        pytest.param([b"Content-Length: 003"], Framing(3, False), id="B6"),
        pytest.param([b"Content-Length: \t3 "], Framing(3, False), id="B5: blanks around it"),
        pytest.param([b"Content-Length: " + b"0" * 5000 + b"7"], Framing(7, False), id="B6: many zeros"),
        pytest.param([b"Transfer-Encoding: chunked"], Framing(None, True), id="B15"),
        pytest.param([b"Transfer-Encoding: \tCHUNKed "], Framing(None, True), id="B15: any case, blanks"),
        pytest.param([b"Transfer_Encoding: chunked", b"Content-Length: 3"], Framing(3, False), id="B25"),
        pytest.param([b"Content_Length: 3"], Framing(None, False), id="H17: Content_Length"),
    ],
)
def test_framing(lines: list[bytes], framing: Framing) -> None:
    assert _fields(*lines).framing() == framing


@pytest.mark.parametrize("digits", [b"9" * 23, b"9" * 5000, b"1" + b"0" * 8000])
def test_a_length_with_many_digits_exceeds_every_limit(digits: bytes) -> None:
    """B7: more than 25 digits are not converted."""
    length = _fields(b"Content-Length: " + digits).framing().content_length
    assert length is not None
    assert length > 10**22


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        *(
            pytest.param([b"Content-Length: " + value], "bad_framing", id=f"B5: {value!r}")
            for value in (
                b"-1",
                b"+3",
                b"0x3",
                b"1 0",
                b"1_0",
                b"3.0",
                b"",
                b"\xb2",
                "\u0663".encode(),
                b"3;",
                b"a",
            )
        ),
        pytest.param([b"Content-Length: 3", b"Content-Length: 3"], "bad_framing", id="B8"),
        pytest.param([b"Content-Length: 3", b"content-length: 4"], "bad_framing", id="B9"),
        pytest.param([b"Content-Length: 3, 3"], "bad_framing", id="B10"),
        pytest.param([b"Content-Length: 3, 4"], "bad_framing", id="B10: different"),
        pytest.param([b"Content-Length: 0", b"Transfer-Encoding: chunked"], "bad_framing", id="B16"),
        pytest.param(
            [b"Transfer-Encoding: gzip, chunked", b"Content-Length: 1"], "bad_framing", id="B16 first"
        ),
        pytest.param([b"Transfer-Encoding: identity"], "bad_framing", id="B17"),
        pytest.param([b"Transfer-Encoding: gzip"], "bad_framing", id="B18"),
        pytest.param([b"Transfer-Encoding: gzip, chunked"], "unsupported_transfer_coding", id="B19"),
        pytest.param([b"Transfer-Encoding: a,B , Chunked"], "unsupported_transfer_coding", id="B19: three"),
        pytest.param([b"Transfer-Encoding: chunked, gzip"], "bad_framing", id="B20"),
        pytest.param([b"Transfer-Encoding: chunked, chunked"], "bad_framing", id="B20: twice"),
        pytest.param([b"Transfer-Encoding: chunked"] * 2, "bad_framing", id="B20: two lines"),
        pytest.param(
            [b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked"], "bad_framing", id="B20: split"
        ),
        *(
            pytest.param([b"Transfer-Encoding: " + value], "bad_framing", id=f"B21: {value!r}")
            for value in (
                b"xchunked",
                b'"chunked"',
                b"chunked;x=1",
                b"",
                b",chunked",
                b"chunked,",
                b"a b, chunked",
            )
        ),
        pytest.param([b"Host:"], "bad_host", id="H27: empty"),
        pytest.param([b"Host: a b"], "bad_host", id="H27: a blank"),
        pytest.param([b"Host: \xe9"], "bad_host", id="H27: beyond ASCII"),
        pytest.param([b"Host: a", b"Host: a"], "bad_host", id="H26"),
        pytest.param([b"Host: a, a"], "bad_host", id="H26: joined"),
        pytest.param([], "bad_host", id="H24"),
        pytest.param([b"Host_: a"], "bad_host", id="H24: another name"),
        pytest.param([b"Content-Length: x"], "bad_framing", id="framing before Host"),
    ],
)
def test_bad_framing_and_hosts_are_refused(lines: list[bytes], code: str) -> None:
    assert _code_of(*lines) == code


def test_chunked_is_refused_in_http_1_0() -> None:
    """B23."""
    assert _code_of(b"Transfer-Encoding: chunked", minor_version=0) == "bad_framing"


def test_a_host_is_verbatim_and_http_1_0_needs_none() -> None:
    """H25, H28."""
    assert _fields(b"Host: [::1]:80").host() == "[::1]:80"
    assert _fields(b"host: LocalHost ").host() == "LocalHost"
    assert _fields(minor_version=0).host() is None


def test_every_limit_of_the_head_can_be_set() -> None:
    fields = FieldLines(1, dataclasses.replace(Limits(), max_fields=1))
    fields.add(b"Host: h")
    with pytest.raises(Problem):
        fields.add(b"X: 1")
