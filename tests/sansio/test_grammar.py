"""The grammar that several parsers share."""

import re

import pytest

from servers.sansio.grammar import CONTROL, OWS, QUOTED_STRING, TOKEN, percent_decode

# RFC 9110 5.6.2, spelled out once more so that a slip in the pattern shows.
_TCHARS = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_QUOTED = re.compile(QUOTED_STRING)


def test_a_token_has_tchars_alone() -> None:
    assert {octet for octet in range(256) if TOKEN.fullmatch(bytes([octet]))} == set(_TCHARS)


def test_a_token_has_at_least_one_character_and_no_line_end_behind_it() -> None:
    assert not TOKEN.fullmatch(b"")
    assert not TOKEN.fullmatch(b"token\n")


def test_what_is_no_field_content_is_a_control() -> None:
    controls = {octet for octet in range(256) if CONTROL.search(b"a%cb" % octet)}
    assert controls == (set(range(0x20)) - {0x09}) | {0x7F}


def test_optional_white_space_is_sp_and_tab() -> None:
    assert b"\x0b\x0c \t\x85\xa0".strip(OWS) == b"\x0b\x0c \t\x85\xa0"
    assert b" \t a \t ".strip(OWS) == b"a"


@pytest.mark.parametrize(
    "text", [b'""', b'"a b"', b'"\\""', b'"\\\\"', b'"\t"', b'"\xe9\xff"', b'"a\\ b"', b'"\'"', b'"\\\xe9"']
)
def test_a_quoted_string(text: bytes) -> None:
    assert _QUOTED.fullmatch(text)


@pytest.mark.parametrize(
    "text",
    [b'"', b"", b"a", b'"a""', b'"\\"', b'"a\nb"', b'"\x00"', b'"\x7f"', b'"\\\x00"', b'"\\\x7f"', b'"a" '],
)
def test_no_quoted_string(text: bytes) -> None:
    assert not _QUOTED.fullmatch(text)


def test_a_quoted_string_is_decided_in_linear_time() -> None:
    assert not _QUOTED.fullmatch(b'"' + b"\\\\" * 50_000 + b"\\")


@pytest.mark.parametrize("form", [b"%%%02x", b"%%%02X"])
def test_each_octet_is_decoded_from_either_case_of_its_digits(form: bytes) -> None:
    encoded = b"".join(form % octet for octet in range(256))
    assert percent_decode(b"a" + encoded + b"b") == b"a" + bytes(range(256)) + b"b"


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"%41%42", b"AB", id="R20"),
        pytest.param(b"%aB", b"\xab", id="mixed case"),
        pytest.param(b"%2525", b"%25", id="R25: once"),
        pytest.param(b"%zz", b"%zz", id="R36"),
        pytest.param(b"%4", b"%4", id="R36: one digit"),
        pytest.param(b"%", b"%", id="R36: none"),
        pytest.param(b"%%41", b"%A", id="a literal percent sign before an escape"),
        pytest.param(b"%4%41", b"%4A", id="one digit before an escape"),
        pytest.param(b"%+1% 1%-1%1_", b"%+1% 1%-1%1_", id="what int() would take is no digit"),
        pytest.param("%\u0664\u0661".encode(), "%\u0664\u0661".encode(), id="Arabic digits"),
        pytest.param(b"100%", b"100%", id="at the end"),
        pytest.param(b"+", b"+", id="a plus is no blank here"),
    ],
)
def test_percent_decoding_is_literal_where_it_is_no_escape(encoded: bytes, decoded: bytes) -> None:
    assert percent_decode(encoded) == decoded


def test_kept_octets_stay_as_they_were_written() -> None:
    assert percent_decode(b"/a%2Fb%2fc%41/%", keep=b"/") == b"/a%2Fb%2fcA/%"
