"""Content-Type values and boundaries (rules C1 to C6, M1 to M11)."""

import itertools
from collections.abc import Callable

import pytest

from servers.contract.parsers import Parsers
from servers.contract.problems import Problem
from servers.contract.request import MediaType, Pair
from servers.flask_reading.media_types import read_boundary, read_media_type
from servers.sansio.media_types import parse_boundary, parse_media_type
from tests.parsers import BOTH_PARSERS, read_form
from tests.refusals import refusal_code

_FORM = "multipart/form-data; "


@BOTH_PARSERS
@pytest.mark.parametrize(
    ("value", "essence", "parameters"),
    [
        pytest.param('TEXT/PLAIN; Charset="UTF-8"', "text/plain", [("charset", "UTF-8")], id="C1"),
        pytest.param("text/plain;a=b;c=d", "text/plain", [("a", "b"), ("c", "d")], id="C1: in order"),
        pytest.param("text/plain;", "text/plain", [], id="C3"),
        pytest.param("text/plain ; ;\t; a=b ;", "text/plain", [("a", "b")], id="C3: empty parameters"),
        pytest.param("text/plain \t", "text/plain", [], id="C3: a blank after it"),
        pytest.param('a/b;x="a;b,c\\"d\\\\e"', "a/b", [("x", 'a;b,c"d\\e')], id="C1: quoted pairs"),
        pytest.param('a/b;x="\\a\\ \\\xe9"', "a/b", [("x", "a \xe9")], id="C1: any octet may be escaped"),
        pytest.param('a/b;x="\xe9\xff\t"', "a/b", [("x", "\xe9\xff\t")], id="C1: obs-text"),
        pytest.param('a/b;x=""', "a/b", [("x", "")], id="C1: an empty quoted value"),
        pytest.param("application/vnd.api+json", "application/vnd.api+json", [], id="C8"),
        pytest.param("!#$%&'*+-.^_`|~1/x;!=~", "!#$%&'*+-.^_`|~1/x", [("!", "~")], id="any token"),
        pytest.param("*/*", "*/*", [], id="an asterisk is a token"),
        pytest.param("a/b ; a=b\t;;\tC=d ; ", "a/b", [("a", "b"), ("c", "d")], id="C3: blanks everywhere"),
        pytest.param(_FORM + "boundary=", "multipart/form-data", [("boundary", "")], id="M5"),
        pytest.param(_FORM + "boundary=a\xe9b", "multipart/form-data", [("boundary", "a\xe9b")], id="M6"),
    ],
)
def test_a_media_type(parsers: Parsers, value: str, essence: str, parameters: list[tuple[str, str]]) -> None:
    expected = MediaType(essence, tuple(Pair(*pair) for pair in parameters))
    assert parsers.content_type(value) == expected


@BOTH_PARSERS
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("a/b; x=1; X=2", id="C2"),
        pytest.param("a/b; x=1; x=1", id="C2: equal ones"),
        pytest.param("a/b; =x", id="C4: no name"),
        pytest.param("a/b; x=", id="C4: no value"),
        pytest.param("a/b; x", id="C4: no equals sign"),
        pytest.param('a/b; x="y', id="C4: no closing quote"),
        pytest.param('a/b; x="y\\"', id="C4: the closing quote is escaped"),
        pytest.param('a/b; x="y"z', id="C4: text after the quote"),
        pytest.param('a/b; x=y"z"', id="C4: a quote inside a token"),
        pytest.param("a/b; x = y", id="C4: blanks around the equals sign"),
        pytest.param("a/b; x= y", id="C4: a blank after the equals sign"),
        pytest.param("a/b; x=y z", id="C4: a blank inside a token"),
        pytest.param("a/b; x=\xe9", id="C4: a byte beyond ASCII in a token"),
        pytest.param("a/b; x\xe9=1", id="C4: a byte beyond ASCII in a name"),
        pytest.param('a/b; "x"=1', id="C4: a quoted name"),
        pytest.param("a/b; x=a/b", id="C4: a separator in a token"),
        pytest.param("text", id="C5"),
        pytest.param("/", id="C5: a slash alone"),
        pytest.param("a/", id="C5: no subtype"),
        pytest.param("/b", id="C5: no type"),
        pytest.param('"text/plain"', id="C5: quotes"),
        pytest.param("text /plain", id="C5: a blank before the slash"),
        pytest.param("text/ plain", id="C5: a blank after the slash"),
        pytest.param("a/b/c", id="C5: two slashes"),
        pytest.param("a/b x", id="C5: a word after it"),
        pytest.param("a/b\x0b", id="C5: only SP and TAB are blanks"),
        pytest.param("text/plain, application/json", id="C6"),
        pytest.param("a/b;x=1,a/c", id="C6: after a parameter"),
        pytest.param(_FORM + "boundary=a; boundary=b", id="M7"),
        pytest.param(_FORM + "boundary = b", id="M8"),
        pytest.param(_FORM + "boundary=b c", id="M2"),
        pytest.param(_FORM + "boundary=b=:?/", id="M2: separators"),
        pytest.param(_FORM + "boundary=b,\xe9", id="M2: a comma before an octet beyond ASCII"),
        pytest.param(_FORM + "boundary=\xe9/b", id="M2: a slash after an octet beyond ASCII"),
        pytest.param(_FORM + "boundary=\xe9 b", id="M2: a blank after an octet beyond ASCII"),
        pytest.param(_FORM + 'boundary="b"\xe9', id="C4: an octet beyond ASCII after the quote"),
        pytest.param("multipart/mixed; boundary=b\xe9", id="M6 holds only for form-data: mixed"),
        pytest.param("multipart/form-data, boundary=b", id="M11"),
        pytest.param("text/plain; boundary=", id="M5 holds only for form-data"),
        pytest.param("multipart/mixed; boundary=", id="M5 holds only for form-data: mixed"),
        pytest.param("text/plain; boundary=\xe9", id="M6 holds only for form-data"),
        pytest.param(_FORM + "charset=", id="M5 holds only for boundary"),
        pytest.param("a/b; x =y", id="C4: a blank before the equals sign"),
        pytest.param('a/b; x="\\', id="C4: an open escape"),
        pytest.param("a/b x=y", id="C5: no semicolon"),
    ],
)
def test_a_malformed_media_type_is_refused(parsers: Parsers, value: str) -> None:
    assert refusal_code(parsers.content_type, value) == "content_type_syntax"


@BOTH_PARSERS
@pytest.mark.parametrize(
    ("parameters", "boundary"),
    [
        pytest.param('boundary="a b"', b"a b", id="M1"),
        pytest.param("BOUNDARY=AbC", b"AbC", id="M1: the name in any case"),
        pytest.param("boundary=*****", b"*****", id="M6: a token"),
        pytest.param("boundary=" + "x" * 70, b"x" * 70, id="M4"),
        pytest.param('boundary="a=:?/(),\'+_-."', b"a=:?/(),'+_-.", id="M6: bchars"),
        pytest.param('boundary=" a"', b" a", id="M3: a leading blank"),
        pytest.param("boundary=a%22b", b"a%22b", id="M10"),
        pytest.param('boundary="a\\"b"', None, id="M6: a quote"),
        pytest.param('boundary="a\\b"', None, id="M6: an escaped letter"),
        pytest.param("charset=utf-8; boundary=b; x=y", b"b", id="among others"),
        pytest.param('boundary="a "', None, id="M3"),
        pytest.param('boundary=" "', None, id="M3: a blank alone"),
        pytest.param("boundary=" + "x" * 71, None, id="M4: 71"),
        pytest.param('boundary="\xe9"', None, id="M6: quoted and beyond ASCII"),
        pytest.param("boundary=\xe9", None, id="M6: unquoted and beyond ASCII"),
        pytest.param('boundary="a\tb"', None, id="M6: a TAB"),
        pytest.param('boundary="a;b"', None, id="M6: no bchar"),
        pytest.param('boundary="a@b"', None, id="M6: neither bchar nor tchar"),
        pytest.param("boundary*=utf-8''b", None, id="M9"),
        pytest.param("boundary*0=b", None, id="M9: continued"),
        pytest.param("boundary*0*=b", None, id="M9: continued and extended"),
        pytest.param("boundary=b; boundary*=utf-8''b", None, id="M9: beside a valid one"),
        pytest.param("boundary=b; boundary*0*=b", None, id="M9: continued, beside a valid one"),
        pytest.param('boundary="b<"', None, id="M6: an angle bracket"),
        pytest.param("boundary=a\xe9b", None, id="M6: beyond ASCII among others"),
    ],
)
def test_a_boundary(parsers: Parsers, parameters: str, boundary: bytes | None) -> None:
    """A valid boundary is found in a body: one part, and a delimiter with another boundary as its data."""
    if boundary is None:
        assert read_form(parsers, _FORM + parameters, []) == "boundary_invalid"
        return
    data = b"\r\n--" + boundary[:-1] + b"\r\n"
    head = b"--" + boundary + b"\r\nContent-Disposition: form-data; name=a\r\n\r\n"
    form = read_form(parsers, _FORM + parameters, [head + data + b"\r\n--" + boundary + b"--"])
    assert not isinstance(form, str)
    assert [part.data for part in form] == [data]


@BOTH_PARSERS
@pytest.mark.parametrize(
    "parameters",
    ["", "boundary=", 'boundary=""', "boundary= ", "boundary=;", "bound=b", "charset=utf-8"],
)
def test_a_missing_boundary(parsers: Parsers, parameters: str) -> None:
    """M5: it has its own code, so it is not refused as a malformed media type."""
    assert read_form(parsers, _FORM + parameters, []) == "boundary_missing"


def _code_of_unquoted(boundary: str) -> str | None:
    """What the contract says to an unquoted boundary, without blanks and semicolons; None: it is accepted."""
    if not boundary:
        return "boundary_missing"
    if all(character.isascii() and (character.isalnum() or character in _TOKEN) for character in boundary):
        return None
    octets = [character for character in boundary if character.isascii()]
    if all(character.isalnum() or character in _TOKEN for character in octets):
        return "boundary_invalid"  # nothing but octets beyond ASCII is wrong (M6)
    return "content_type_syntax"


_TOKEN = "!#$%&'*+-.^_`|~"
_VALUE_CHARACTERS = [chr(octet) for octet in (0x09, *range(0x20, 0x7F), *range(0x80, 0x100))]


@pytest.mark.parametrize(
    "boundary_of",
    [
        lambda value: parse_boundary(parse_media_type(value)),
        lambda value: read_boundary(read_media_type(value)),
    ],
    ids=["sansio", "flask"],
)
def test_every_unquoted_boundary_of_one_to_three_octets(boundary_of: Callable[[str], bytes]) -> None:
    """C4, M2, M5, M6: an unquoted value is a token. Octets beyond ASCII alone have another code."""
    pairs = ("".join(pair) for pair in itertools.product(_VALUE_CHARACTERS, [*_VALUE_CHARACTERS, ""]))
    three = (f"a{character}{other}" for character in _VALUE_CHARACTERS for other in "a,\xe9")
    found: dict[str, str | None] = {}
    for boundary in (*pairs, *three):
        if set(boundary).isdisjoint(' \t;"'):  # these end an unquoted value, or begin a quoted one
            try:
                found[boundary] = boundary_of(_FORM + "boundary=" + boundary).decode()
            except Problem as problem:
                found[boundary] = problem.code
    assert found == {boundary: _code_of_unquoted(boundary) or boundary for boundary in found}
