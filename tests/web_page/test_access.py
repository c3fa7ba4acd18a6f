"""The page is for everybody: axe-core, zoom, forced colours, reduced motion, dark, small and wide screens."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.web_page.conftest import Servers
from tests.web_page.uploads import FORM, FORM_TYPE, post, recorded

pytest.importorskip("playwright", reason="without the extra 'browser' the page is NOT tested in a browser")
from playwright.sync_api import Page, expect

from tests.web_page.browser import PHONE, OpenTab

pytestmark = pytest.mark.timeout(300)
Act = Callable[[Page], object]

GET = b"GET /a/b?q=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def ids(servers: Servers) -> dict[str, int]:
    """A form, a refused form and a short request, by their names."""
    cut = FORM.replace(b"--b--", b"--")
    return {
        "form": recorded(servers.socket, post(FORM, FORM_TYPE)),
        "cut": recorded(servers.socket, post(cut, FORM_TYPE)),
        "get": recorded(servers.socket, GET),
    }


def _nothing(_page: Page) -> None:
    pass


def _send(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_selector(".answer .a-head")


def _send_bad_json(page: Page) -> None:
    page.get_by_role("button", name="JSON", exact=True).click()
    page.get_by_label("The JSON").fill("{")
    _send(page)


def _stream(page: Page) -> None:
    page.get_by_label("Seconds between events").fill("0.05")
    page.get_by_role("button", name="Read it badly").click()
    expect(page.locator(".verdict").last).to_contain_text("pretended")


def _find_nothing(page: Page) -> None:
    page.get_by_label("Filter the list").fill("no such thing")
    page.wait_for_selector(".none .link")


def _show_result(page: Page) -> None:
    page.locator(".half-tabs button", has_text="Result").click()


DARK: dict[str, Any] = {"color_scheme": "dark"}
SMALL: dict[str, Any] = {"viewport": PHONE}
STATES: dict[str, tuple[str, dict[str, Any], Act]] = {
    "watch": ("#/watch", {}, _nothing),
    "watch-dark": ("#/watch", DARK, _nothing),
    "watch-phone": ("#/watch", SMALL, _nothing),
    "watch-none": ("#/watch", {}, _find_nothing),
    "send": ("#/send", {}, _nothing),
    "send-dark": ("#/send", DARK, _nothing),
    "send-answered": ("#/send", {}, _send),
    "send-refused": ("#/send", {}, _send_bad_json),
    "wire-text": ("#/wire/{form}", {}, _nothing),
    "wire-dark": ("#/wire/{form}", DARK, _nothing),
    "wire-hex": ("#/wire/{form}/hex", {}, _nothing),
    "wire-list": ("#/wire/{form}/list", {}, _nothing),
    "wire-refused": ("#/wire/{cut}", {}, _nothing),
    "wire-short": ("#/wire/{get}", DARK, _nothing),
    "wire-phone": ("#/wire/{form}", SMALL, _nothing),
    "wire-phone-result": ("#/wire/{cut}", {**SMALL, **DARK}, _show_result),
    "streams": ("#/streams", {}, _nothing),
    "streams-drawn": ("#/streams", DARK, _stream),
    "help": ("#/watch", {}, lambda page: page.keyboard.press("?")),
}


def _in_state(open_tab: OpenTab, ids: dict[str, int], state: str, **more: Any) -> Page:
    place, options, act = STATES[state]
    page = open_tab(**{**options, **more}).open(place.format(**ids))
    ready = {"#/wa": ".list tbody a", "#/wi": ".status .num", "#/se": ".cases li", "#/st": ".stream-form"}
    page.wait_for_selector(ready[place[:4]])
    act(page)
    return page


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(open_tab: OpenTab, ids: dict[str, int], axe: str, state: str) -> None:
    page = _in_state(open_tab, ids, state)
    page.evaluate(axe)
    found = page.evaluate(
        "axe.run(document, { resultTypes: ['violations'] }).then((found) => found.violations)"
    )
    assert json.dumps([[each["id"], [node["html"] for node in each["nodes"]]] for each in found]) == "[]"


@pytest.mark.parametrize("state", ["watch", "send", "wire-text", "wire-hex", "wire-refused", "streams"])
def test_nothing_scrolls_sideways(open_tab: OpenTab, ids: dict[str, int], state: str) -> None:
    # 200 % zoom of a screen of 1,440 pixels is a width of 720, and of 640 pixels one of 320.
    page = _in_state(open_tab, ids, state)
    for width in (1440, 720, 390, 320):
        page.set_viewport_size({"width": width, "height": 450})
        page.wait_for_timeout(300)  # the view is drawn anew for a small screen
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width


@pytest.mark.parametrize("state", ["form", "cut", "get"])
def test_the_first_byte_is_in_sight_on_a_phone(open_tab: OpenTab, ids: dict[str, int], state: str) -> None:
    page = open_tab(viewport=PHONE, has_touch=True).open(f"#/wire/{ids[state]}")
    page.wait_for_selector(".status .num")
    first = page.locator(".ln .by").first.bounding_box()
    status = page.locator(".status").bounding_box()
    assert first is not None
    assert status is not None
    assert page.evaluate("scrollY") == 0
    assert first["y"] + first["height"] < 400
    assert first["y"] + first["height"] < status["y"]


_FILLED = """pane => {
  const boxes = [...pane.querySelectorAll("*")].map((each) => each.getBoundingClientRect());
  const box = pane.getBoundingClientRect();
  return (Math.max(...boxes.map((each) => each.bottom)) - box.top) / box.height;
}"""
_RIGHT_EDGE = """pane => {
  const boxes = [...pane.querySelectorAll(".by > *, td")].map((each) => each.getBoundingClientRect());
  const box = pane.getBoundingClientRect();
  return (Math.max(...boxes.map((each) => each.right)) - box.left) / box.width;
}"""


@pytest.mark.parametrize("size", [(1440, 900), (1920, 1080), (2560, 1300)])
@pytest.mark.parametrize("state", ["form", "cut", "get"])
def test_no_wide_screen_is_half_empty(
    open_tab: OpenTab, ids: dict[str, int], state: str, size: tuple[int, int]
) -> None:
    page = open_tab(viewport={"width": size[0], "height": size[1]}).open(f"#/wire/{ids[state]}")
    page.wait_for_selector(".status .num")
    for pane in (".pane.bytes", ".pane.tree"):
        assert page.locator(pane).evaluate(_FILLED) > 0.6, pane
    assert page.locator(".pane.bytes").evaluate(_RIGHT_EDGE) > 0.55


def test_forced_colours_show_what_is_chosen(open_tab: OpenTab, ids: dict[str, int]) -> None:
    page = open_tab(forced_colors="active").open(f"#/wire/{ids['form']}")
    page.wait_for_selector(".status .num")
    chosen, other = page.locator(".lines .s.hot").first, page.locator(".lines .s:not(.hot)").first
    colour = "each => getComputedStyle(each).backgroundColor"
    assert chosen.evaluate(colour) != other.evaluate(colour)
    bar = page.locator(".strip.big rect").first
    assert bar.evaluate("each => getComputedStyle(each).fill") != page.evaluate(
        "getComputedStyle(document.body).backgroundColor"
    )


def test_nothing_moves_when_motion_is_reduced(open_tab: OpenTab, ids: dict[str, int]) -> None:
    page = _in_state(open_tab, ids, "watch", reduced_motion="reduce")
    recorded_now = page.evaluate("document.getAnimations().length")
    assert recorded_now == 0


def test_the_theme_is_chosen_and_kept(open_tab: OpenTab) -> None:
    page = open_tab(color_scheme="light").open("#/send")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = page.evaluate(paper)
    assert dark != light
    page.reload()
    page.wait_for_selector("main > *")
    assert page.evaluate(paper) == dark


def test_the_focus_is_visible(open_tab: OpenTab) -> None:
    page = open_tab().open("#/send")
    for _ in range(12):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"


def test_only_this_server_is_asked(open_tab: OpenTab, servers: Servers, ids: dict[str, int]) -> None:
    tab = open_tab()
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.open(f"#/wire/{ids['form']}").wait_for_selector(".status .num")
    assert asked
    assert [url for url in asked if not url.startswith(servers.url + "/")] == []
