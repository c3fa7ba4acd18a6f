"""The HTML page of a comparison byte by byte: what is in it, and that nothing of a server is markup in it."""

from dataclasses import replace

from clients.comparison.verdicts import Result, Verdict
from clients.html_pages.comparison import comparison_page, shown_requests
from tests.comparison.test_verdicts import case

_EVIL = "<script>alert(1)</script>"
_FIRST, _SECOND = replace(case(), name="first"), replace(case(), name="second", title=_EVIL)
_CASES = {("raw", one.name): one for one in (_FIRST, _SECOND)}
_RESULTS = [
    Result("first", "socket", "raw", Verdict.EQUAL, 200),
    Result("first", _EVIL, "raw", Verdict.DIFFERENT, 200, _EVIL, f"evidence {_EVIL}"),
    Result("second", "socket", "raw", Verdict.EQUAL, 200),
    Result("second", _EVIL, "raw", Verdict.NOT_SENT, detail="tier 3"),
]


def test_the_page_has_the_differences_of_each_backend() -> None:
    page = comparison_page(_RESULTS, _CASES, None, gone={})
    assert "2 of 3 responses are as they must be, <em>1 are not</em>." in page
    assert page.count("<details>") == 1
    assert "GET / HTTP/1.1" in page
    assert "evidence &lt;script&gt;" in page
    assert "<script" not in page


def test_the_page_says_when_nothing_differs_and_when_a_backend_is_gone() -> None:
    page = comparison_page(_RESULTS[:1], _CASES, None, gone={"flask": f"it left {_EVIL}"})
    assert "No difference." in page
    assert "Not complete: flask: it left &lt;script&gt;" in page
    assert "<details>" not in page


def test_with_every_case_each_stands_in_the_page_once() -> None:
    page = comparison_page(_RESULTS, _CASES, None, gone={}, every=True)
    assert "no difference <span>1</span>" in page
    assert page.count("<details>") == 2
    assert "<script" not in page


def test_the_requests_are_those_of_the_page_and_differences_come_first() -> None:
    named = {key: replace(one, request=one.name.encode()) for key, one in _CASES.items()}
    assert shown_requests(_RESULTS, named) == [b"first"]
    assert shown_requests(_RESULTS, named, every=True)[0] == b"first"
    assert set(shown_requests(_RESULTS, named, every=True)) == {b"first", b"second"}
    unsent = {("raw", "first"): replace(_FIRST, request=b"")}
    assert shown_requests(_RESULTS[:2], unsent) == []
