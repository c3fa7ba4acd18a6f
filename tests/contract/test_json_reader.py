"""The strict JSON reader (rules J1 to J16)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.contract.json_reader import read_json
from tests.refusals import refusal_code

_DEPTH = 64


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(b"null", None, id="J2: null"),
        pytest.param(b" \t\r\n3\n", 3, id="J2: a number"),
        pytest.param(b'"x"', "x", id="J2: a string"),
        pytest.param(b"false", False, id="J2: a literal"),
        pytest.param(b"{}", {}, id="J2: an object"),
        pytest.param(
            b'{"a":{"a":1},"b":[{"a":2}]}', {"a": {"a": 1}, "b": [{"a": 2}]}, id="J5: not in one object"
        ),
        pytest.param(b'{"a":1,"A":2,"":3}', {"a": 1, "A": 2, "": 3}, id="J5: other keys"),
        pytest.param(b"\xef\xbb\xbf[1]", [1], id="J6"),
        pytest.param('["\u00e9\u20ac\U0001f600"]'.encode(), ["\u00e9\u20ac\U0001f600"], id="J8: UTF-8"),
        pytest.param(b'"\\ud83d\\ude00"', "\U0001f600", id="J10: a surrogate pair"),
        pytest.param(b"9" * 1000, int("9" * 1000), id="J11"),
        pytest.param(b"-" + b"9" * 1000, -int("9" * 1000), id="J11: negative"),
        pytest.param(b"9007199254740993", 2**53 + 1, id="J11: more digits than a double holds"),
        pytest.param(b'"\x7f\\u0000"', "\x7f\0", id="J14"),
        pytest.param(b"[-0, 1.10, 1E5, 1e-400]", [0, 1.1, 100000.0, 0.0], id="J16"),
        pytest.param(b"1" * 2000 + b"e-1999", 1.1111111111111112, id="J11 is for integers"),
        pytest.param(b'"' + b"[{" * 100 + b'"', "[{" * 100, id="J15: brackets in a string"),
        pytest.param(b'"\\"' + b"[" * 100 + b'"', '"' + "[" * 100, id="J15: after an escaped quote"),
        pytest.param(b"[" + b"[]," * 100 + b"{}]", [[]] * 100 + [{}], id="J15: side by side"),
    ],
)
def test_a_json_text(text: bytes, value: object) -> None:
    found = read_json(text, _DEPTH)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *(
            pytest.param(text, id=f"J1: {text!r}")
            for text in (b"", b" \n", b"{", b"[1,]", b'{"a":1,}', b"'a'", b"{} x")
        ),
        *(
            pytest.param(text, id=f"J1: {text!r}")
            for text in (b"[1 2]", b"//x\n1", b"/**/1", b"{a:1}", b'{"a"}', b"]")
        ),
        *(
            pytest.param(text, id=f"J1: {text!r}")
            for text in (b"True", b"nul", b'"', b'"a', b"undefined", b"{1:2}")
        ),
        *(
            pytest.param(text, id=f"J3: {text!r}")
            for text in (b"NaN", b"[Infinity]", b"-Infinity", b"nan", b"inf")
        ),
        *(pytest.param(text, id=f"J4: {text!r}") for text in (b"1e400", b"[-1E400]", b"9" * 400 + b".0")),
        pytest.param(b"\xef\xbb\xbf\xef\xbb\xbf1", id="J6: two BOMs"),
        pytest.param(b"1\xef\xbb\xbf", id="J6: at the end"),
        *(
            pytest.param('{"a":1}'.encode(name), id=f"J7: {name}")
            for name in ("utf-16", "utf-16-le", "utf-16-be")
        ),
        *(
            pytest.param('"a"'.encode(name), id=f"J7: {name}")
            for name in ("utf-32", "utf-32-le", "utf-32-be")
        ),
        pytest.param(b'"\xff"', id="J8"),
        pytest.param(b'"\xc0\xaf"', id="J8: overlong"),
        pytest.param(b'"\xed\xa0\x80"', id="J9"),
        pytest.param(b'"\\ud800"', id="J10"),
        pytest.param(b'{"\\udc00":1}', id="J10: a key"),
        pytest.param(b'"\\ude00\\ud83d"', id="J10: the wrong way round"),
        pytest.param(b"1" * 1001, id="J12"),
        pytest.param(b"-" + b"1" * 1001, id="J12: negative"),
        pytest.param(b"1" * 5000, id="J12: more than CPython converts"),
        *(
            pytest.param(text, id=f"J13: {text!r}")
            for text in (b"01", b"+1", b"0x1", b"1.", b".5", b"1e", b"--1", b"1_0")
        ),
        *(
            pytest.param(text, id=f"J13: {text!r}")
            for text in (b"\x0b1", b"\x0c1", b"\xc2\xa01", b'"\\x41"', b'"\\u12"')
        ),
        *(
            pytest.param(text, id=f"J13: {text!r}")
            for text in (b'"\n"', b'"\x00"', b'"\x1f"', b'"\t"', b"\x001")
        ),
        pytest.param("\u0661".encode(), id="J13: Arabic digits"),
    ],
)
def test_an_invalid_json_text_is_refused(text: bytes) -> None:
    assert refusal_code(read_json, text, _DEPTH) == "json_invalid"


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"b":2,"\\u0061":3}',
        b'[{"x":{"":1,"":2}}]',
        b'{"a":1,"a":NaN}'.replace(b"NaN", b"{}"),
    ],
)
def test_a_repeated_key_is_refused(text: bytes) -> None:
    """J5: keys are compared after escapes are decoded."""
    assert refusal_code(read_json, text, _DEPTH) == "json_duplicate_key"


@pytest.mark.parametrize(("begin", "end"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_the_limit_of_nesting(begin: bytes, end: bytes) -> None:
    """J15."""
    levels = _DEPTH // (begin.count(b"[") + begin.count(b"{"))
    assert read_json(begin * levels + b"1" + end * levels, _DEPTH)
    for more in (levels + 1, 100_000):
        assert refusal_code(read_json, begin * more + b"1" + end * more, _DEPTH) == "json_too_deep"


def test_deep_nesting_never_reaches_the_recursive_parser() -> None:
    """J15: closed brackets and brackets in strings do not get round the check."""
    for text in (
        b"[]" * 50 + b"[" * 200_000,
        b']"' + b"[" * 200_000,
        b'["\\\\"' + b',["]"' * 200_000,
        b"[{" * 99_999,
    ):
        assert refusal_code(read_json, text, _DEPTH) in ("json_too_deep", "json_invalid")


_VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
    ),
    lambda children: st.one_of(st.lists(children), st.dictionaries(st.text(), children)),
    max_leaves=20,
)


@given(_VALUES)
def test_output_of_the_standard_library_is_read_back(value: object) -> None:
    for ascii_only in (True, False):
        assert read_json(json.dumps(value, ensure_ascii=ascii_only).encode(), _DEPTH) == value


def test_a_depth_limit_above_the_recursion_limit_gives_a_problem() -> None:
    assert refusal_code(read_json, b"[" * 200_000 + b"]" * 200_000, max_depth=1_000_000) == "json_too_deep"
