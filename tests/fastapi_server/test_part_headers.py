"""The header block of a part: rules M37 to M83."""

from __future__ import annotations

import pytest

pytest.importorskip("python_multipart", reason="without the extra 'fastapi' its reading is NOT tested")

from servers.contract.request import PartHead
from tests.fastapi_reading.reading_of import body_of, outcome, parts_of

D = b"Content-Disposition: form-data; "
A = D + b'name="a"'


def head_of(block: bytes) -> PartHead:
    (part,) = parts_of([body_of(block)])
    return part.head


NAMED: dict[str, tuple[bytes, str, str | None]] = {
    "M39-empty-name": (b'name=""', "", None),
    "M41-in-capitals": (b'NAME="a";FILENAME="b"', "a", "b"),
    "M43-blanks-round-the-semicolon": (b'name="a" \t;\t filename="b" ;', "a", "b"),
    "M44-a-semicolon-in-quotes": (b'name="a;b"; filename="; name=c"', "a;b", "; name=c"),
    "M50-utf-8": ('name="é"; filename="漢😀"'.encode(), "é", "漢😀"),
    "M51-a-latin-1-filename": (b'name="a"; filename="\xe9"', "a", "é"),
    "M52-an-encoded-quote": (b'name="%22"; filename="%22%22"', '"', '""'),
    "M53-nothing-else-is-decoded": (b'name="%0D%0A%41%25"', "%0D%0A%41%25", None),
    "M54-two-escapes": (rb'name="\"\\"', '"\\', None),
    "M55-other-backslashes": (rb'name="a\b"; filename="C:\temp\x.txt"', "a\\b", "C:\\temp\\x.txt"),
    "M56-an-empty-filename": (b'name="a"; filename=""', "a", ""),
    "M58-a-path": (b'name="a"; filename="../../etc/passwd"', "a", "../../etc/passwd"),
    "M59-tokens": (b"name=a; filename=b.txt", "a", "b.txt"),
    "M61-extended": (b"name=a; filename*=UTF-8''%e2%82%ac%20x", "a", "€ x"),
    "M61-extended-latin-1": (b"name=a; filename*=iso-8859-1'en'%E9", "a", "é"),
    "M61-extended-in-quotes": (b"name=a; filename*=\"utf-8''a(b)%22\"", "a", 'a(b)"'),
    "M62-the-extended-one-wins": (b"name=a; filename*=utf-8''x; filename=y", "a", "x"),
    "M62-in-either-order": (b"name=a; filename=y; filename*=utf-8''x", "a", "x"),
    "M64-an-extended-name": (b"name*=utf-8''%C3%A9", "é", None),
    "M64-an-extended-name-wins": (b"name=a; name*=utf-8''b", "b", None),
    "M65-encoded-words-and-entities": (b'name="=?utf-8?q?a?="; filename="&#233;"', "=?utf-8?q?a?=", "&#233;"),
    "M66-a-tab": (b'name="a\tb"', "a\tb", None),
    "empty-parameters": (b';; name="a";;', "a", None),
    "unknown-parameters": (b'x=y; name="a"; size=3', "a", None),
}
REFUSED: dict[str, tuple[bytes, str]] = {
    "M37-no-disposition": (b"X: y", "disposition_missing"),
    "M38-no-name": (D + b'filename="f"', "name_missing"),
    "M40-attachment": (b"Content-Disposition: attachment; name=a", "disposition_type"),
    "M40-no-semicolon": (b"Content-Disposition: form-data name=a", "disposition_type"),
    "M42-blanks-round-the-equals-sign": (D + b'name = "a"', "disposition_syntax"),
    "M45-a-raw-quote": (D + b'name="a"b"', "disposition_syntax"),
    "M46-no-closing-quote": (D + b'name="a', "disposition_syntax"),
    "M46-the-closing-quote-is-escaped": (D + b'name="a\\"', "disposition_syntax"),
    "M47-a-second-name": (A + b"; NAME=b", "disposition_syntax"),
    "M48-a-second-disposition": (A + b"\r\n" + A, "part_header_syntax"),
    "M49-a-second-type": (A + b"\r\nContent-Type: a/b\r\ncontent-type: a/b", "part_header_syntax"),
    "M51-a-latin-1-name": (D + b'name="\xe9"', "part_header_encoding"),
    "M51-a-latin-1-value": (A + b"\r\nX: \xe9", "part_header_encoding"),
    "M59-an-unquoted-blank": (A + b"; filename=my file", "disposition_syntax"),
    "M59-unquoted-utf-8": (D + "name=é".encode(), "disposition_syntax"),
    "M60-no-value": (A + b"; filename=", "disposition_syntax"),
    "M60-no-equals-sign": (A + b"; filename", "disposition_syntax"),
    "M63-a-broken-escape": (A + b"; filename*=utf-8''%zz", "filename_ext"),
    "M63-another-charset": (A + b"; filename*=koi8-r''a", "filename_ext"),
    "M63-no-quotes": (A + b"; filename*=abc", "filename_ext"),
    "M63-one-quote": (A + b"; filename*=utf-8'abc", "filename_ext"),
    "M63-not-utf-8": (A + b"; filename*=utf-8''%e9", "filename_ext"),
    "M63-a-control-character": (A + b"; filename*=utf-8''%00", "filename_ext"),
    "M64-sections": (A + b"; filename*0=a", "filename_ext"),
    "M64-encoded-sections": (A + b"; filename*1*=a", "filename_ext"),
    "M66-a-control-character": (D + b'name="a\x01b"', "part_header_syntax"),
    "M69-begins-with-a-blank": (b" " + A, "part_header_syntax"),
    "M70-no-colon": (A + b"\r\nX", "part_header_syntax"),
    "M70-no-name": (A + b"\r\n: y", "part_header_syntax"),
    "M70-a-blank-before-the-colon": (A + b"\r\nX : y", "part_header_syntax"),
    "M70-no-colon-in-the-first-line": (b"X\r\n" + A, "part_header_syntax"),
    "M74-base64": (A + b"\r\nContent-Transfer-Encoding: base64", "part_transfer_encoding"),
    "M74-no-encoding-at-all": (A + b"\r\nContent-Transfer-Encoding:", "part_transfer_encoding"),
}


@pytest.mark.parametrize(("parameters", "name", "filename"), NAMED.values(), ids=NAMED)
def test_name_and_filename(parameters: bytes, name: str, filename: str | None) -> None:
    head = head_of(D + parameters)
    assert (head.name, head.filename) == (name, filename)


@pytest.mark.parametrize(("block", "code"), REFUSED.values(), ids=REFUSED)
def test_a_block_is_refused(block: bytes, code: str) -> None:
    assert outcome(parts_of, [body_of(block)]) == code


def test_all_fields_are_shown_in_order_trimmed_and_unfolded() -> None:
    head = head_of(
        b"x-B: 1\r\nX-b:\t 2 \t\r\n" + A + b'; \r\n\tfilename="f \r\n g"\r\nEmpty:\r\nX-C: \xc3\xa9'
    )
    assert [tuple(pair) for pair in head.headers] == [
        ("x-b", "1"),
        ("x-b", "2"),
        ("content-disposition", 'form-data; name="a"; filename="f g"'),
        ("empty", ""),
        ("x-c", "é"),
    ]
    assert head.filename == "f g"


def test_a_disposition_that_is_not_utf_8_is_shown_as_latin_1_as_a_whole() -> None:
    head = head_of(D + b'name="\xc3\xa9"; filename="\xe9"')
    assert (head.name, head.filename) == ("é", "é")
    assert head.headers[0].value == 'form-data; name="Ã©"; filename="é"'


@pytest.mark.parametrize("encoding", [b"7bit", b"8BIT", b"binary "])
def test_an_encoding_that_encodes_nothing_is_accepted(encoding: bytes) -> None:
    assert head_of(A + b"\r\nContent-Transfer-Encoding: " + encoding).name == "a"


@pytest.mark.parametrize(
    ("value", "shown", "essence"),
    [
        (b"Text/Plain; charset=UTF-8", "Text/Plain; charset=UTF-8", "text/plain"),
        (b"", "", None),
        (b"not a type", "not a type", None),
        ('text/plain; x="漢"'.encode(), 'text/plain; x="漢"', "text/plain"),
    ],
)
def test_a_type_is_shown_verbatim_and_read_where_it_is_one(
    value: bytes, shown: str, essence: str | None
) -> None:
    head = head_of(A + b"\r\nContent-Type: " + value)
    assert head.content_type == shown
    assert (head.media_type and head.media_type.essence) == essence
