"""The Content-Disposition of a part (rules M38 to M66)."""

import pytest

from servers.contract.parsers import Parsers
from servers.contract.problems import Problem
from servers.sansio.disposition import parse_disposition
from tests.both_parsers.forms import one_part
from tests.parsers import BOTH_PARSERS, read_form
from tests.refusals import refusal_code

_F = b"form-data; name=a; "


@BOTH_PARSERS
@pytest.mark.parametrize(
    ("value", "name", "filename"),
    [
        pytest.param(b"form-data; name=a", "a", None, id="a token"),
        pytest.param(b'form-data; name="a"; filename="b"', "a", "b", id="quoted"),
        pytest.param(b'form-data; name=""', "", None, id="M39"),
        pytest.param(b'FORM-DATA;NAME="a";FileName="b"', "a", "b", id="M41"),
        pytest.param(b'form-data \t; name="a" ; filename="b"', "a", "b", id="M43"),
        pytest.param(b'form-data; name="a;b"; filename="c;d=e"', "a;b", "c;d=e", id="M44"),
        pytest.param(b'form-data;; ;name="a";', "a", None, id="empty parameters"),
        pytest.param('form-data; name="\u00e9\u20ac"'.encode(), "\u00e9\u20ac", None, id="M50"),
        pytest.param(_F + 'filename="\u00e9"'.encode(), "a", "\u00e9", id="M50: a file name"),
        pytest.param(_F + b'filename="\xe9\x80"', "a", "\xe9\x80", id="M51"),
        pytest.param(
            'form-data; name="\u00e9"; '.encode() + b'filename="\xe9"', "\u00e9", "\xe9", id="M51: each"
        ),
        pytest.param(b'form-data; name="a%22b"; filename="%22%22"', 'a"b', '""', id="M52"),
        pytest.param(_F + b'filename="%0D%0A%41%25%2522"', "a", "%0D%0A%41%25%2522", id="M53"),
        pytest.param(_F + b'filename="%5C%2F"', "a", "%5C%2F", id="M53: others"),
        pytest.param(b'form-data; name="a\\"b"; filename="c\\\\d"', 'a"b', "c\\d", id="M54"),
        pytest.param(_F + b'filename="\\\\\\""', "a", '\\"', id="M54: both"),
        pytest.param(_F + b'filename="C:\\temp\\x.txt"', "a", "C:\\temp\\x.txt", id="M55"),
        pytest.param(_F + b'filename="a\\b\\"c"', "a", 'a\\b"c', id="M55 with M54"),
        pytest.param(_F + b'filename=""', "a", "", id="M56"),
        pytest.param(_F + b'filename="../../etc/passwd"', "a", "../../etc/passwd", id="M58"),
        pytest.param(_F + b"filename*=UTF-8''%e2%82%ac", "a", "\u20ac", id="M61"),
        pytest.param(_F + b"filename*=utf-8'en-GB'x%20y", "a", "x y", id="M61: a language"),
        pytest.param(_F + b"filename*=ISO-8859-1''%e9", "a", "\xe9", id="M61: ISO-8859-1"),
        pytest.param(_F + b"filename*=\"UTF-8''%e2%82%ac\"", "a", "\u20ac", id="M61: quoted"),
        pytest.param(_F + b"filename*=\"utf-8''a/b(c)\"", "a", "a/b(c)", id="M61: quoted and literal"),
        pytest.param(_F + b"filename*=utf-8''", "a", "", id="M61: empty"),
        pytest.param(_F + b"filename*=utf-8''%22%2522", "a", '"%22', id="M61: decoded once"),
        pytest.param(_F + b"filename*=utf-8''b; filename=b", "a", "b", id="M62: equal names"),
        pytest.param(_F + b"filename=\"\xe9\"; filename*=utf-8''%c3%a9", "a", "\xe9", id="M62 with M51"),
        pytest.param(b"form-data; name*=utf-8''%c3%a9", "\u00e9", None, id="M64"),
        pytest.param(b"form-data; name=_; name*=utf-8''%c3%a9", "\u00e9", None, id="M64: name* wins"),
        pytest.param(
            _F + b"filename*=UTF-8''a'(b)*,/:<=>?@[\\]c", "a", "a'(b)*,/:<=>?@[\\]c", id="M63: bare"
        ),
        pytest.param(_F + b"filename*=\"UTF-8''a\\b;c\"", "a", "a\\b;c", id="M63: in quotes"),
        pytest.param(_F + b"filename*=UTF-8''a;b=c", "a", "a", id="M63: a semicolon ends it"),
        pytest.param(_F + b"filename*=utf8''%c3%a9", "a", "\xe9", id="M61: utf8"),
        pytest.param(_F + b"filename*=latin1''%e9", "a", "\xe9", id="M61: latin1"),
        pytest.param(_F + b"filename*=us-ascii''%41", "a", "A", id="M61: us-ascii"),
        pytest.param(_F + b'filename="=?utf-8?Q?x?= &#233;"', "a", "=?utf-8?Q?x?= &#233;", id="M65"),
        pytest.param(_F + b'filename="a\tb"', "a", "a\tb", id="M66: a TAB"),
        pytest.param(_F + b'x="y"; filename=b; size=3', "a", "b", id="other parameters"),
        pytest.param(_F + b'filename-x="y"', "a", None, id="another parameter"),
        pytest.param(_F + b"filename*=UTF-8''na%C3%AFve%20x", "a", "na\u00efve x", id="M61: a blank"),
    ],
)
def test_a_disposition(parsers: Parsers, value: bytes, name: str, filename: str | None) -> None:
    form = read_form(parsers, "multipart/form-data; boundary=b", [one_part(b"Content-Disposition: " + value)])
    assert not isinstance(form, str), form
    assert [(part.head.name, part.head.filename, part.data) for part in form] == [(name, filename, b"v")]


@BOTH_PARSERS
@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param(b"form-data", "name_missing", id="M38"),
        pytest.param(b"form-data; filename=b", "name_missing", id="M38: a file name alone"),
        pytest.param(b"attachment; name=a", "disposition_type", id="M40"),
        pytest.param(b"file; name=a", "disposition_type", id="M40: file"),
        pytest.param(b"", "disposition_type", id="M40: empty"),
        pytest.param(b"; name=a", "disposition_type", id="M40: no type"),
        pytest.param(b"form-data name=a", "disposition_type", id="M40: no semicolon"),
        pytest.param(b"form-data, name=a", "disposition_type", id="M40: a comma"),
        pytest.param(b"form-data; name =a", "disposition_syntax", id="M42"),
        pytest.param(b"form-data; name= a", "disposition_syntax", id="M42: after the equals sign"),
        pytest.param(b'form-data; name="a"b"', "disposition_syntax", id="M45"),
        pytest.param(b'form-data; name="a;b="c"', "disposition_syntax", id="M45: a quote after a semicolon"),
        pytest.param(b'form-data; name="a" b', "disposition_syntax", id="M45: text after the quote"),
        pytest.param(b'form-data; name="a', "disposition_syntax", id="M46"),
        pytest.param(b'form-data; name="a\\"', "disposition_syntax", id="M46: escaped"),
        pytest.param(b"form-data; name=a; name=a", "disposition_syntax", id="M47"),
        pytest.param(b"form-data; name=a; NAME=b", "disposition_syntax", id="M47: in other case"),
        pytest.param(_F + b"filename=b; filename=c", "disposition_syntax", id="M47: filename"),
        pytest.param(
            _F + b"filename*=utf-8''b; filename*=utf-8''b", "disposition_syntax", id="M47: filename*"
        ),
        pytest.param(_F + b"filename=my file.txt", "disposition_syntax", id="M59"),
        pytest.param(_F + b"filename=C:\\x", "disposition_syntax", id="M59: a path"),
        pytest.param(_F + "filename=\u00e9".encode(), "disposition_syntax", id="M59: beyond ASCII"),
        pytest.param(_F + b"filename=", "disposition_syntax", id="M60"),
        pytest.param(_F + b"filename", "disposition_syntax", id="M60: no equals sign"),
        pytest.param(b"form-data; =a", "disposition_syntax", id="M60: no name"),
        pytest.param(b'form-data; name="a", filename="b"', "disposition_syntax", id="a comma"),
        pytest.param(b'form-data; name="\xe9"', "part_header_encoding", id="M51: a name"),
        pytest.param(_F + b'x="\xe9"; filename="\xe9"', "part_header_encoding", id="M51: another parameter"),
        pytest.param(_F + b"filename*=utf-8''%zz", "filename_ext", id="M63: not hex digits"),
        pytest.param(_F + b"filename*=utf-8''100%", "filename_ext", id="M63: a percent sign alone"),
        pytest.param(_F + b"filename*=utf-16''a", "filename_ext", id="M63: another charset"),
        pytest.param(_F + b"filename*=''a", "filename_ext", id="M63: no charset"),
        pytest.param(_F + b"filename*=a", "filename_ext", id="M63: no quotes"),
        pytest.param(_F + b"filename*=utf-8'a", "filename_ext", id="M63: one quote"),
        pytest.param(_F + b"filename*=utf-8''%ff", "filename_ext", id="M63: not UTF-8"),
        pytest.param(_F + b"filename*=utf-8''%00", "filename_ext", id="M63: NUL"),
        pytest.param(_F + b"filename*=iso-8859-1''%7f", "filename_ext", id="M63: DEL"),
        pytest.param(_F + b"filename*=\"utf-8''a%\"", "filename_ext", id="M63: a percent sign in quotes"),
        pytest.param(_F + "filename*=\"utf-8''\u00e9\"".encode(), "filename_ext", id="M63: raw UTF-8"),
        pytest.param(_F + b"filename*=utf-8''b; filename=c", "filename_conflict", id="M62"),
        pytest.param(
            _F + b"filename=c; filename*=utf-8''b", "filename_conflict", id="M62: in the other order"
        ),
        pytest.param(b"form-data; name=b; name*=utf-8''c", "filename_conflict", id="M62: name*"),
        pytest.param(_F + b"filename*=us-ascii''%e9", "filename_ext", id="M61: not US-ASCII"),
        pytest.param(_F + b"filename*=utf-8''a;b", "disposition_syntax", id="M63: a bare semicolon"),
        pytest.param(_F + b"filename*=utf-8''a b", "disposition_syntax", id="M63: a bare blank"),
        pytest.param(
            _F + b"filename*=utf-8''a\"b\"", "disposition_syntax", id="M63: a quote in a bare value"
        ),
        pytest.param(_F + b"filename=a(b", "disposition_syntax", id="M59: a bare parenthesis"),
        pytest.param(_F + b"filename*=x; filename=b", "filename_ext", id="M63: beside a valid one"),
        pytest.param(b"form-data; name*=x", "filename_ext", id="M63: name*"),
        pytest.param(_F + b"filename*0=b", "filename_ext", id="M64"),
        pytest.param(_F + b"filename*0*=utf-8''b; filename*1=c", "filename_ext", id="M64: extended"),
        pytest.param(_F + b"name*0=a", "filename_ext", id="M64: name"),
        pytest.param(b"form-data; name*0=a", "name_missing", id="M38: a continued name does not count"),
        pytest.param(_F + b"filename*=\"utf-8''a b\"", "filename_ext", id="M63: a blank in quotes"),
        pytest.param(_F + b"filename*=\"utf-8'e n'a\"", "filename_ext", id="M63: no language"),
        pytest.param(b"form-data\xff; name=a", "part_header_encoding", id="M51: the type"),
        pytest.param(b"form-data; filename*=x", "name_missing", id="the name is checked first"),
        pytest.param(b"form-data; name*0*=a; name=a", "filename_ext", id="M64: extended, beside a name"),
    ],
)
def test_a_malformed_disposition_is_refused(parsers: Parsers, value: bytes, code: str) -> None:
    body = one_part(b"Content-Disposition: " + value)
    assert read_form(parsers, "multipart/form-data; boundary=b", [body]) == code


def test_only_sp_and_tab_are_blanks_of_a_disposition_type() -> None:
    """M40. In a whole form, the control character is refused before."""
    assert refusal_code(parse_disposition, b"form-data\x0b; name=a") == "disposition_type"


def test_backslashes_are_parsed_in_linear_time() -> None:
    value = b'form-data; name="' + b"\\\\" * 8000 + b"\\x" * 4000
    with pytest.raises(Problem):
        parse_disposition(value)
    assert parse_disposition(value + b'"').name == "\\" * 8000 + "\\x" * 4000
