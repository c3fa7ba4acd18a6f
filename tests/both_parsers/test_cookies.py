"""The Cookie field (rules K1 to K15)."""

from collections.abc import Callable

import pytest

from servers.contract.request import Pair
from servers.flask_reading.cookies import read_cookies
from servers.sansio.cookies import parse_cookies

_Parse = Callable[[str], tuple[Pair, ...]]
_BOTH = pytest.mark.parametrize("parse", [parse_cookies, read_cookies], ids=["sansio", "flask"])


@_BOTH
@pytest.mark.parametrize(
    ("field", "cookies"),
    [
        pytest.param("", [], id="none"),
        pytest.param("a=1; b=2", [("a", "1"), ("b", "2")], id="K1"),
        pytest.param("a=1;b=2", [("a", "1"), ("b", "2")], id="K1: no blank"),
        pytest.param(";;; a=1;; ;\t;", [("a", "1")], id="K1: empty pieces"),
        pytest.param("a=1, b=2", [("a", "1, b=2")], id="K2"),
        pytest.param('a="1 2"', [("a", '"1 2"')], id="K3"),
        pytest.param('a="1;2"', [("a", '"1'), ("", '2"')], id="K4"),
        pytest.param('a="x\\"y\\073"', [("a", '"x\\"y\\073"')], id="K5"),
        pytest.param('a="1; b=2', [("a", '"1'), ("b", "2")], id="K6"),
        pytest.param('a=1"2"; b={"x":1}', [("a", '1"2"'), ("b", '{"x":1}')], id="K6: quotes inside"),
        pytest.param("a=1 2 3", [("a", "1 2 3")], id="K6: blanks inside"),
        pytest.param("a=1; a=2; a=1", [("a", "1"), ("a", "2"), ("a", "1")], id="K7"),
        pytest.param("a; =v", [("", "a"), ("", "v")], id="K8"),
        pytest.param("=", [("", "")], id="K8: an equals sign alone"),
        pytest.param(" a = 1 ;\tb\t=\t2\t", [("a", "1"), ("b", "2")], id="K9"),
        pytest.param(
            "a=\x0b1\x0b; b=\xa01\x85", [("a", "\x0b1\x0b"), ("b", "\xa01\x85")], id="K9: other blanks stay"
        ),
        pytest.param("a=b=c; d=%C3+\\", [("a", "b=c"), ("d", "%C3+\\")], id="K10"),
        pytest.param("a=\xc3\xa9", [("a", "\xc3\xa9")], id="K11"),
        pytest.param("a b=1; (c)=2", [("a b", "1"), ("(c)", "2")], id="K12"),
        pytest.param("$Version=1; a=2", [("$Version", "1"), ("a", "2")], id="K13"),
    ],
)
def test_cookies(parse: _Parse, field: str, cookies: list[tuple[str, str]]) -> None:
    assert parse(field) == tuple(Pair(*cookie) for cookie in cookies)


@_BOTH
def test_the_number_of_cookies_has_no_limit(parse: _Parse) -> None:
    """K15."""
    assert len(parse("a=1;" * 300)) == 300
