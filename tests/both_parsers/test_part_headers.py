"""The header block of a part (rules M35 to M51, M66 to M85)."""

import dataclasses

import pytest

from servers.contract.limits import Limits
from servers.contract.parsers import Parsers
from servers.contract.request import MediaType, Pair, PartHead
from tests.both_parsers.forms import one_part
from tests.parsers import BOTH_PARSERS, Form, read_form

_D = b"Content-Disposition: form-data; name=a"


def _form(parsers: Parsers, *lines: bytes, limits: Limits | None = None) -> Form:
    body = one_part(*lines)
    return read_form(parsers, "multipart/form-data; boundary=b", [body], limits or Limits())


def _lines(*lines: bytes) -> list[bytes]:
    return list(lines)


def _head(parsers: Parsers, *lines: bytes) -> PartHead:
    form = _form(parsers, *lines)
    assert not isinstance(form, str), form
    assert [part.data for part in form] == [b"v"]
    return form[0].head


@BOTH_PARSERS
def test_all_fields_are_listed_in_order_of_arrival(parsers: Parsers) -> None:
    """M72, M41: repeated ones too. A Content-Length in a part has no effect."""
    head = _head(
        parsers,
        *(b"X-B: 1", b"CONTENT-disposition:form-data; name=a", b"x-b: \t2 ", b"Content-Length: 99", b"X-A:"),
    )
    assert head.headers == (
        Pair("x-b", "1"),
        Pair("content-disposition", "form-data; name=a"),
        Pair("x-b", "2"),
        Pair("content-length", "99"),
        Pair("x-a", ""),
    )
    assert (head.name, head.filename, head.content_type, head.media_type) == ("a", None, None, None)


@BOTH_PARSERS
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
            MediaType("a/b", (Pair("x", "\xe2\x82\xac"),)),
            id="M83: the bytes as sent",
        ),
        pytest.param(b"X: y", None, None, id="M82"),
    ],
)
def test_a_content_type_is_verbatim(
    parsers: Parsers, line: bytes, content_type: str | None, media_type: MediaType | None
) -> None:
    head = _head(parsers, _D, line)
    assert (head.content_type, head.media_type) == (content_type, media_type)


@BOTH_PARSERS
@pytest.mark.parametrize("encoding", [b"7bit", b"8BIT", b"binary", b" Binary \t"])
def test_an_identity_transfer_encoding_is_accepted(parsers: Parsers, encoding: bytes) -> None:
    """M74."""
    assert _head(parsers, _D, b"Content-Transfer-Encoding:" + encoding).name == "a"


@BOTH_PARSERS
@pytest.mark.parametrize("encoding", [b"quoted-printable", b"Quoted-Printable"])
def test_quoted_printable_is_accepted_and_its_data_are_checked_later(
    parsers: Parsers, encoding: bytes
) -> None:
    """M75."""
    assert _head(parsers, _D, b"Content-Transfer-Encoding: " + encoding).quoted_printable
    assert not _head(parsers, _D).quoted_printable


@BOTH_PARSERS
def test_a_disposition_that_is_not_utf8_is_shown_as_iso_8859_1(parsers: Parsers) -> None:
    """M51: the whole field as it is shown; its name is decoded by itself."""
    head = _head(parsers, _D[:-1] + b'"\xc3\xa9"; filename="\xe9"')
    assert head.headers == (Pair("content-disposition", 'form-data; name="\xc3\xa9"; filename="\xe9"'),)
    assert (head.name, head.filename) == ("\xe9", "\xe9")


@BOTH_PARSERS
@pytest.mark.parametrize(
    ("block", "code"),
    [
        pytest.param(_lines(b"Content-Type: a/b"), "disposition_missing", id="M37"),
        pytest.param(_lines(b"Content-Disposition: form-data"), "name_missing", id="M38"),
        pytest.param(_lines(_D, _D), "part_header_syntax", id="M48"),
        pytest.param(_lines(_D, b"content-disposition: x"), "part_header_syntax", id="M48: before M40"),
        pytest.param(_lines(_D, b"Content-Type: a/b", b"Content-Type: a/b"), "part_header_syntax", id="M49"),
        pytest.param(
            _lines(_D, *[b"Content-Transfer-Encoding: 8bit"] * 2),
            "part_header_syntax",
            id="M49: transfer encoding",
        ),
        pytest.param(_lines(_D, b"X: \xe9"), "part_header_encoding", id="M51"),
        pytest.param(_lines(_D, b"Content-Type: \xe9"), "part_header_encoding", id="M51: a type"),
        pytest.param(_lines(_D + b"; x=\x00"), "part_header_syntax", id="M66"),
        pytest.param(
            _lines(b'Content-Disposition: form-data; name="a\x7f"'), "part_header_syntax", id="M66: DEL"
        ),
        pytest.param(_lines(b" X: 1", _D), "part_header_syntax", id="M69"),
        pytest.param(_lines(b"\tX: 1", _D), "part_header_syntax", id="M69: a TAB"),
        pytest.param(_lines(_D, b"X"), "part_header_syntax", id="M70: no colon"),
        pytest.param(_lines(_D, b": 1"), "part_header_syntax", id="M70: no name"),
        pytest.param(_lines(_D, b"X : 1"), "part_header_syntax", id="M70: a blank before the colon"),
        pytest.param(_lines(_D, b"X A: 1"), "part_header_syntax", id="M70: a blank in the name"),
        pytest.param(_lines(_D, b"\xc3\xa9: 1"), "part_header_syntax", id="M70: a name beyond ASCII"),
        pytest.param(_lines(b"X: 1\x0bContent-Disposition: form-data"), "part_header_syntax", id="M71"),
        pytest.param(_lines(_D, *[b"X: 1"] * 32), "part_headers_too_large", id="M73: 33 fields"),
        pytest.param(_lines(_D, b"Content-Transfer-Encoding: base64"), "part_transfer_encoding", id="M74"),
        pytest.param(_lines(_D, b"Content-Transfer-Encoding:"), "part_transfer_encoding", id="M74: empty"),
        pytest.param(_lines(_D, b"X: 1", b" 2"), "part_header_syntax", id="M68"),
        pytest.param(_lines(_D, b"\t"), "part_header_syntax", id="M68: only a TAB"),
        pytest.param(
            _lines(b'Content-Disposition: form-data; name="a', b' b"'), "part_header_syntax", id="M67: a fold"
        ),
        pytest.param(_lines(b"--b", b"X: 1"), "part_header_syntax", id="M36: a delimiter"),
        pytest.param(_lines(b"X \xff", b"Y: \xff"), "part_header_syntax", id="grammar before encoding"),
        pytest.param(_lines(b"X: \xff", _D, _D), "part_header_encoding", id="encoding before repetition"),
        pytest.param(_lines(_D, b"X: \x7f"), "part_header_syntax", id="M66: DEL in another field"),
        pytest.param(_lines(_D, b"\x0bX: y"), "part_header_syntax", id="M71: VT first"),
        pytest.param(
            _lines(b"Content-Disposition: form-data", b"Content-Transfer-Encoding: x"),
            "name_missing",
            id="the disposition before the transfer encoding",
        ),
    ],
)
def test_a_malformed_block_is_refused(parsers: Parsers, block: list[bytes], code: str) -> None:
    assert _form(parsers, *block) == code


@BOTH_PARSERS
def test_32_fields_are_accepted(parsers: Parsers) -> None:
    """M73."""
    assert len(_head(parsers, _D, *[b"X: 1"] * 31).headers) == 32
    limits = dataclasses.replace(Limits(), max_part_fields=1)
    assert _form(parsers, _D, b"X: 1", limits=limits) == "part_headers_too_large"
