"""The page itself, run by Streamlit's AppTest: what each tab shows."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from clients.launch import PROJECT_ROOT, LaunchError, RunningBackend
from clients.streamlit_tabs.own_servers import OwnServer
from tests.http1.recording_server import ok, playing, recording

testing = pytest.importorskip(
    "streamlit.testing.v1", reason="without the extra 'streamlit' its page is NOT tested"
)
from clients.streamlit_tabs import server_choice  # noqa: E402  # it imports streamlit
from clients.streamlit_tabs.kept_and_lost import FACTS  # noqa: E402

Page = Any
"""Streamlit's AppTest: it runs the page without a browser."""

PAGE = Path(PROJECT_ROOT, "clients", "streamlit_page.py")
A_TXT = b"hello world\nhello half\n"
A_SHA256 = hashlib.sha256(A_TXT).hexdigest()


def opened(*urls: str, own: str = "socket") -> Page:
    """The page, with these URLs of servers. Without any it starts the server `own`."""
    page = testing.AppTest.from_file(str(PAGE), default_timeout=120)
    page.session_state["urls"] = "\n".join(urls)
    page.session_state["own"] = [own]
    page.run()
    assert not page.exception
    return page


def said(boxes: Any) -> list[str]:
    """What boxes of the page say, without the escapes of Markdown."""
    return [re.sub(r"\\(.)", r"\1", box.value) for box in boxes]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[OwnServer]]:
    """The servers that the page starts. AppTest ends no session, so they are stopped here."""
    made: list[OwnServer] = []

    def start(name: str) -> OwnServer:
        made.append(OwnServer(name))
        return made[-1]

    monkeypatch.setattr(server_choice, "OwnServer", start)
    yield made
    for server in made:
        server.stop()


@pytest.fixture
def page(backends: Mapping[str, RunningBackend]) -> Page:
    """The page with the socket server, and one file."""
    page = opened(backends["socket"].url)
    page.file_uploader(key="files").set_value([("a.txt", A_TXT, "text/plain")])
    return page.run()


def test_without_a_file_the_page_says_what_streamlit_keeps_and_loses(
    backends: Mapping[str, RunningBackend],
) -> None:
    page = opened(backends["socket"].url)
    (table,) = page.table
    assert list(table.value["of the upload"]) == [fact.property for fact in FACTS]
    assert len(page.dataframe) == 0


def test_a_file_is_shown_as_streamlit_hands_it_over(page: Page) -> None:
    row = page.dataframe[0].value.iloc[0]
    assert (row["name"], row["type"], row["size"]) == ("a.txt", "text/plain", "23 bytes")
    assert row["SHA-256"] == A_SHA256
    assert row["id"]


def test_several_files_keep_their_order_and_equal_names(page: Page) -> None:
    files = [("b.txt", b"1", "text/plain"), ("a.txt", b"2", ""), ("b.txt", b"3", "text/plain")]
    page.file_uploader(key="files").set_value(files).run()
    rows = page.dataframe[0].value
    assert list(rows["name"]) == ["b.txt", "a.txt", "b.txt"]
    assert list(rows["SHA-256"]) == [hashlib.sha256(content).hexdigest() for _, content, _ in files]
    assert len(set(rows["id"])) == 3


@pytest.mark.parametrize("client", ["socket", "requests"])
def test_files_are_sent_on_with_fields(page: Page, client: str) -> None:
    page.radio(key="client").set_value(client)
    page.button(key="send").click().run()
    assert not page.exception
    form, files = (frame.value for frame in page.dataframe[1:3])
    assert [list(row) for row in form.values] == [["a", "123"]]
    assert [list(row) for row in files.values] == [["file", "a.txt", "text/plain", 23, A_SHA256]]
    sent = page.code[-1].value
    assert sent.startswith("POST /upload/ HTTP/1.1␍␊\n")
    assert "hello world␊\nhello half␊\n" in sent
    assert ("python-requests" in sent) == (client == "requests")


def test_two_servers_agree(page: Page, backends: Mapping[str, RunningBackend]) -> None:
    urls = [backends[name].url for name in ("socket", "flask", "gunicorn")]
    page.text_area(key="urls").set_value("\n".join(urls)).run()
    page.button(key="send").click().run()
    assert said(page.success) == [f"{urls[0]}, {urls[1]} and {urls[2]} read the upload alike."]


def test_servers_that_differ_are_named_with_the_difference() -> None:
    answering = [playing([ok(b'{"form":[{"value":"%d"}]}\n' % number)]) for number in (1, 2)]
    with recording(answering[0]) as one, recording(answering[1]) as other:
        page = opened(one.url, other.url)
        page.button(key="send").click().run()
    assert not page.exception
    assert said(page.error) == [f"The servers differ. {one.url} and {other.url}: form[0].value: '1' and '2'"]


def test_without_a_url_the_page_starts_one_socket_server_of_its_own(started: list[OwnServer]) -> None:
    page = opened()
    page.button(key="send").click().run()
    page.button(key="send").click().run()
    assert not page.exception
    assert "socket: 200" in said(page.subheader)
    assert len(started) == 1
    assert f"socket listens on {started[0].url}" in [caption.value for caption in page.caption]


def test_a_server_that_does_not_start_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> OwnServer:
        raise LaunchError(f"backend {name!r} ended with exit status 1")

    monkeypatch.setattr(server_choice, "OwnServer", fail)
    page = opened(own="gunicorn")
    assert said(page.error) == ["The gunicorn server did not start."]
    assert page.button(key="send").disabled


@pytest.mark.parametrize("url", ["ftp://example.org/", "http://", "http://127.0.0.1:99999", "nonsense"])
def test_a_wrong_url_is_one_sentence_and_nothing_can_be_sent(url: str) -> None:
    page = opened(url)
    (error,) = said(page.error)
    assert error.startswith(f"{url.rstrip('/')} is not the URL of a server: ")
    assert "\n" not in error
    assert page.button(key="send").disabled
    assert page.button(key="read").disabled


def test_a_server_that_is_absent_is_one_sentence() -> None:
    page = opened("http://127.0.0.1:1")
    for key in ("send", "read"):
        page.button(key=key).click().run()
        assert not page.exception
        assert {"127.0.0.1:1" in error for error in said(page.error)} == {True}


def test_a_refusal_is_shown_in_words(page: Page) -> None:
    page.text_input(key="field_name").set_value("")
    page.text_area(key="fields").set_value("\n".join(f"f{number}=1" for number in range(1001)))
    page.button(key="send").click().run()
    assert not page.exception
    (warning,) = said(page.warning)
    assert warning.startswith("refused: 413")


def test_a_field_without_a_value_is_one_sentence(page: Page) -> None:
    page.text_area(key="fields").set_value("a")
    page.button(key="send").click().run()
    assert said(page.error) == ["line 1 of the fields is not name=value: a"]


@pytest.mark.parametrize("client", ["socket", "requests"])
@pytest.mark.parametrize("kind", ["An echo, letter by letter", "A chat, word by word"])
def test_a_stream_is_real_for_one_reader_and_not_for_the_other(page: Page, kind: str, client: str) -> None:
    page.radio(key="stream_kind").set_value(kind)
    page.radio(key="stream_client").set_value(client)
    page.text_input(key="stream_text").set_value("one two three four")
    page.slider(key="stream_delay").set_value(0.1)
    page.button(key="read").click().run()
    assert not page.exception
    assert [code.value for code in page.code] == ["one two three four"] * 2
    assert said(page.success) == ["Verdict: real stream"]
    assert said(page.warning) == ["Verdict: pseudo-stream (the client read it whole)"]


def test_an_answer_that_is_no_stream_is_named(page: Page) -> None:
    answer = ok(b'{"a":1}\n')
    with recording(playing([answer])) as other:
        page.text_area(key="urls").set_value(other.url).run()
        page.button(key="read").click().run()
    assert not page.exception
    assert set(said(page.warning)) == {"This is not a stream, but one answer with application/json."}
