"""Content-Type and the boundary in it: rules C1 to C6 and M1 to M11."""

from __future__ import annotations

import pytest

pytest.importorskip("python_multipart", reason="without the extra 'fastapi' its reading is NOT tested")

from servers.fastapi_reading import PythonMultipartReading
from servers.fastapi_reading.media_types import read_boundary
from tests.fastapi_reading.reading_of import outcome

PARSERS = PythonMultipartReading()
FORM = "multipart/form-data; "


@pytest.mark.parametrize(
    ("value", "essence", "parameters"),
    [
        ('TEXT/PLAIN; Charset="UTF-8"', "text/plain", [("charset", "UTF-8")]),
        ("text/plain;", "text/plain", []),
        (" text/plain ;; ; a=b\t;\tc=d ", "text/plain", [("a", "b"), ("c", "d")]),
        (r'a/b; q="a\"\\\c;d"', "a/b", [("q", r'a"\c;d')]),
        ('a/b; q=""', "a/b", [("q", "")]),
        ('a/b; q="é"', "a/b", [("q", "é")]),
        ("!#$/&'*; +=-", "!#$/&'*", [("+", "-")]),
    ],
)
def test_a_media_type_is_its_essence_and_its_parameters(
    value: str, essence: str, parameters: list[tuple[str, str]]
) -> None:
    media_type = PARSERS.content_type(value)
    assert media_type.essence == essence
    assert [tuple(pair) for pair in media_type.parameters] == parameters


@pytest.mark.parametrize(
    "value",
    [
        *(
            "text",
            "/",
            "text/",
            "/plain",
            "text /plain",
            "text/ plain",
            '"text/plain"',
            "text/plain charset=a",
        ),
        *(
            "a/b; x",
            "a/b; =y",
            "a/b; x =y",
            "a/b; x= y",
            "a/b; x=",
            'a/b; x="y',
            'a/b; x="y\\"',
            'a/b; x="y"z',
        ),
        *("a/b; x=1; X=1", "a/b, c/d", "a/b; x=c/d", "a/b; x=é", "a/b; é=x", 'a/b; x=y"z"'),
        *(
            FORM + "boundary=b c",
            FORM + "boundary=b:?",
            FORM + "boundary=b; boundary=b",
            FORM + "boundary = b",
        ),
        "multipart/form-data, boundary=b",
    ],
)
def test_what_is_no_media_type_is_refused(value: str) -> None:
    assert outcome(PARSERS.content_type, value) == "content_type_syntax"


@pytest.mark.parametrize(
    ("parameters", "boundary"),
    [
        ("boundary=b", b"b"),
        ('BOUNDARY="a b"', b"a b"),
        ("boundary=*****", b"*****"),
        ("boundary=a%22b", b"a%22b"),
        (f"boundary={'x' * 70}", b"x" * 70),
        ('boundary="\'()+_,-./:=?"', b"'()+_,-./:=?"),
        (r'boundary="\a\b"', b"ab"),
    ],
)
def test_a_boundary_is_what_its_parameter_means(parameters: str, boundary: bytes) -> None:
    assert read_boundary(PARSERS.content_type(FORM + parameters)) == boundary


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ("x=y", "boundary_missing"),
        ("boundary=", "boundary_missing"),
        ('boundary=""', "boundary_missing"),
        ('boundary="b "', "boundary_invalid"),
        (f"boundary={'x' * 71}", "boundary_invalid"),
        ("boundary=é", "boundary_invalid"),
        ('boundary="é"', "boundary_invalid"),
        ('boundary="a;b"', "boundary_invalid"),
        ('boundary="a\tb"', "boundary_invalid"),
        ("boundary=b; boundary*=b", "boundary_invalid"),
        ("boundary*0=b", "boundary_invalid"),
        ("boundary*12*=b", "boundary_invalid"),
    ],
)
def test_a_boundary_is_refused_by_a_code_of_its_own(parameters: str, code: str) -> None:
    media_type = PARSERS.content_type(FORM + parameters)
    assert outcome(read_boundary, media_type) == code
