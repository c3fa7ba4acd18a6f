"""Streams: events are drawn as they come, and a pretended stream is called one."""

import pytest

pytest.importorskip("playwright", reason="without the extra 'browser' the page is NOT tested in a browser")
from playwright.sync_api import expect

from tests.web_page.browser import OpenTab

pytestmark = pytest.mark.timeout(300)

# The texts that the page has shown, in their order. Looking now and then would miss some on a busy machine.
_WATCH = """() => {
  window.shown = [];
  new MutationObserver(() => {
    const texts = [".verdict", ".tokens"].map(one => document.querySelector(one)?.textContent ?? "");
    window.shown.push(texts);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def test_events_are_drawn_while_they_come(open_tab: OpenTab) -> None:
    page = open_tab().open("#/streams")
    page.get_by_label("Text, an event for each character").fill("abcdefgh")
    page.get_by_label("Seconds between events").fill("0.5")
    page.evaluate(_WATCH)
    page.get_by_role("button", name="Stream", exact=True).click()
    expect(page.locator(".verdict")).to_contain_text("A real stream: 8 events")
    expect(page.locator(".tokens")).to_have_text("abcdefgh")
    expect(page.locator(".beat .ev")).to_have_count(8)
    coming = [text for verdict, text in page.evaluate("shown") if verdict == "Events are coming."]
    lengths = sorted({len(text) for text in coming})
    assert all("abcdefgh".startswith(text) for text in coming)
    assert len([length for length in lengths if 0 < length < 8]) >= 2, "they are drawn one after the other"


def test_a_client_that_waits_for_the_body_sees_no_stream(open_tab: OpenTab) -> None:
    page = open_tab().open("#/streams")
    page.get_by_role("button", name="/v1/chat/completions").click()
    page.get_by_label("Message").fill("one two three")
    page.get_by_label("Seconds between events").fill("0.3")
    page.get_by_role("button", name="Read it badly").click()
    well, badly = page.locator(".reading").all()
    expect(well.locator(".verdict")).to_contain_text("A real stream: 8 events")
    expect(badly.locator(".verdict")).to_contain_text("A pretended stream: 8 events at once")
    expect(badly.locator(".tokens")).to_have_text("one two three")


def test_a_stream_can_be_stopped(open_tab: OpenTab) -> None:
    page = open_tab().open("#/streams")
    page.get_by_label("Seconds between events").fill("5")
    page.get_by_role("button", name="Stream", exact=True).click()
    expect(page.locator(".tokens")).to_contain_text("E")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".verdict")).to_have_text("Stopped.")
