"""The page in Streamlit and headless Chromium: what the browser sends, and what Streamlit makes of it."""

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from clients.launch import HOST, PROJECT_ROOT, free_port
from clients.real_clients.recorder import Recorder
from clients.streamlit_tabs.kept_and_lost import FACTS
from tests.patience import eventually, patient

pytest.importorskip("streamlit", reason="without the extra 'streamlit' its page is NOT tested")
from tests.streamlit_page.browser import CHROMIUM, Tab, browser  # it needs websockets

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="without Chromium the page is NOT tested in a browser"),
    pytest.mark.timeout(600),
]
A_TXT = Path(PROJECT_ROOT, "sample_files", "a.txt")
_PUT = b"PUT /_stcore/upload_file/"
_ROWS = (
    "[...document.querySelectorAll('[data-testid=stDataFrame]')].map(frame =>"
    "[...frame.querySelectorAll('canvas tbody tr')].map(row =>"
    "[...row.querySelectorAll('td')].map(cell => cell.textContent)))"
)


def command(*arguments: str) -> list[str]:
    """Starts the page. Streamlit must not open a browser of its own."""
    return [sys.executable, "clients/streamlit_page.py", *arguments, "--", "--server.headless=true"]


@contextmanager
def streamlit() -> Iterator[tuple[int, int]]:
    """Streamlit with the page: its port and the id of its process."""
    port = free_port()
    with subprocess.Popen(
        command("--port", str(port)), cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert eventually(lambda: _is_healthy(port), 60)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(patient(20))


def _is_healthy(port: int) -> bool:
    try:
        with urlopen(f"http://{HOST}:{port}/_stcore/health", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def page() -> Iterator[int]:
    """The port of the page."""
    with streamlit() as (port, _):
        yield port


def opened(tab: Tab, port: int) -> None:
    tab.open(f"http://{HOST}:{port}/")
    tab.wait_for("document.querySelector('input[type=file]') !== null", 60)


def rows(tab: Tab, frame: int = 0, count: int = 1) -> list[list[str]]:
    """The cells of a table of data, once it has so many rows."""
    tab.wait_for(f"({_ROWS}[{frame}] || []).length === {count}", 60)
    found: list[list[str]] = tab.value(f"{_ROWS}[{frame}]")
    return found


def test_the_upload_of_the_post_goes_through_the_page_to_three_servers(page: int) -> None:
    with browser() as tab:
        opened(tab, page)
        tab.choose_files([A_TXT])
        assert rows(tab)[0][:3] == ["a.txt", "text/plain", "23 bytes"]
        for name in ("flask", "gunicorn"):
            tab.type_into("[data-testid=stMultiSelect] input", name)
            tab.wait_for(f"document.body.innerText.includes('{name} listens on')")
        tab.click("[role=tab]", "2. Sent on to servers")
        tab.click("button", "Send")
        tab.wait_for("document.body.innerText.includes('socket, flask and gunicorn read the upload alike.')")
        for name in ("socket", "flask", "gunicorn"):  # the verdict is shown first
            tab.wait_for(f"document.body.innerText.includes('{name}: 200')")


_ATTEMPTS = 3


def test_a_stream_is_drawn_while_it_is_read(page: int) -> None:
    """One column fills letter by letter, while the other one has nothing yet."""
    text = "one letter after another"
    with browser() as tab:
        opened(tab, page)
        tab.click("[role=tab]", "3. Streams")
        tab.type_into("[aria-label=Text]", text)
        codes = "[...document.querySelectorAll('[data-testid=stCode]')].map(code => code.innerText.trim())"
        # Every state is kept: one that lasts a short time may fall between two looks of ours.
        tab.value(
            f"window.states = []; new MutationObserver(() => states.push({codes}))"
            ".observe(document.body, {subtree: true, childList: true, characterData: true})"
        )
        begun = (
            "states.some(codes => codes.join('/').match(/^o[a-z ]+.\\(nothing yet\\)$/)"
            f" && !codes.includes('{text}'))"
        )
        for _ in range(_ATTEMPTS):  # a browser that gets no processor time leaves states out
            tab.value("states.length = 0")
            tab.click("button", "Read the stream twice")
            tab.wait_for(f"states.some(codes => codes.at(-1) !== '{text}')")
            # Not for the verdicts: they may be of the last try.
            tab.wait_for(f"{codes}.slice(-2).join() === '{text},{text}'")
            if seen := tab.value(begun):
                break
        assert seen
        tab.wait_for("document.body.innerText.includes('Verdict: real stream')")
        tab.wait_for("document.body.innerText.includes('Verdict: pseudo-stream')")


def test_its_own_server_stops_when_the_browser_leaves() -> None:
    with streamlit() as (port, pid):
        with browser() as tab:
            opened(tab, port)
            tab.wait_for("document.body.innerText.includes('socket listens on')")
            assert _children(pid)
        assert eventually(lambda: not _children(pid), 20)


def test_its_own_server_stops_with_streamlit() -> None:
    with streamlit() as (port, pid), browser() as tab:
        opened(tab, port)
        tab.wait_for("document.body.innerText.includes('socket listens on')")
        (server,) = _children(pid)
        subprocess.run(["kill", str(pid)], check=True)
        assert eventually(lambda: not Path(f"/proc/{server}").exists(), 20)


def _children(pid: int) -> list[int]:
    """The processes that a process has started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


# What is kept, changed and lost.


@dataclass(frozen=True)
class Upload:
    """A file as it was chosen, its PUT on the wire, and the row of the page."""

    path: Path
    put: bytes
    row: Sequence[str]

    @property
    def disposition(self) -> bytes:
        found = re.search(rb"\r\nContent-Disposition: ([^\r\n]*)\r\n", self.put)
        assert found is not None
        return found[1]


@pytest.fixture(scope="module")
def uploads(page: int, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Upload]:
    """Five odd files, through a recorder between the browser and Streamlit."""
    folder = tmp_path_factory.mktemp("odd")
    names = ('b "quoted".txt', "ü.png", "of no known type", "one/same.txt", "two/same.txt")
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\r\n--\0" + path.name.encode() + path.parent.name.encode())
    with Recorder({}) as recorder:
        recorder.upstream = (HOST, page)
        with browser() as tab:
            opened(tab, recorder.port)
            tab.choose_files(paths)
            shown = rows(tab, count=len(paths))
        puts = [put for conversation in recorder.take(40) for put in _puts(bytes(conversation.sent))]
    by_id = {re.split(rb"[/ ]", put)[5].decode(): put for put in puts}
    assert len(by_id) == len(puts) == len(paths)
    return [Upload(path, by_id[row[4]], row) for path, row in zip(paths, shown, strict=True)]


def _puts(sent: bytes) -> list[bytes]:
    """The uploads among the requests of one connection."""
    return [_PUT + rest for rest in sent.split(_PUT)[1:]]


def test_bytes_are_kept(uploads: Sequence[Upload]) -> None:
    for upload in uploads:
        content = upload.path.read_bytes()
        assert b"\r\n\r\n" + content + b"\r\n--" in upload.put
        assert upload.row[2:4] == [f"{len(content)} bytes", hashlib.sha256(content).hexdigest()]


def test_a_quote_in_a_name_stays_escaped(uploads: Sequence[Upload]) -> None:
    assert b'filename="b %22quoted%22.txt"' in uploads[0].disposition
    assert uploads[0].row[0] == "b %22quoted%22.txt"
    assert 'filename="ü.png"'.encode() in uploads[1].disposition
    assert uploads[1].row[0] == "ü.png"


def test_types_are_those_of_the_browser(uploads: Sequence[Upload]) -> None:
    sent = [re.findall(rb"\r\nContent-Type: ([^\r\n;]*)\r\n", upload.put)[-1].decode() for upload in uploads]
    assert sent == ["text/plain", "image/png", "application/octet-stream", "text/plain", "text/plain"]
    assert [upload.row[1] for upload in uploads] == sent


def test_order_and_equal_names_are_kept_and_ids_are_made(uploads: Sequence[Upload]) -> None:
    assert [upload.row[0] for upload in uploads[1:]] == ["ü.png", "of no known type", "same.txt", "same.txt"]
    assert uploads[3].row[3] != uploads[4].row[3]
    assert len({upload.row[4] for upload in uploads}) == len(uploads)


def test_a_request_has_one_part_named_after_its_file_and_no_further_header(uploads: Sequence[Upload]) -> None:
    for upload in uploads:
        assert upload.put.count(b"\r\nContent-Disposition: ") == 1
        part = upload.put.partition(b"\r\nContent-Disposition: ")[2].partition(b"\r\n\r\n")[0]
        assert re.findall(rb"\r\n([A-Za-z-]+):", part) == [b"Content-Type"]
        name = re.search(rb'; name="([^"]*)"', upload.disposition)
        filename = re.search(rb'; filename="([^"]*)"', upload.disposition)
        assert name is not None
        assert filename is not None
        assert name[1] == filename[1]


def test_the_table_has_a_row_for_each_of_these() -> None:
    assert [(fact.property, fact.what) for fact in FACTS] == [
        ("bytes, size, SHA-256", "kept"),
        ("file name", "changed"),
        ("content type", "kept"),
        ("order", "kept"),
        ("equal names", "kept"),
        ("id", "made"),
        ("name of the form field", "lost"),
        ("part headers", "lost"),
        ("fields beside files", "lost"),
        ("time of the last change", "lost"),
    ]


def _memory(pid: int) -> int:
    """The largest resident memory that the process has had, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def _peak_of(path: Path, act: Any) -> int:
    """How much the memory of Streamlit grows at most while a file is uploaded and `act` is done with it."""
    with streamlit() as (port, pid), browser() as tab:
        opened(tab, port)
        tab.wait_for("document.body.innerText.includes('socket listens on')")
        before = _memory(pid)
        tab.choose_files([path])
        rows(tab)
        act(tab)
        return _memory(pid) - before


@pytest.mark.soak(seconds=60)
def test_sending_on_200_mb_takes_no_second_copy(tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(b"0123456789abcdef" * (200_000_000 // 16))  # the most that Streamlit takes

    def send(tab: Tab) -> None:
        tab.click("[role=tab]", "2. Sent on to servers")
        tab.click("button", "Send")
        tab.wait_for("document.body.innerText.includes('socket: 200')", 120)

    received, sent_on = _peak_of(large, lambda tab: None), _peak_of(large, send)
    assert sent_on - received < large.stat().st_size // 4, (received, sent_on)
