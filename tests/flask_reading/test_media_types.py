"""Content-Type, boundary and urlencoded pairs: rules C1 to C6, M1 to M11, U1 to U14."""

from typing import Literal

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.flask_reading import WerkzeugParsers

PARSERS = WerkzeugParsers()
FORM = "multipart/form-data; "


def boundary(parameters: str) -> bytes | str:
    try:
        return PARSERS.multipart(PARSERS.content_type(FORM + parameters), Limits()).boundary
    except Problem as problem:
        return problem.code


@pytest.mark.parametrize(
    "value, essence, parameters",
    [
        ('TEXT/PLAIN; Charset="UTF-8"', "text/plain", [("charset", "UTF-8")]),
        ("text/plain;", "text/plain", []),
        ("text/plain ; a=b\t;;\tC=d ; ", "text/plain", [("a", "b"), ("c", "d")]),
        (r'a/b; x="\q\"; y=1"', "a/b", [("x", 'q"; y=1')]),
        ('a/b; x=""', "a/b", [("x", "")]),
        ('a/b; x="\xe9"', "a/b", [("x", "\xe9")]),
        ("multipart/form-data; boundary=", "multipart/form-data", [("boundary", "")]),
        ("multipart/form-data; boundary=a\xe9b", "multipart/form-data", [("boundary", "a\xe9b")]),
    ],
)
def test_media_type_is_read(value: str, essence: str, parameters: list[tuple[str, str]]) -> None:
    media_type = PARSERS.content_type(value)
    assert media_type.essence == essence
    assert [tuple(pair) for pair in media_type.parameters] == parameters


@pytest.mark.parametrize(
    "value",
    ["text", "/", "text/", '"text/plain"', "text /plain", "text/plain, a/b", "a/b; =x", "a/b; x", "a/b; x =y",
     "a/b; x= y", 'a/b; x="y', 'a/b; x="y"z', "a/b; x=", "a/b; x=\xe9", "a/b x=y", "a/b; x=1; X=2",
     "multipart/mixed; boundary=", "multipart/form-data; boundary=b c", "multipart/form-data; boundary=:?/",
     "multipart/form-data, boundary=b", 'a/b; x="\\'],
)  # fmt: skip
def test_malformed_media_type_is_refused(value: str) -> None:
    with pytest.raises(Problem, match="content_type_syntax"):
        PARSERS.content_type(value)


@pytest.mark.parametrize(
    "parameters, expected",
    [
        ("boundary=b", b"b"),
        ('BOUNDARY="a b:?/"', b"a b:?/"),
        ("boundary=*****", b"*****"),
        ("boundary=a%22b", b"a%22b"),
        ("boundary=" + "b" * 70, b"b" * 70),
        ("charset=utf-8", "boundary_missing"),
        ("boundary=", "boundary_missing"),
        ('boundary=""', "boundary_missing"),
        ("boundary=" + "b" * 71, "boundary_invalid"),
        ('boundary="b "', "boundary_invalid"),
        ('boundary="b<"', "boundary_invalid"),
        ("boundary=\xe9", "boundary_invalid"),
        ("boundary=a\xe9b", "boundary_invalid"),
        ("boundary*=b", "boundary_invalid"),
        ("boundary*0=b", "boundary_invalid"),
        ("boundary=b; boundary*0*=b", "boundary_invalid"),
        ("boundary=a; boundary=b", "content_type_syntax"),
        ("boundary = b", "content_type_syntax"),
    ],
)
def test_boundary_is_judged(parameters: str, expected: bytes | str) -> None:
    assert boundary(parameters) == expected


@pytest.mark.parametrize(
    "data, expected",
    [
        (b"a+b=c+d", [("a b", "c d")]),
        (b"%zz=%4&%", [("%zz", "%4"), ("%", "")]),
        (b"&&a=1&&b=2&", [("a", "1"), ("b", "2")]),
        (b"a=1;b=2", [("a", "1;b=2")]),
        (b"a&b&=1&=", [("a", ""), ("b", ""), ("", "1"), ("", "")]),
        (b"a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        (b"\xc3\xa9=%c3\xa9&%c3%a9=\xc3%a9", [("é", "é"), ("é", "é")]),
        (b"a=%00%0d%0a\n", [("a", "\0\r\n\n")]),
        (b"a=b=c==", [("a", "b=c==")]),
        (b"\xef\xbb\xbfa=1", [("\ufeffa", "1")]),
        (b"a[]=1&a[]=2", [("a[]", "1"), ("a[]", "2")]),
        (b"", []),
    ],
)
def test_pairs_are_split(data: bytes, expected: list[tuple[str, str]]) -> None:
    assert [tuple(pair) for pair in PARSERS.urlencoded(data, "utf-8")] == expected


@pytest.mark.parametrize(
    "data", [b"a=%ff", b"%c0%af", b"a=%ed%a0%80", b"a=\xff", b"a=%c3&%a9=1", b"\xc3=\xa9"]
)
def test_pairs_must_be_utf8(data: bytes) -> None:
    with pytest.raises(Problem, match="form_not_utf8"):
        PARSERS.urlencoded(data, "utf-8")


@pytest.mark.parametrize("encoding, value", [("utf-8", "é"), ("iso-8859-1", "Ã©")])
def test_declared_charset_is_honoured(encoding: Literal["utf-8", "iso-8859-1"], value: str) -> None:
    assert PARSERS.urlencoded(b"a=%c3\xa9", encoding)[0].value == value
