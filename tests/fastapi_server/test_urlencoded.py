"""urlencoded pairs by python-multipart's events: rules U1 to U14."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("python_multipart", reason="without the extra 'fastapi' its reading is NOT tested")

from servers.fastapi_reading import PythonMultipartReading
from tests.fastapi_reading.reading_of import outcome

PARSERS = PythonMultipartReading()


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        (b"", []),
        (b"a+b=c+d", [("a b", "c d")]),
        (b"%zz=%4&%=%4", [("%zz", "%4"), ("%", "%4")]),
        (b"%+1=%2%35", [("% 1", "%25")]),
        (b"&&a=1&&b=2&", [("a", "1"), ("b", "2")]),
        (b"a=1;b=2", [("a", "1;b=2")]),
        (b"a&=1&=&b", [("a", ""), ("", "1"), ("", ""), ("b", "")]),
        (b"a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        ("é=漢".encode(), [("é", "漢")]),
        (b"a=%c3\xa9", [("a", "é")]),
        (b"a=%00%0D%0a\n", [("a", "\0\r\n\n")]),
        (b"a=b=c==", [("a", "b=c==")]),
        (b"\xef\xbb\xbfa=1", [("\ufeffa", "1")]),
        (b"a=%26%3D%2B%2525", [("a", "&=+%25")]),
    ],
)
def test_pairs_are_decoded_once_and_keep_their_order(text: bytes, pairs: list[tuple[str, str]]) -> None:
    assert [tuple(pair) for pair in PARSERS.urlencoded(text, "utf-8")] == pairs


@pytest.mark.parametrize("text", [b"a=\xff", b"%ff", b"a=%c0%af", b"a=%ed%a0%80", b"a=%c3", b"a=%c3&b=%a9"])
def test_what_is_not_utf_8_is_refused_and_is_text_in_latin_1(text: bytes) -> None:
    assert outcome(PARSERS.urlencoded, text, "utf-8") == "form_not_utf8"
    assert PARSERS.urlencoded(text, "iso-8859-1")


def test_a_mebibyte_of_separators_or_escapes_is_read_in_linear_time() -> None:
    began = time.process_time()
    assert PARSERS.urlencoded(b"&" * 2**20, "utf-8") == []
    assert PARSERS.urlencoded(b"%41" * 2**18, "utf-8")[0].name == "A" * 2**18
    assert time.process_time() - began < 3
