"""The grammar that several parsers share."""

import re

import pytest

from servers.sansio.grammar import CONTROL, OWS, QUOTED_STRING, TOKEN, percent_decode

# RFC 9110 5.6.2, repeated here so that a mistake in the pattern is found.
_TCHARS = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_QUOTED = re.compile(QUOTED_STRING)


def test_a_token_consists_of_tchars() -> None:
    assert {octet for octet in range(256) if TOKEN.fullmatch(bytes([octet]))} == set(_TCHARS)


def test_a_token_is_not_empty_and_has_no_line_end_after_it() -> None:
    assert not TOKEN.fullmatch(b"")
    assert not TOKEN.fullmatch(b"token\n")


def test_all_bytes_that_a_field_value_must_not_have_are_controls() -> None:
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
def test_not_a_quoted_string(text: bytes) -> None:
    assert not _QUOTED.fullmatch(text)


def test_a_quoted_string_is_matched_in_linear_time() -> None:
    assert not _QUOTED.fullmatch(b'"' + b"\\\\" * 50_000 + b"\\")


@pytest.mark.parametrize("form", [b"%%%02x", b"%%%02X"])
def test_each_octet_is_decoded_from_hex_digits_of_either_case(form: bytes) -> None:
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
        pytest.param(b"%+1% 1%-1%1_", b"%+1% 1%-1%1_", id="int() accepts these, but they are not digits"),
        pytest.param("%\u0664\u0661".encode(), "%\u0664\u0661".encode(), id="Arabic digits"),
        pytest.param(b"100%", b"100%", id="at the end"),
        pytest.param(b"+", b"+", id="a plus is not a blank"),
    ],
)
def test_invalid_escapes_are_kept(encoded: bytes, decoded: bytes) -> None:
    assert percent_decode(encoded) == decoded


def test_octets_to_keep_stay_encoded() -> None:
    assert percent_decode(b"/a%2Fb%2fc%41/%", keep=b"/") == b"/a%2Fb%2fcA/%"
