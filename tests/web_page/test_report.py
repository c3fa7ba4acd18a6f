"""compare's HTML report shows bytes with the component of the page, from a file, whatever the bytes are."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clients.assessment.assess import Judged
from clients.assessment.findings import Finding
from clients.assessment.groups import Group, Kind
from clients.assessment.html_report import html_report, shown_requests
from clients.assessment.probing import Level, Probe
from clients.assessment.report import Report
from clients.assessment.told import Told
from clients.html_pages.views import views_of
from clients.http1.exchange import Exchange
from clients.http1.response_parser import Response
from tests.assessment.serving import endpoint
from tests.recorded import recorded_cases
from tests.web_page.payloads import PAYLOADS, hostile_form
from tests.web_page.uploads import FORM, FORM_TYPE, post

pytest.importorskip("playwright", reason="without the extra 'browser' the page is NOT tested in a browser")
from playwright.sync_api import Browser, Page, expect

from tests.web_page.browser import PHONE, WIDE, Tab, a_tab

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.timeout(300)
_HOSTILE = "".join(PAYLOADS)
_TOLD = {"multipart": Told(frozenset({"form", "files"}), frozenset({"filename", "size", "sha256"}))}
_PROBE = Probe(Level.PARSED, {"multipart": 200}, _TOLD, ("multipart",), server=_HOSTILE)
_RIGHT = {"form": [{"name": "title", "value": "Holiday"}], "files": []}
_LOST = {"form": [{"name": "title", "value": "Holi"}], "files": [], _HOSTILE: [_HOSTILE]}
_SHORT = post(b"a=1", "application/x-www-form-urlencoded", "/upload/?short=1")


def _answer(value: Any, kind: str = "application/json") -> Exchange:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Exchange((Response(200, (("content-type", kind),), body),))


def _finding(request: bytes, exchange: Exchange, right: Any = None) -> Finding:
    case = recorded_cases()[0].name
    return Finding(
        case,
        "M38",
        Group.SILENT_LOSS,
        Kind.VALUE_CHANGED,
        _HOSTILE,
        _HOSTILE,
        "whole",
        request,
        exchange,
        right,
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on an endpoint that lost a value, accepted a cut form, closed, and sent hostile answers."""
    judged = [Judged(case, None, Exchange(), 0.25) for case in recorded_cases()[:9]]
    findings = [
        _finding(post(FORM, FORM_TYPE), _answer(_LOST), _RIGHT),
        _finding(post(FORM.replace(b"--b--", b"--"), FORM_TYPE), _answer({"form": []})),
        _finding(post(hostile_form(), FORM_TYPE), _answer(_HOSTILE.encode(), "text/html"), _RIGHT),
        _finding(_SHORT, Exchange(closed=True)),
        _finding(
            b"GET /<script>window.ran=1</script> HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n", _answer({})
        ),
    ]
    one = Report(replace(endpoint("http://h/up"), name=f"hostile {_HOSTILE}"), _PROBE, judged, findings, 3.0)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html_report([one], views_of(shown_requests([one]))), "utf-8")
    return path


@pytest.fixture
def open_report(browser: Browser, report: Path) -> "Iterator[Callable[..., Page]]":
    """Opens the report from its file, and fails the test if it complained."""
    with ExitStack() as stack:

        def opened(**options: Any) -> Page:
            tab: Tab = stack.enter_context(a_tab(browser, "", **options))
            tab.page.goto(report.as_uri())
            return tab.page

        yield opened


# The findings of a kind stand in the page with the smallest request first.
_COOKIE, _CLOSED, _CUT, _LOST_VALUE, _HOSTILE_FORM = range(5)


def _open(page: Page, index: int) -> None:
    page.locator("details summary").first.click()
    page.locator("li summary").nth(index).click()
    expect(page.locator(".wire .status .num").first).to_be_visible()


def _open_all(page: Page, views: int) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    expect(page.locator(".wire .status .num").first).to_be_visible()
    expect(page.locator(".wire")).to_have_count(views)


def test_the_bytes_of_a_finding_are_explained_beside_both_answers(open_report: "Callable[..., Page]") -> None:
    page = open_report()
    _open(page, _LOST_VALUE)
    page.mouse.move(0, 0)
    expect(page.locator(".wire .lines .s.hot")).to_have_text("Holiday")
    expect(page.locator(".wire .status .path")).to_have_text("form[0].value")
    expect(page.locator(".wire .tree")).to_contain_text("Holi")
    page.locator(".wire .runs button", has_text="wireproof").click()
    expect(page.locator(".wire .tree .hot")).to_contain_text("Holiday")
    page.get_by_role("button", name="Hex").click()
    expect(page.locator(".wire .hx").first).to_contain_text("50 4f 53 54")
    page.locator("li summary").nth(_LOST_VALUE).click()
    expect(page.locator(".wire")).to_have_count(0)


def test_a_refused_request_shows_where_it_must_be_refused(open_report: "Callable[..., Page]") -> None:
    page = open_report()
    _open(page, _CUT)
    expect(page.locator(".wire .ended.bad")).to_contain_text("The parser stopped here")
    expect(page.locator(".wire .rules .hit")).to_have_text("M21")


def test_a_credential_is_not_in_the_bytes_of_the_view(open_report: "Callable[..., Page]") -> None:
    page = open_report()
    _open(page, _COOKIE)
    cookie = page.locator(".wire .lines")
    expect(cookie).to_contain_text("******")
    expect(cookie).not_to_contain_text("secret")


@pytest.mark.parametrize("mode", ["Text", "Hex", "List"])
def test_hostile_bytes_run_nothing(open_report: "Callable[..., Page]", mode: str) -> None:
    page = open_report()
    before = page.url
    blocks = page.locator("script").count()
    _open_all(page, 5)
    for index in range(5):
        page.locator(".wire").nth(index).get_by_role("button", name=mode, exact=True).click()
        page.locator(".wire").nth(index).locator(".runs button", has_text="wireproof").click()
    page.locator(".wire .s").nth(3).hover()
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    assert page.url == before
    assert page.locator("script").count() == blocks
    assert page.locator(":is(img, iframe, object, embed, link, base, math, video, marquee, a)").count() == 0
    names = "[...document.querySelectorAll('*')].flatMap((each) => each.getAttributeNames())"
    assert [name for name in page.evaluate(names) if name.startswith("on")] == []


def test_the_policy_of_the_report_stops_a_script_that_gets_into_it(
    browser: Browser, report: Path, tmp_path: Path
) -> None:
    """Should an escape be forgotten one day, the policy still holds."""
    path = tmp_path / "planted.html"
    planted = "<script>window.ran=1</script><img src=x onerror=window.ran=1></main>"
    path.write_text(report.read_text("utf-8").replace("</main>", planted), "utf-8")
    with a_tab(browser, "") as tab:
        tab.expected = ("Content Security Policy", "script-src", "img-src", "ERR_")
        tab.page.goto(path.as_uri())
        tab.page.wait_for_timeout(200)
        assert tab.page.evaluate("window.ran") is None
        assert tab.complaints


def test_without_script_the_request_is_text(open_report: "Callable[..., Page]") -> None:
    page = open_report(java_script_enabled=False)
    page.locator("details summary").first.click()
    page.locator("li summary").nth(_CLOSED).click()
    expect(page.locator(".bytes-of pre").nth(_CLOSED)).to_contain_text("POST /upload/?short=1 HTTP/1.1")


@pytest.mark.parametrize("look", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}])
def test_axe_finds_nothing_in_the_report(
    open_report: "Callable[..., Page]", axe: str, look: dict[str, Any]
) -> None:
    page = open_report(**look, bypass_csp=True)
    _open(page, _LOST_VALUE)
    page.evaluate(axe)
    found = page.evaluate(
        "axe.run(document, { resultTypes: ['violations'] }).then((found) => found.violations)"
    )
    assert json.dumps([[each["id"], [node["html"] for node in each["nodes"]]] for each in found]) == "[]"


@pytest.mark.parametrize("width", [WIDE["width"], 720, PHONE["width"], 320])
def test_the_report_does_not_scroll_sideways(open_report: "Callable[..., Page]", width: int) -> None:
    page = open_report(viewport={"width": width, "height": 800})
    _open_all(page, 5)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
