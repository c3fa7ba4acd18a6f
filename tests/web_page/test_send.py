"""Send: forms, files and folders go out as they are shown, with progress, and can be stopped."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.web_page.conftest import Servers
from tests.web_page.uploads import get_json, rows

pytest.importorskip("playwright", reason="without the extra 'browser' the page is NOT tested in a browser")
from playwright.sync_api import Page, expect

from tests.web_page.browser import PHONE, OpenTab

pytestmark = pytest.mark.timeout(300)


def choose(page: Page, *files: Path) -> None:
    page.locator("input.pick-files").set_input_files([str(file) for file in files])


def send(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_selector(".answer .a-head, .answer .err")


@pytest.fixture
def two_files(tmp_path: Path) -> list[Path]:
    (tmp_path / "a.txt").write_bytes(b"hello\r\nworld\n")
    (tmp_path / "b.bin").write_bytes(bytes(range(256)))
    return [tmp_path / "a.txt", tmp_path / "b.bin"]


def test_two_files_are_read_alike_by_both_servers(open_tab: OpenTab, two_files: list[Path]) -> None:
    page = open_tab().open("#/send")
    choose(page, *two_files)
    send(page)
    answer = page.locator(".answer")
    expect(answer.locator(".chip")).to_have_text("200 ")
    expect(answer.locator(".eq")).to_have_attribute("aria-label", "equal")
    expect(answer.get_by_role("tree")).to_contain_text("b.bin")
    answer.get_by_role("link", name="See its bytes").click()
    expect(page.locator(".wire h1")).to_contain_text("POST /upload/")
    expect(page.locator(".chips")).to_contain_text("equal answers")


def test_curl_sends_the_same_parts(open_tab: OpenTab, servers: Servers, two_files: list[Path]) -> None:
    page = open_tab().open("#/send")
    page.get_by_label("field 1: value").fill('@x;type=y "q" \\ é')
    choose(page, *two_files)
    send(page)
    page.get_by_role("button", name="curl", exact=True).click()
    line = page.locator("pre.code").first.inner_text()
    run = subprocess.run(["sh", "-c", line], cwd=two_files[0].parent, capture_output=True, check=True)
    by_curl = json.loads(run.stdout)
    by_page = answer_of(servers, page)
    assert (by_curl["form"], by_curl["files"]) == (by_page["form"], by_page["files"])


def answer_of(servers: Servers, page: Page) -> Any:
    link = page.locator(".answer a.btn").get_attribute("href") or ""
    run = get_json(servers.socket, f"/requests/{link.rpartition('/')[2]}")["runs"][0]
    return json.loads(run["answer"])


def test_the_raw_bytes_are_the_bytes_that_are_sent(
    open_tab: OpenTab, servers: Servers, two_files: list[Path]
) -> None:
    page = open_tab().open("#/send")
    choose(page, *two_files)
    page.get_by_role("button", name="Raw bytes").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as .http").click()
    send(page)
    link = page.locator(".answer a.btn").get_attribute("href") or ""
    download = page.request.get(f"{servers.url}/requests/{link.rpartition('/')[2]}.http")
    assert Path(saved.value.path()).read_bytes() == download.body()


@pytest.mark.parametrize(
    ("kind", "member", "value"),
    [
        ("Urlencoded", "form", [{"name": "a", "value": "123", "index": 0, "headers": []}]),
        ("JSON", "json", {"a": ["abc", "def", {"bec": 1}]}),
        ("Text", "text", "hello\n"),
        ("None", "text", None),
    ],
)
def test_each_kind_of_body_is_read_as_this_kind(
    open_tab: OpenTab, servers: Servers, kind: str, member: str, value: Any
) -> None:
    page = open_tab().open("#/send")
    page.get_by_role("button", name=kind, exact=True).click()
    send(page)
    assert answer_of(servers, page)[member] == value


def test_a_raw_file_is_the_body(open_tab: OpenTab, servers: Servers, two_files: list[Path]) -> None:
    page = open_tab().open("#/send")
    page.get_by_role("button", name="Raw file").click()
    choose(page, two_files[1])
    page.get_by_label("Method", exact=True).select_option("PUT")
    page.get_by_label("Target", exact=True).fill("/upload/b.bin")
    send(page)
    assert answer_of(servers, page)["body"]["size"] == 256


def test_query_and_headers_are_sent(open_tab: OpenTab, servers: Servers) -> None:
    page = open_tab().open("#/send")
    page.get_by_label("Target", exact=True).fill("/a/b?x=é")
    page.get_by_role("button", name="add a pair").click()
    page.get_by_label("query 1: name").fill("q")
    page.get_by_label("query 1: value").fill("1 2")
    page.get_by_role("button", name="add a header").click()
    page.get_by_label("header 1: name").fill("X-Note")
    page.get_by_label("header 1: value").fill("grüße 🎈")
    page.get_by_label("Target", exact=True).fill("/a/b?x=1")
    send(page)
    answer = answer_of(servers, page)
    assert [(pair["name"], pair["value"]) for pair in answer["args"]] == [("x", "1"), ("q", "1 2")]
    assert "x-note" in [pair["name"] for pair in answer["headers"]]


def test_fields_are_added_moved_and_removed(open_tab: OpenTab) -> None:
    page = open_tab().open("#/send")
    for name in ("b", "c"):
        page.get_by_role("button", name="add a field").click()
        page.keyboard.type(name)
    page.get_by_role("button", name="Move field 3 up").click()
    page.get_by_role("button", name="Remove field 1", exact=True).click()
    names = page.locator("input[aria-label$=': name']")
    assert [names.nth(index).input_value() for index in range(2)] == ["c", "b"]


def test_dropped_files_and_folders_are_taken(open_tab: OpenTab) -> None:
    page = open_tab().open("#/send")
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(["dropped"], "d.txt", { type: "text/plain" }));
          document.querySelector(".drop").dispatchEvent(
            new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.locator(".row.file .fname")).to_contain_text("d.txt")
    send(page)
    expect(page.locator(".answer").get_by_role("tree")).to_contain_text("d.txt")


def test_a_chosen_folder_keeps_its_paths(open_tab: OpenTab, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "one.txt").write_text("1")
    page = open_tab().open("#/send")
    page.locator("input.pick-folder").set_input_files(str(tmp_path / "album"))
    expect(page.locator(".row.file .fname")).to_contain_text("album/one.txt")


def test_progress_is_told_and_an_upload_can_be_stopped(
    open_tab: OpenTab, servers: Servers, tmp_path: Path
) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(48 * 1024 * 1024)
    before = {row["id"] for row in rows(servers.socket)}
    page = open_tab().open("#/send")
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 4 * 1024 * 1024},
    )
    choose(page, large)
    page.get_by_role("button", name="Send", exact=True).click()
    bar = page.get_by_role("progressbar")
    expect(bar).to_be_visible()
    expect(bar).not_to_have_attribute("aria-valuenow", "0")
    expect(page.locator(".prog p")).to_contain_text("left")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".answer")).to_contain_text("Stopped.")
    after = [row for row in rows(servers.socket) if row["id"] not in before and row["size"] > 10**6]
    assert after == []


def test_a_refusal_says_why(open_tab: OpenTab) -> None:
    page = open_tab().open("#/send")
    page.get_by_role("button", name="JSON", exact=True).click()
    page.get_by_label("The JSON").fill('{"a":1,"a":2}')
    send(page)
    expect(page.locator(".answer.bad .chip")).to_contain_text("400 json_duplicate_key")


def test_a_recorded_request_is_found_by_its_rule_and_sent(open_tab: OpenTab) -> None:
    page = open_tab().open("#/send")
    page.get_by_label("Find a recorded request").fill("M20")
    expect(page.locator(".cases .rules-of", has_not_text="M20")).to_have_count(0)
    page.locator(".cases button").first.click()
    page.wait_for_selector(".answer .a-head")
    expect(page.locator(".answer .chip").first).to_contain_text("400")


def test_one_server_can_be_sent_to_alone(open_tab: OpenTab) -> None:
    page = open_tab().open("#/send")
    page.get_by_role("button", name="gunicorn only").click()
    send(page)
    expect(page.locator(".answer .pair")).to_contain_text("gunicorn")
    expect(page.locator(".answer .pair")).to_contain_text("one server only")


def test_without_script_a_form_uploads(open_tab: OpenTab, two_files: list[Path]) -> None:
    page = open_tab(java_script_enabled=False).page
    page.goto(open_tab().base + "/ui/")
    page.locator("input[type=file]").set_input_files([str(file) for file in two_files])
    page.locator("input[name=text]").fill("plain")
    page.get_by_role("button", name="Send").click()
    answer = json.loads(page.inner_text("body"))
    assert [each["filename"] for each in answer["files"]] == ["a.txt", "b.bin"]
    assert answer["form"][0]["value"] == "plain"


def test_on_a_phone_the_answer_comes_into_sight(open_tab: OpenTab) -> None:
    page = open_tab(viewport=PHONE).open("#/send")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".answer .a-head")).to_be_in_viewport()
