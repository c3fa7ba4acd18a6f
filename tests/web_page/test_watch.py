"""Watch: the list is live, windowed and filtered, and goes on when the server is back.

A test of the order of the list has a server of its own: a stream that another test has left on the
shared one is recorded when it ends, and is the newest request then.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.launch import RunningBackend, free_port, start
from tests.web_page.conftest import Servers
from tests.web_page.uploads import FORM, FORM_TYPE, exchange, post, recorded

pytest.importorskip("playwright", reason="without the extra 'browser' the page is NOT tested in a browser")
from playwright.sync_api import expect

from tests.web_page.browser import OpenTab

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RunningBackend]:
    with start("socket", store=tmp_path / "store", env={"WIREPROOF_HISTORY": "500"}) as server:
        yield server


def test_a_request_appears_as_it_comes(open_tab: OpenTab, own_server: RunningBackend) -> None:
    page = open_tab(own_server.url).open("#/watch")
    page.wait_for_selector(".empty")
    exchange(own_server, post(b"live", "text/plain", "/upload/?live=1"))
    expect(page.locator(".list tbody a").first).to_have_text("/upload/?live=1")
    expect(page.locator(".list tbody tr[role=row]").first).to_contain_text("text")


def test_a_held_list_counts_what_is_new(open_tab: OpenTab, own_server: RunningBackend) -> None:
    recorded(own_server, post(b"before", "text/plain", "/before"))
    page = open_tab(own_server.url).open("#/watch")
    expect(page.locator(".list tbody a", has_text="/before").first).to_be_visible()
    page.keyboard.press("Space")
    for index in range(3):
        exchange(own_server, post(b"held", "text/plain", f"/held/{index}"))
    expect(page.locator(".btn.new")).to_contain_text("3 new")
    expect(page.locator(".list tbody a", has_text="/held")).to_have_count(0)
    page.locator(".btn.new").click()
    expect(page.locator(".list tbody a", has_text="/held/2").first).to_be_visible()


def test_the_list_is_filtered(open_tab: OpenTab, servers: Servers) -> None:
    recorded(servers.socket, post(FORM, FORM_TYPE, "/upload/?kind=form"))
    recorded(servers.socket, post(b'{"a":1,"a":1}', "application/json"))
    page = open_tab().open("#/watch")
    page.keyboard.press("/")
    page.keyboard.type("json_duplicate")
    expect(page.locator(".list tbody code").first).to_have_text("json_duplicate_key")
    expect(page.locator(".list tbody a", has_text="kind=form")).to_have_count(0)
    page.get_by_label("Filter the list").fill("no such thing")
    expect(page.locator(".none")).to_contain_text("No request matches")
    page.get_by_role("button", name="Show all").click()
    page.locator(".tools button", has_text="Forms").click()
    expect(page.locator(".list tbody a", has_text="kind=form").first).to_be_visible()
    expect(page.locator(".list tbody .d-kind", has_text="json")).to_have_count(0)


def test_the_keyboard_walks_the_list_and_opens_a_request(
    open_tab: OpenTab, own_server: RunningBackend
) -> None:
    recorded(own_server, post(b"older", "text/plain", "/older"))
    recorded(own_server, post(b"newer", "text/plain", "/newer"))
    page = open_tab(own_server.url).open("#/watch")
    expect(page.locator(".list tbody a").first).to_have_text("/newer")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(":focus")).to_have_text("/older")
    page.keyboard.press("Enter")
    expect(page.locator(".wire h1")).to_have_text("POST /older")
    page.keyboard.press("k")
    expect(page.locator(".wire h1")).to_have_text("POST /newer")


def test_a_long_list_is_windowed(open_tab: OpenTab, tmp_path: Path) -> None:
    with start("socket", store=tmp_path / "store", env={"WIREPROOF_HISTORY": "500"}) as server:
        many = [post(b"x", "text/plain", f"/many/{index}") for index in range(300)]
        exchange(server, b"".join(many).replace(b"Connection: close\r\n", b"", 299))
        page = open_tab(server.url).open("#/watch")
        expect(page.locator(".list tbody a").first).to_have_text("/many/299")
        shown = page.locator(".list tbody tr[role=row]")
        assert shown.count() <= 80
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(page.locator(".list tbody a").last).to_have_text("/many/0")
        assert shown.count() <= 80
        expect(page.locator(".list tbody a", has_text="/many/299")).to_have_count(0)


def test_a_few_new_rows_are_marked_and_many_at_once_are_not(open_tab: OpenTab, tmp_path: Path) -> None:
    """Many are written in one transaction, and come with one event."""
    with start("socket", store=tmp_path / "store", env={"WIREPROOF_HISTORY": "500"}) as server:
        page = open_tab(server.url).open("#/watch")
        page.wait_for_selector(".empty")
        for name, number, marked in (("few", 3, 3), ("many", 60, 0)):
            requests = [post(b"x", "text/plain", f"/{name}/{index}") for index in range(number)]
            exchange(server, b"".join(requests).replace(b"Connection: close\r\n", b"", number - 1))
            expect(page.locator(".list tbody a").first).to_have_text(f"/{name}/{number - 1}")
            expect(page.locator(".list tr.fresh", has_text=f"/{name}/")).to_have_count(marked)


def test_an_empty_list_says_what_to_do(open_tab: OpenTab, tmp_path: Path) -> None:
    with start("socket", store=tmp_path / "store", env={"WIREPROOF_HISTORY": "500"}) as server:
        page = open_tab(server.url).open("#/watch")
        expect(page.locator(".empty pre")).to_contain_text("curl -F a=123")


def test_the_list_goes_on_when_the_server_is_back(open_tab: OpenTab, tmp_path: Path) -> None:
    port = str(free_port())
    flags, env = ("--port", port), {"WIREPROOF_HISTORY": "500"}
    with start("socket", store=tmp_path / "store", env=env, flags=flags) as server:
        recorded(server, post(b"x", "text/plain", "/before"))
        tab = open_tab(server.url)
        tab.expected += ("Failed to load resource", "ERR_")
        page = tab.open("#/watch")
        expect(page.locator(".list tbody a")).to_have_text("/before")
    expect(page.locator(".banner")).to_contain_text("does not answer since")
    with start("socket", store=tmp_path / "store", env=env, flags=flags) as server:
        expect(page.locator(".banner")).to_be_hidden()
        exchange(server, post(b"x", "text/plain", "/after"))
        expect(page.locator(".list tbody a").first).to_have_text("/after")
        page.goto("about:blank")


def test_without_a_history_the_page_says_so_and_still_sends(open_tab: OpenTab, tmp_path: Path) -> None:
    with start("socket", store=tmp_path / "store") as server:
        tab = open_tab(server.url)
        tab.expected += ("404",)
        page = tab.open("#/watch")
        expect(page.locator("h1")).to_contain_text("The history is off")
        page.keyboard.press("1")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator(".answer .chip").first).to_have_text("200 ")
        expect(page.locator(".answer")).to_contain_text("The history is off")


def test_a_token_is_asked_for_once_and_kept_in_the_tab(open_tab: OpenTab, tmp_path: Path) -> None:
    env = {"WIREPROOF_HISTORY": "500", "WIREPROOF_TOKEN": "a-token-of-the-tests"}
    with start("socket", store=tmp_path / "store", env=env) as server:
        tab = open_tab(server.url)
        tab.expected += ("401",)
        page = tab.page
        page.goto(server.url + "/ui/#/watch")
        page.locator("#token input").fill("wrong")
        page.get_by_role("button", name="Use it").click()
        expect(page.locator("#token .wrong")).to_be_visible()
        page.locator("#token input").fill("a-token-of-the-tests")
        page.get_by_role("button", name="Use it").click()
        expect(page.locator("h1")).to_contain_text("No request yet")
        page.keyboard.press("1")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator(".answer .chip").first).to_have_text("200 ")
        page.reload()
        expect(page.locator("h1")).to_contain_text("Send")
        expect(page.locator("#token")).to_be_hidden()
