"""Under a path prefix of nginx the page works as without a proxy, because all its URLs are relative."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.launch import HOST
from tests.nginx import NGINX, nginx
from tests.web_page.conftest import Servers
from tests.web_page.uploads import FORM, FORM_TYPE, exchange, post

pytest.importorskip("playwright", reason="without the extra 'browser' the page is NOT tested in a browser")
from playwright.sync_api import expect

from tests.web_page.browser import OpenTab

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed: the page behind it is NOT tested"),
]
# As servers/README.md gives it.
_LOCATION = """
location /prefix/ {{
    proxy_pass {url}/;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_request_buffering off;
    proxy_buffering off;
}}
"""


@pytest.fixture(scope="module", params=["socket", "gunicorn"])
def base(
    request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of the server behind nginx, with the prefix."""
    server = getattr(servers, request.param)
    with nginx(tmp_path_factory.mktemp("nginx"), _LOCATION.format(url=server.url)) as port:
        yield f"http://{HOST}:{port}/prefix"


def test_an_upload_is_sent_and_its_bytes_are_shown(open_tab: OpenTab, base: str, tmp_path: Path) -> None:
    tab = open_tab(base)
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    page = tab.open("#/send")
    (tmp_path / "a.txt").write_bytes(b"hello\n")
    page.locator("input.pick-files").set_input_files(str(tmp_path / "a.txt"))
    page.get_by_role("button", name="curl", exact=True).click()
    line = page.locator("pre.code").first.inner_text()
    assert f"{base}/upload/" in line
    by_curl = json.loads(
        subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=True).stdout
    )
    assert by_curl["files"][0]["filename"] == "a.txt"
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".answer .chip").first).to_have_text("200 ")
    page.get_by_role("link", name="See its bytes").click()
    expect(page.locator(".wire .lines")).to_contain_text("hello")
    expect(page.locator(".wire .status .num").first).to_be_visible()
    for key, shown in (("x", ".hx"), ("l", "table.spans"), ("t", ".ln")):
        page.keyboard.press(key)
        expect(page.locator(f".wire {shown}").first).to_be_visible()
    assert asked
    assert [url for url in asked if not url.startswith(base + "/")] == []


def test_the_list_is_live(open_tab: OpenTab, servers: Servers, base: str) -> None:
    page = open_tab(base).open("#/watch")
    page.wait_for_selector(".lede em, .lede .soft")
    exchange(servers.socket, post(FORM, FORM_TYPE, "/upload/?behind=nginx"))
    # Not the first row: a stream that another test has left may end meanwhile, and is newer.
    page.locator(".list tbody a", has_text="/upload/?behind=nginx").first.click()
    expect(page.locator(".wire .lines")).to_contain_text("Holiday")
    page.locator("summary", has_text="Replay").click()
    page.locator("details.menu[open] button").last.click()
    expect(page.locator("#toast")).to_contain_text("200")


def test_a_stream_comes_event_by_event(open_tab: OpenTab, base: str) -> None:
    page = open_tab(base).open("#/streams")
    page.get_by_label("Text, an event for each character").fill("abcdef")
    page.get_by_label("Seconds between events").fill("0.3")
    page.get_by_role("button", name="Stream", exact=True).click()
    expect(page.locator(".verdict")).to_contain_text("A real stream: 6 events")
    expect(page.locator(".tokens")).to_have_text("abcdef")


def test_the_start_leads_to_the_page(open_tab: OpenTab, base: str) -> None:
    page = open_tab(base).page
    for start in (f"{base}/", f"{base}/ui"):
        page.goto(start)
        page.wait_for_selector("main > *")
        assert page.url.partition("#")[0] == f"{base}/ui/"
