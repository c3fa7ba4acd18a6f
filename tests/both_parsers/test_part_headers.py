"""The header block of a part (rules M35 to M51, M66 to M85)."""

import dataclasses

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.request import MediaType, Pair
from servers.sansio.part_headers import parse_part_headers

_D = b"Content-Disposition: form-data; name=a"


def _block(*lines: bytes) -> bytes:
    return b"\r\n".join(lines)


def test_all_fields_are_listed_in_order_of_arrival() -> None:
    """M72, M41: repeated ones too; a Content-Length in a part means nothing."""
    head = parse_part_headers(
        _block(
            b"X-B: 1", b"CONTENT-disposition:form-data; name=a", b"x-b: \t2 ", b"Content-Length: 99", b"X-A:"
        ),
        Limits(),
    )
    assert head.headers == (
        Pair("x-b", "1"),
        Pair("content-disposition", "form-data; name=a"),
        Pair("x-b", "2"),
        Pair("content-length", "99"),
        Pair("x-a", ""),
    )
    assert (head.name, head.filename, head.content_type, head.media_type) == ("a", None, None, None)


@pytest.mark.parametrize(
    ("line", "content_type", "media_type"),
    [
        pytest.param(
            b"Content-Type: Text/Plain; a=B",
            "Text/Plain; a=B",
            MediaType("text/plain", (Pair("a", "B"),)),
            id="M81",
        ),
        pytest.param(b"Content-Type:", "", None, id="M83: empty"),
        pytest.param(b"Content-Type: garbage", "garbage", None, id="M83: malformed"),
        pytest.param("Content-Type: a/\u00e9".encode(), "a/\u00e9", None, id="M83: beyond ASCII"),
        pytest.param(
            'Content-Type: a/b; x="\u20ac"'.encode(),
            'a/b; x="\u20ac"',
            MediaType("a/b", (Pair("x", "\u20ac".encode().decode("iso-8859-1")),)),
            id="M83: beyond ISO-8859-1",
        ),
        pytest.param(b"X: y", None, None, id="M82"),
    ],
)
def test_a_content_type_is_verbatim(
    line: bytes, content_type: str | None, media_type: MediaType | None
) -> None:
    head = parse_part_headers(_block(_D, line), Limits())
    assert (head.content_type, head.media_type) == (content_type, media_type)


@pytest.mark.parametrize("encoding", [b"7bit", b"8BIT", b"binary", b" Binary \t"])
def test_an_identity_transfer_encoding_is_accepted(encoding: bytes) -> None:
    """M74."""
    assert parse_part_headers(_block(_D, b"Content-Transfer-Encoding:" + encoding), Limits()).name == "a"


def test_a_fold_is_one_space() -> None:
    """M68, M67: in quotes too, however long it is."""
    block = b'Content-Disposition: form-data; \t\r\n \t name="a\r\n\tb"\r\nX: 1\r\n\r\n 2'.replace(
        b"1\r\n\r\n", b"1\r\n"
    )
    head = parse_part_headers(block, Limits())
    assert head.name == "a b"
    assert head.headers == (
        Pair("content-disposition", 'form-data; name="a b"'),
        Pair("x", "1 2"),
    )


def test_a_disposition_with_another_file_name_is_shown_as_iso_8859_1() -> None:
    """M51."""
    head = parse_part_headers(_D + b'; filename="\xe9"', Limits())
    assert head.headers == (Pair("content-disposition", 'form-data; name=a; filename="\xe9"'),)
    assert head.filename == "\xe9"


@pytest.mark.parametrize(
    ("block", "code"),
    [
        pytest.param(_block(b"Content-Type: a/b"), "disposition_missing", id="M37"),
        pytest.param(_block(b"Content-Disposition: form-data"), "name_missing", id="M38"),
        pytest.param(_block(_D, _D), "part_header_syntax", id="M48"),
        pytest.param(_block(_D, b"content-disposition: x"), "part_header_syntax", id="M48: goes before M40"),
        pytest.param(_block(_D, b"Content-Type: a/b", b"Content-Type: a/b"), "part_header_syntax", id="M49"),
        pytest.param(
            _block(_D, *[b"Content-Transfer-Encoding: 8bit"] * 2),
            "part_header_syntax",
            id="M49: transfer encoding",
        ),
        pytest.param(_block(_D, b"X: \xe9"), "part_header_encoding", id="M51"),
        pytest.param(_block(_D, b"Content-Type: \xe9"), "part_header_encoding", id="M51: a type"),
        pytest.param(_block(_D + b"; x=\x00"), "part_header_syntax", id="M66"),
        pytest.param(
            _block(b'Content-Disposition: form-data; name="a\x7f"'), "part_header_syntax", id="M66: DEL"
        ),
        pytest.param(_block(b" X: 1", _D), "part_header_syntax", id="M69"),
        pytest.param(_block(b"\tX: 1", _D), "part_header_syntax", id="M69: a TAB"),
        pytest.param(_block(_D, b"X"), "part_header_syntax", id="M70: no colon"),
        pytest.param(_block(_D, b": 1"), "part_header_syntax", id="M70: no name"),
        pytest.param(_block(_D, b"X : 1"), "part_header_syntax", id="M70: a blank before the colon"),
        pytest.param(_block(_D, b"X A: 1"), "part_header_syntax", id="M70: a blank in the name"),
        pytest.param(_block(_D, b"\xc3\xa9: 1"), "part_header_syntax", id="M70: a name beyond ASCII"),
        pytest.param(_block(b"X: 1\x0bContent-Disposition: form-data"), "part_header_syntax", id="M71"),
        pytest.param(_block(_D, *[b"X: 1"] * 32), "part_headers_too_large", id="M73: 33 fields"),
        pytest.param(_block(_D, b"Content-Transfer-Encoding: base64"), "part_transfer_encoding", id="M74"),
        pytest.param(_block(_D, b"Content-Transfer-Encoding:"), "part_transfer_encoding", id="M74: empty"),
        pytest.param(
            _block(_D, b"Content-Transfer-Encoding: quoted-printable"), "part_transfer_encoding", id="M75"
        ),
        pytest.param(_block(b"--b", b"X: 1"), "part_header_syntax", id="M36: a delimiter"),
        pytest.param(_block(b"X \xff", b"Y: \xff"), "part_header_syntax", id="grammar goes before encoding"),
        pytest.param(
            _block(b"X: \xff", _D, _D), "part_header_encoding", id="encoding goes before repetition"
        ),
        pytest.param(
            _block(b"Content-Disposition: form-data", b"Content-Transfer-Encoding: x"),
            "name_missing",
            id="the disposition goes before the transfer encoding",
        ),
    ],
)
def test_a_malformed_block_is_refused(block: bytes, code: str) -> None:
    with pytest.raises(Problem) as raised:
        parse_part_headers(block, Limits())
    assert raised.value.code == code


def test_32_fields_are_accepted_and_folds_are_none() -> None:
    """M73."""
    assert len(parse_part_headers(_block(_D, *[b"X: 1"] * 31), Limits()).headers) == 32
    assert len(parse_part_headers(_block(_D, *[b"X: 1\r\n 2"] * 31), Limits()).headers) == 32
    with pytest.raises(Problem):
        parse_part_headers(_block(_D, b"X: 1"), dataclasses.replace(Limits(), max_part_fields=1))
