"""application/x-www-form-urlencoded (WHATWG URL 5.1; rules U1 to U14)."""

import contextlib
from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from servers.contract.parsers import Parsers
from servers.contract.request import Pair
from tests.parsers import ALL_PARSERS, BOTH_PARSERS


@BOTH_PARSERS
@pytest.mark.parametrize(
    ("data", "pairs"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"a+b=c+d", [("a b", "c d")], id="U1"),
        pytest.param(b"a%2Bb=c%2b", [("a+b", "c+")], id="U1: an encoded plus is one"),
        pytest.param(b"%zz=%4&%=1", [("%zz", "%4"), ("%", "1")], id="U2"),
        pytest.param(b"&&a=1&&b=2&", [("a", "1"), ("b", "2")], id="U3"),
        pytest.param(b"a=1;b=2", [("a", "1;b=2")], id="U4"),
        pytest.param(b"a&b&=1&=", [("a", ""), ("b", ""), ("", "1"), ("", "")], id="U5"),
        pytest.param(b"a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")], id="U6"),
        pytest.param(b"%c3\xa9=1", [("\u00e9", "1")], id="U7: bytes first, then text"),
        pytest.param("\u00e9=\u20ac".encode(), [("\u00e9", "\u20ac")], id="U8"),
        pytest.param(b"a=%00%0D%0A\x00", [("a", "\0\r\n\0")], id="U10"),
        pytest.param(b"a=b=c==", [("a", "b=c==")], id="U11"),
        pytest.param(b"\xef\xbb\xbfa=1", [("\ufeffa", "1")], id="U12"),
        pytest.param(b"a[]=1&a[b]=2", [("a[]", "1"), ("a[b]", "2")], id="U13"),
        pytest.param(
            b"_charset_=iso-8859-1&a=%c3%a9", [("_charset_", "iso-8859-1"), ("a", "\u00e9")], id="U14"
        ),
        pytest.param(b"a%3Db%26c=1", [("a=b&c", "1")], id="the data are split before they are decoded"),
        pytest.param(b" a = b ", [(" a ", " b ")], id="nothing is trimmed"),
        pytest.param(b"\xc3\xa9=%c3\xa9&%c3%a9=\xc3%a9", [("\u00e9", "\u00e9")] * 2, id="U7, U8: mixed"),
    ],
)
def test_pairs(parsers: Parsers, data: bytes, pairs: list[tuple[str, str]]) -> None:
    assert parsers.urlencoded(data, "utf-8") == [Pair(*pair) for pair in pairs]


@BOTH_PARSERS
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"a=%ff", id="U7"),
        pytest.param(b"a=%c0%af", id="U7: overlong"),
        pytest.param(b"a=%ed%a0%80", id="U7: a surrogate"),
        pytest.param(b"%c3=%a9", id="U7: a sequence over name and value"),
        pytest.param(b"a=1&b=\xff", id="U9"),
        pytest.param(b"a=%f4%90%80%80", id="U7: beyond Unicode"),
        pytest.param(b"%c0%af", id="U7: overlong, in a name"),
        pytest.param(b"a=%c3&%a9=1", id="U7: a sequence over two pairs"),
        pytest.param(b"\xc3=\xa9", id="U9: a sequence over name and value"),
    ],
)
def test_pairs_that_are_not_utf8_are_refused(parsers: Parsers, data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        parsers.urlencoded(data, "utf-8")
    assert parsers.urlencoded(data, "iso-8859-1")


@BOTH_PARSERS
def test_every_octet_is_a_character_of_iso_8859_1(parsers: Parsers) -> None:
    data = b"a=" + b"".join(b"%%%02x" % octet for octet in range(256))
    assert parsers.urlencoded(data, "iso-8859-1") == [Pair("a", bytes(range(256)).decode("iso-8859-1"))]


_PIECES = st.sampled_from(
    [
        *"&=+%;?",
        "&&",
        "==",
        "%2",
        "%zz",
        "%26",
        "%3D",
        "%2B",
        "%C3%A9",
        "%c3",
        "%a9",
        "%E2%82%AC",
        "%00",
        "a",
        "\u20ac",
    ]
)


@given(
    st.one_of(st.lists(_PIECES, max_size=30).map("".join), st.text(max_size=40)).map(
        lambda t: t.encode("utf-8", "ignore")
    )
)
@example(b"%C3\xc3\xa9")
@example(b"a=%e2%82%ac%e2")
def test_parse_qsl_reads_the_same_pairs(data: bytes) -> None:
    """The standard library with strict UTF-8 finds the same pairs (U1 to U14)."""
    expected: list[tuple[str, str]] | None = None
    with contextlib.suppress(UnicodeDecodeError):
        expected = parse_qsl(
            data.decode(),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            separator="&",
            max_num_fields=None,
        )
    for parsers in ALL_PARSERS.values():
        if expected is not None:
            assert parsers.urlencoded(data, "utf-8") == expected
            continue
        with pytest.raises(UnicodeDecodeError):
            parsers.urlencoded(data, "utf-8")
