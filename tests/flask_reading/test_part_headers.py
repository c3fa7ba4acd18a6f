"""The header block of a part and its Content-Disposition: rules M37 to M77."""

import pytest

from tests.flask_reading.bodies import DISPOSITION as A
from tests.flask_reading.bodies import heads, one_part, parts

F = b"Content-Disposition: form-data; "

NAMES: dict[str, tuple[bytes, str, str | None]] = {
    "M39 empty name": (b'name=""', "", None),
    "M41 upper case, no blanks": (b'NAME="a";FILENAME="f"', "a", "f"),
    "M43 blank before the semicolon": (b'name="a" ; filename="f"', "a", "f"),
    "M44 semicolon in quotes": (b'name="a;b"', "a;b", None),
    "empty parameters": (b';; name="a"; ;', "a", None),
    "token": (b"name=a; filename=f.txt", "a", "f.txt"),
    "M50 UTF-8": ('name="é"; filename="日本"'.encode(), "é", "日本"),
    "M51 filename in ISO-8859-1": (b'name="a"; filename="caf\xe9"', "a", "café"),
    "M51 beside a name in UTF-8": (b'name="\xc3\xa9"; filename="caf\xe9"', "é", "café"),
    "M52 percent 22": (b'name="a%22b"; filename="%22f%22"', 'a"b', '"f"'),
    "M53 other percent": (b'name="%0D%0A%41%25"', "%0D%0A%41%25", None),
    "M54 escapes": (rb'name="a\"b\\c"', 'a"b\\c', None),
    "M55 other backslashes": (rb'name="a"; filename="C:\temp\x.txt"', "a", r"C:\temp\x.txt"),
    "M56 empty filename": (b'name="a"; filename=""', "a", ""),
    "M58 path": (b'name="a"; filename="../../x"', "a", "../../x"),
    "M61 extended": (b"name=\"a\"; filename*=UTF-8''na%C3%AFve%20x", "a", "naïve x"),
    "M61 extended in quotes": (b'name="a"; filename*="utf-8\'en\'a(b)%20c"', "a", "a(b) c"),
    "M61 ISO-8859-1": (b"name=\"a\"; filename*=iso-8859-1''%E9", "a", "é"),
    "M61 empty": (b"name=\"a\"; filename*=UTF-8''", "a", ""),
    "M62 extended first": (b'name="a"; filename*=UTF-8\'\'e; filename="p"', "a", "e"),
    "M62 extended last": (b'name="a"; filename="p"; filename*=UTF-8\'\'e', "a", "e"),
    "M64 extended name": (b"name*=UTF-8''n%C3%A9; filename=f", "né", "f"),
    "M65 encoded word": (b'name="=?utf-8?q?a?="; filename="&#233;"', "=?utf-8?q?a?=", "&#233;"),
    "M66 TAB": (b'name="a\tb"', "a\tb", None),
    "M67 fold in quotes": (b'name="a\r\n \t b"', "a b", None),
    "unknown parameters": (b'name="a"; size=3; filename-x="y"', "a", None),
}
REFUSED: dict[str, tuple[bytes, str]] = {
    "M37": (b"X: y", "disposition_missing"),
    "M38": (F + b'filename="f"', "name_missing"),
    "M40 attachment": (b'Content-Disposition: attachment; name="a"', "disposition_type"),
    "M40 no semicolon": (b'Content-Disposition: form-data name="a"', "disposition_type"),
    "M40 empty": (b"Content-Disposition:", "disposition_type"),
    "M42": (F + b'name = "a"', "disposition_syntax"),
    "M45": (F + b'name="a"b"', "disposition_syntax"),
    "M45 raw quote before a semicolon": (F + b'name="a;b="c"', "disposition_syntax"),
    "M46": (F + b'name="a', "disposition_syntax"),
    "M46 escaped last quote": (F + rb'name="a\"', "disposition_syntax"),
    "M47 name": (F + b"name=a; NAME=b", "disposition_syntax"),
    "M47 filename": (F + b"name=a; filename=b; filename=c", "disposition_syntax"),
    "M48": (A + b"\r\n" + A, "part_header_syntax"),
    "M49": (A + b"\r\nContent-Type: a/b\r\nContent-type: a/b", "part_header_syntax"),
    "M51 name": (F + b'name="\xe9"; filename="f"', "part_header_encoding"),
    "M51 other parameter": (F + b'name="a"; x="\xe9"; filename="\xe9"', "part_header_encoding"),
    "M51 other header": (A + b"\r\nX: \xe9", "part_header_encoding"),
    "M59": (F + b"name=a; filename=my file.txt", "disposition_syntax"),
    "M59 backslash": (F + rb"name=a; filename=C:\x", "disposition_syntax"),
    "M60 no value": (F + b"name=a; filename=", "disposition_syntax"),
    "M60 no equals": (F + b"name=a; filename", "disposition_syntax"),
    "M63 percent": (F + b"name=a; filename*=UTF-8''%zz", "filename_ext"),
    "M63 not UTF-8": (F + b"name=a; filename*=UTF-8''%ff", "filename_ext"),
    "M63 charset": (F + b"name=a; filename*=utf-16''a", "filename_ext"),
    "M63 no quotes": (F + b"name=a; filename*=a", "filename_ext"),
    "M63 control": (F + b"name=a; filename*=UTF-8''%00", "filename_ext"),
    "M63 bare asterisk": (F + b"name=a; filename*=UTF-8''a*b", "filename_ext"),
    "M63 blank in quotes": (F + b"name=a; filename*=\"UTF-8''a b\"", "filename_ext"),
    "M63 beside a good filename": (F + b"name=a; filename=f; filename*=a", "filename_ext"),
    "M64 continuation": (F + b"name=a; filename*0=a", "filename_ext"),
    "M64 extended continuation": (F + b"name*0*=a; name=a", "filename_ext"),
    "M64 bad name": (F + b"name*=a", "filename_ext"),
    "M66 NUL": (F + b'name="a\0"', "part_header_syntax"),
    "M66 DEL": (A + b"\r\nX: \x7f", "part_header_syntax"),
    "M69": (b" " + A, "part_header_syntax"),
    "M70 no colon": (A + b"\r\nX", "part_header_syntax"),
    "M70 empty name": (A + b"\r\n: x", "part_header_syntax"),
    "M70 blank before the colon": (A + b"\r\nX : y", "part_header_syntax"),
    "M71 VT": (A + b"\r\n\x0bX: y", "part_header_syntax"),
    "M74": (A + b"\r\nContent-Transfer-Encoding: base64", "part_transfer_encoding"),
    "M75": (A + b"\r\nContent-Transfer-Encoding: quoted-printable", "part_transfer_encoding"),
    "M75 empty": (A + b"\r\nContent-Transfer-Encoding:", "part_transfer_encoding"),
    "33 fields": (A + b"\r\nX: y" * 32, "part_headers_too_large"),
}


@pytest.mark.parametrize("parameters, name, filename", NAMES.values(), ids=NAMES)
def test_disposition_names_a_part(parameters: bytes, name: str, filename: str | None) -> None:
    assert parts(one_part(F + parameters)) == [(name, filename, b"v")]


@pytest.mark.parametrize("block, code", REFUSED.values(), ids=REFUSED)
def test_header_block_is_refused(block: bytes, code: str) -> None:
    assert parts(one_part(block)) == code


def test_headers_are_shown_in_order_with_lower_case_names() -> None:
    body = one_part(b"X-B: 1", A, b"x-a:\t2 ", b"X-b: 3", b"Content-Length: 99")
    assert [tuple(pair) for pair in heads(body)[0].headers] == [
        ("x-b", "1"),
        ("content-disposition", 'form-data; name="a"'),
        ("x-a", "2"),
        ("x-b", "3"),
        ("content-length", "99"),
    ]


def test_fold_is_one_space_however_many_blanks_and_lines_it_has() -> None:
    body = one_part(A, b"X: a \t\r\n \t\r\n\t b")
    assert heads(body)[0].headers[1].value == "a b"


def test_many_continuations_cost_little() -> None:
    assert parts(one_part(A, b"X: y" + b"\r\n " * 5000)) == [("a", None, b"v")]


def test_content_type_is_verbatim_and_parsed_where_it_can_be() -> None:
    typed = heads(one_part(A, b"Content-Type:  Text/Plain; Charset=UTF-8 "))[0]
    assert typed.content_type == "Text/Plain; Charset=UTF-8"
    assert typed.media_type is not None and typed.media_type.essence == "text/plain"
    garbage = heads(one_part(A, b"Content-Type: text"))[0]
    assert (garbage.content_type, garbage.media_type) == ("text", None)
    assert heads(one_part(A, b"Content-Type:"))[0].content_type == ""
    assert heads(one_part(A))[0].content_type is None


def test_filename_in_iso_8859_1_shows_its_header_so() -> None:
    head = heads(one_part(F + b'name="\xc3\xa9"; filename="\xe9"'))[0]
    assert head.headers[0].value == 'form-data; name="Ã©"; filename="é"'
    assert (head.name, head.filename) == ("é", "é")


@pytest.mark.parametrize("encoding", [b"7bit", b"8BIT", b" binary "])
def test_transfer_encodings_that_change_nothing_are_accepted(encoding: bytes) -> None:
    body = one_part(A, b"Content-Transfer-Encoding: " + encoding)
    assert parts(body) == [("a", None, b"v")]
