"""Wire: bytes and values find each other by mouse and by keyboard; refusals, both servers, long requests."""

import threading

import pytest

from tests.web_page.conftest import Servers
from tests.web_page.uploads import FORM, FORM_TYPE, exchange, post, recorded, rows, slowly

pytest.importorskip("playwright", reason="without the extra 'browser' the page is NOT tested in a browser")
from playwright.sync_api import Page, expect

from tests.patience import eventually
from tests.web_page.browser import OpenTab

pytestmark = pytest.mark.timeout(300)
CUT_FORM = FORM.replace(b"--b--", b"--")


@pytest.fixture(scope="module")
def form_id(servers: Servers) -> int:
    """An upload that both servers have read."""
    return recorded_by_both(servers, post(FORM, FORM_TYPE, "/upload/?by=both"))


def recorded_by_both(servers: Servers, request: bytes) -> int:
    exchange(servers.gunicorn, request)
    exchange(servers.socket, request)
    found: list[int] = []

    def is_there() -> bool:  # a stream that another test has left may end meanwhile, and be the newest row
        of_both = [row for row in rows(servers.socket) if len(row["runs"]) == 2]
        found[:] = [row["id"] for row in of_both if row["target"] == "/upload/?by=both"]
        return bool(found)

    assert eventually(is_there, 10)
    return found[0]


def opened(open_tab: OpenTab, number: int, rest: str = "") -> Page:
    page = open_tab().open(f"#/wire/{number}{rest}")
    page.wait_for_selector(".wire .status .num, .note")
    return page


def test_the_bytes_of_a_value_light_up_with_it(open_tab: OpenTab, form_id: int) -> None:
    page = opened(open_tab, form_id)
    page.locator('.tree [data-path="form[0].value"]').hover()
    expect(page.locator(".lines .s.hot")).to_have_text("Holiday")
    page.locator(".lines .s", has_text="hello world").hover()
    expect(page.locator(".status")).to_contain_text("part data")
    page.locator(".lines .s", has_text='"a.txt"').hover()
    expect(page.locator(".tree .hot")).to_contain_text("a.txt")
    expect(page.locator(".status .path")).to_have_text("files[0].filename")


def test_a_click_pins_and_escape_lets_go(open_tab: OpenTab, form_id: int) -> None:
    page = opened(open_tab, form_id)
    page.locator(".lines .s", has_text="Holiday").click()
    page.locator(".lines .s", has_text="POST").first.hover()
    expect(page.locator(".status")).to_contain_text("pinned")
    expect(page.locator(".status .path")).to_have_text("form[0].value")
    page.keyboard.press("Escape")
    expect(page.locator(".status")).not_to_contain_text("pinned")
    page.keyboard.press("Escape")
    expect(page.locator("table.list")).to_be_visible()


def test_the_keyboard_alone_walks_over_bytes_and_values(open_tab: OpenTab, form_id: int) -> None:
    page = opened(open_tab, form_id)
    page.get_by_role("listbox").focus()
    page.keyboard.press("Home")
    expect(page.locator(".status .path")).to_have_text("method")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".status .path")).to_have_text("path")
    active = page.locator("[id^=active-span]")
    expect(active).to_have_attribute("aria-selected", "true")
    expect(active).to_have_attribute("aria-label", "/upload/, request line, offset 5, 8 bytes, path")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".status")).to_contain_text("field name")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    expect(page.locator('.tree [data-path="method"]')).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".lines .s.hot").first).to_have_text("/upload/")
    page.keyboard.press("s")
    expect(page.locator(".status")).to_contain_text("epilogue")


def test_keys_change_how_bytes_are_shown(open_tab: OpenTab, form_id: int) -> None:
    page = opened(open_tab, form_id)
    page.keyboard.press("x")
    expect(page.locator(".hx").first).to_contain_text("50 4f 53 54")
    page.keyboard.press("l")
    expect(page.get_by_role("table", name="Every span of the request")).to_be_visible()
    assert "/list/" in page.url
    page.keyboard.press("t")
    expect(page.locator(".ln").first).to_contain_text("POST /upload/")


def test_the_legend_dims_the_other_meanings(open_tab: OpenTab, form_id: int) -> None:
    page = opened(open_tab, form_id)
    page.locator(".legend .key", has_text="delimiters").click()
    lit = page.locator(".lines .s.lit")
    assert {text.strip() for text in lit.all_inner_texts()} == {"--b\\r\\n", "\\r\\n--b\\r\\n", "\\r\\n--b--"}
    page.locator(".legend .key", has_text="delimiters").click()
    expect(page.locator(".pane.dim")).to_have_count(0)


def test_a_press_on_the_strip_goes_there(open_tab: OpenTab, form_id: int) -> None:
    page = opened(open_tab, form_id)
    box = page.locator(".strip.big").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + 20)
    expect(page.locator(".status")).to_contain_text("epilogue")


def test_a_refusal_shows_where_and_why(open_tab: OpenTab, servers: Servers) -> None:
    number = recorded(servers.socket, post(CUT_FORM, FORM_TYPE))
    page = opened(open_tab, number)
    expect(page.locator(".why.bad")).to_contain_text("Stopped at byte")
    expect(page.locator(".ended.bad")).to_contain_text("The parser stopped here")
    expect(page.locator(".rules .hit")).to_have_text("M21")
    expect(page.locator(".rules .hit + dd")).to_contain_text("this one decided")
    expect(page.locator(".tree")).to_contain_text("multipart_truncated")


def test_both_servers_can_be_seen(open_tab: OpenTab, form_id: int) -> None:
    page = opened(open_tab, form_id)
    for name in ("socket", "gunicorn", "socket"):
        page.locator(".runs button", has_text=name).click()
        expect(page.locator(".tree h2").first).to_contain_text(name)
    assert page.url.endswith("/socket")


def test_a_request_that_is_gone_says_so(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.expected += ("404",)
    page = tab.open("#/wire/999999")
    expect(page.locator("h1")).to_contain_text("Request 999999 is gone")


def test_a_request_is_sent_again(open_tab: OpenTab, form_id: int) -> None:
    page = opened(open_tab, form_id)
    page.locator("summary", has_text="Replay").click()
    page.get_by_role("button", name="socket", exact=True).last.click()
    expect(page.locator("#toast")).to_contain_text("socket 200")


def test_only_some_spans_of_a_long_request_are_in_the_document(open_tab: OpenTab, servers: Servers) -> None:
    chunks = b"".join(b"2\r\nab\r\n" for _ in range(5000))
    head = b"POST /upload/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
    request = head + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks + b"0\r\n\r\n"
    page = opened(open_tab, recorded(servers.socket, request))
    spans = page.locator(".lines [data-s]")
    assert spans.count() <= 2100
    page.locator(".turn").last.click()
    expect(page.locator(".turn").first).to_contain_text("beginning")
    assert spans.count() <= 2100
    page.keyboard.press("x")
    page.wait_for_selector(".hx")
    assert page.locator(".hx").count() <= 80
    page.locator(".pane.bytes").evaluate("pane => { pane.scrollTop = pane.scrollHeight / 2 }")
    expect(page.locator('.hx[data-at="0"]')).to_have_count(0)
    assert page.locator(".hx").count() <= 80


def test_a_body_that_arrives_grows_in_the_view(open_tab: OpenTab, servers: Servers) -> None:
    page = open_tab().open("#/watch")
    go_on = threading.Event()
    request = post(b"x" * 400_000, "text/plain")
    sender = threading.Thread(
        target=slowly, args=(servers.socket, request, 4, lambda index: index < 2 or go_on.wait(60) or None)
    )
    sender.start()
    try:
        page.locator("tr.arriving a").first.click()
        expect(page.locator(".why")).to_contain_text("of the body is here")
        expect(page.locator(".ended")).to_contain_text("bytes to come")
    finally:
        go_on.set()
        sender.join(60)
    expect(page.locator(".why")).to_contain_text("Complete at byte")
    expect(page.locator(".tree")).to_contain_text("400000")


def test_what_gunicorn_has_not_noted_is_said_to_be_undecided(open_tab: OpenTab, servers: Servers) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
    form = part + b"x" * 100_000 + b"\r\n--b--\r\n"
    number = recorded(servers.gunicorn, post(form, FORM_TYPE, "/upload/?undecided=1"))
    page = opened(open_tab, number)
    why = "not kept, and gunicorn does not note what they are. The socket server does."
    expect(page.locator(".lines .unkept")).to_contain_text(why)
    box = page.locator(".strip.big").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + 20)
    expect(page.locator(".status")).to_contain_text("undecided")
    expect(page.locator(".status .rule")).to_contain_text(why)
