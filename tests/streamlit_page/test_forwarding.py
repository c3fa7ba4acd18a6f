"""Files and fields are sent on to servers, their bytes are kept, and the answers are compared."""

import io
import re
import threading
from collections.abc import Mapping

import pytest

from clients.http1.errors import UsageError
from clients.launch import RunningBackend
from clients.streamlit_tabs.forwarding import (
    KEPT_BYTES,
    TRANSPORTS,
    Answer,
    Files,
    SentBytes,
    difference,
    fields_of,
    forward,
    origin_of,
    upload_url,
)
from clients.streamlit_tabs.own_servers import OwnServer
from clients.streamlit_tabs.plain_text import plain
from tests.http1.recording_server import ok, playing, recording

A_TXT = b"hello world\nhello half\n"
BACKENDS = ("socket", "flask", "gunicorn")


def a_txt() -> Files:
    return [("file", ("a.txt", io.BytesIO(A_TXT), "text/plain"))]


@pytest.mark.parametrize("client", TRANSPORTS)
def test_the_upload_of_the_post_is_read_alike(backends: Mapping[str, RunningBackend], client: str) -> None:
    servers = {name: f"{backends[name].url}/upload/" for name in BACKENDS}
    answers = forward(servers, client, [("a", "123")], a_txt())
    assert [answer.server for answer in answers] == list(BACKENDS)
    assert difference(answers) is None
    for answer in answers:
        assert answer.response is not None
        assert answer.response.status == 200
        result = answer.response.json()
        assert [(field["name"], field["value"]) for field in result["form"]] == [("a", "123")]
        assert [(file["name"], file["filename"], file["size"]) for file in result["files"]] == [
            ("file", "a.txt", len(A_TXT))
        ]
        shown = answer.sent.shown()
        assert shown.startswith("POST /upload/ HTTP/1.1␍␊\nHost: 127.0.0.1:")
        assert 'Content-Disposition: form-data; name="a"␍␊\n␍␊\n123␍␊\n' in shown
        assert (
            'filename="a.txt"␍␊\nContent-Type: text/plain␍␊\n␍␊\nhello world␊\nhello half␊\n␍␊\n--' in shown
        )


def test_the_servers_get_the_same_bytes_but_for_host(backends: Mapping[str, RunningBackend]) -> None:
    servers = {name: f"{backends[name].url}/upload/" for name in BACKENDS}
    shown = [answer.sent.shown() for answer in forward(servers, "socket", [], a_txt())]
    assert len({re.sub(r"Host: [^\n]*\n", "", text) for text in shown}) == 1


def test_fields_without_a_file_are_sent_as_a_form(backends: Mapping[str, RunningBackend]) -> None:
    (answer,) = forward({"socket": f"{backends['socket'].url}/upload/"}, "socket", [("a", "1 2")], [])
    assert answer.response is not None
    assert answer.response.json()["body"]["media_type"] == "application/x-www-form-urlencoded"
    assert answer.sent.shown().endswith("␍␊\n␍␊\na=1+2")


def test_a_difference_names_the_servers_and_the_value() -> None:
    answering = [playing([ok(b'{"a":%d}\n' % number)]) for number in (1, 2)]
    with recording(answering[0]) as one, recording(answering[1]) as other:
        answers = forward({"one": one.url, "other": other.url}, "socket", [("a", "1")], [])
    assert difference(answers) == "one and other: a: 1 and 2"


def test_a_server_that_is_absent_gives_a_sentence(backends: Mapping[str, RunningBackend]) -> None:
    servers = {"absent": "http://127.0.0.1:1/upload/", "socket": f"{backends['socket'].url}/upload/"}
    absent, there = forward(servers, "socket", [("a", "1")], [])
    assert absent.response is None
    assert "127.0.0.1:1" in absent.error
    assert there.response is not None
    assert difference([absent, there]) == "there is no answer of absent"


def test_nothing_to_send_and_a_malformed_field_are_errors_in_words() -> None:
    with pytest.raises(UsageError, match="choose a file or write a field"):
        forward({"socket": "http://127.0.0.1:1/"}, "socket", [], [])
    with pytest.raises(UsageError, match="line 2 of the fields is not name=value: b"):
        fields_of("a=1\nb")
    assert fields_of("a=1\n\n b=c=d\n=x") == [("a", "1"), (" b", "c=d"), ("", "x")]


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/upload/"),
        ("http://example.org/api/files?x=1", "http://example.org/api/files?x=1"),
    ],
)
def test_a_url_without_a_path_means_our_upload_route(url: str, target: str) -> None:
    assert upload_url(url) == target


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://example.org/api/files?x=1", "http://example.org"),
        ("https://example.org?x=1", "https://example.org"),
    ],
)
def test_streams_are_asked_for_at_the_origin(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_text_of_a_server_is_no_markdown() -> None:
    assert plain("![x](http://h/)\n:red[a]") == "\\!\\[x\\]\\(http\\://h/\\)  \n\\:red\\[a\\]"


def test_of_a_large_upload_the_first_and_the_last_bytes_are_kept() -> None:
    sent = SentBytes()
    for block in (b"begin", b"x" * (5 * KEPT_BYTES), memoryview(b"\0\xffend")):
        sent.feed(block)
    assert sent.size == 5 * KEPT_BYTES + 10
    shown = sent.shown()
    assert shown.startswith("beginxx")
    assert shown.endswith("x\\x00\\xffend")
    assert f"\n... {sent.size - 2 * KEPT_BYTES:,} more bytes ...\n" in shown


def test_a_small_upload_is_kept_whole() -> None:
    sent = SentBytes()
    for _ in range(2 * KEPT_BYTES):
        sent.feed(b"x")
    assert sent.shown() == "x" * (2 * KEPT_BYTES)


def test_an_own_server_outlives_the_thread_that_asked_for_it_and_ends_with_stop() -> None:
    """Streamlit uses a new thread for each run of the page."""
    made: list[OwnServer] = []
    thread = threading.Thread(target=lambda: made.append(OwnServer("socket")))
    thread.start()
    thread.join()
    (server,) = made
    (answer,) = forward({"own": f"{server.url}/upload/"}, "socket", [("a", "1")], [])
    assert answer.response is not None
    server.stop()
    (gone,) = forward({"own": f"{server.url}/upload/"}, "socket", [("a", "1")], [])
    assert gone.response is None


def test_an_answer_alone_differs_from_nothing() -> None:
    assert difference([Answer("one", SentBytes())]) is None
