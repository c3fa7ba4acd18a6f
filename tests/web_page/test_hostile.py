"""What others chose to send is shown as text: no script of it runs, and no element of it comes into being."""

import json

import pytest

from tests.web_page.conftest import Servers
from tests.web_page.payloads import PAYLOADS, hostile_form
from tests.web_page.uploads import exchange, post, recorded

pytest.importorskip("playwright", reason="without the extra 'browser' the page is NOT tested in a browser")
from playwright.sync_api import Page, expect

from tests.web_page.browser import OpenTab

pytestmark = pytest.mark.timeout(600)
_STRANGERS = (
    "main :is(script, img, iframe, object, embed, style, link, base, meta, math, video, marquee, animate)"
)


def assert_harmless(page: Page) -> None:
    """Nothing ran, nothing came into being, and the page is still where it was."""
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    assert page.locator(_STRANGERS).count() == 0
    handlers = "[...document.querySelectorAll('*')].flatMap((each) => each.getAttributeNames())"
    assert [name for name in page.evaluate(handlers) if name.startswith("on")] == []
    links = page.evaluate("[...document.links].map((each) => each.protocol)")
    assert {*links} <= {"http:"}
    assert "/ui/" in page.url


def test_there_are_forty_payloads() -> None:
    assert len(set(PAYLOADS)) >= 40


@pytest.mark.parametrize("mode", ["text", "hex", "list"])
def test_parts_are_text(open_tab: OpenTab, servers: Servers, mode: str) -> None:
    number = recorded(servers.socket, post(hostile_form(), "multipart/form-data; boundary=b"))
    page = open_tab().open(f"#/wire/{number}/{mode}")
    page.wait_for_selector(".status .num")
    expect(page.locator(".tree")).to_contain_text("<svg onload=")
    page.locator(".tree .val", has_text="<svg/onload").first.hover()
    assert_harmless(page)


def test_keys_and_values_of_json_are_text(open_tab: OpenTab, servers: Servers) -> None:
    body = json.dumps({payload: [payload, {payload: payload}] for payload in PAYLOADS}).encode()
    page = open_tab().open(f"#/wire/{recorded(servers.socket, post(body, 'application/json'))}")
    expect(page.locator(".tree")).to_contain_text("<math><mtext>")
    page.locator(".tree .val", has_text="<svg/onload").first.hover()
    assert_harmless(page)


def test_targets_and_agents_are_text(open_tab: OpenTab, servers: Servers) -> None:
    page = open_tab().open("#/watch")
    for payload in PAYLOADS:
        shown = "".join(c for c in payload if "!" <= c <= "~" and c != "#")
        agent = payload.encode().translate(None, b"\0\r\n\x07\x1b")
        head = f"GET /{shown} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nUser-Agent: ".encode()
        exchange(servers.socket, head + agent + b"\r\n\r\n")
    expect(page.locator(".list tbody a", has_text="__proto__").first).to_be_visible()
    page.locator(".list tbody a").nth(5).hover()
    assert_harmless(page)


def test_bodies_are_text(open_tab: OpenTab, servers: Servers) -> None:
    body = "\n".join(PAYLOADS).encode()
    page = open_tab().open(f"#/wire/{recorded(servers.socket, post(body, 'application/octet-stream'))}")
    page.wait_for_selector(".status .num")
    assert_harmless(page)


def test_what_is_filled_in_is_text(open_tab: OpenTab) -> None:
    page = open_tab().open("#/send")
    page.evaluate(
        """names => {
          const transfer = new DataTransfer();
          for (const name of names) transfer.items.add(new File([name], name, { type: "text/plain" }));
          document.querySelector(".drop").dispatchEvent(
            new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        list(PAYLOADS),
    )
    page.wait_for_selector(".row.file")
    page.get_by_label("field 1: value").fill("".join(PAYLOADS[:20]))
    for tab in ("curl", "requests", "Raw bytes"):
        page.get_by_role("button", name=tab, exact=True).click()
        assert_harmless(page)
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_selector(".answer .a-head")
    assert_harmless(page)


def test_a_streamed_answer_is_text(open_tab: OpenTab) -> None:
    page = open_tab().open("#/streams")
    page.get_by_role("button", name="/v1/chat/completions").click()
    page.get_by_label("Message").fill(" ".join(PAYLOADS))
    page.get_by_label("Seconds between events").fill("0")
    page.get_by_role("button", name="Read it badly").click()
    expect(page.locator(".tokens").last).to_contain_text("<math>")
    assert_harmless(page)


def test_direction_marks_and_controls_are_boxed(open_tab: OpenTab, servers: Servers) -> None:
    body = "name \u202e\u2066\u200b\ufeff end".encode()
    page = open_tab().open(f"#/wire/{recorded(servers.socket, post(body, 'text/plain; charset=utf-8'))}")
    boxes = page.locator(".tree i.esc")
    expect(boxes.first).to_have_text("\\u202e")
    assert not {"\u202e", "\u2066", "\u200b", "\ufeff"} & set(page.inner_text("body"))
