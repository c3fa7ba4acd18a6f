"""Of a gigabyte in chunks, and of hundreds of requests a second, page and server hold a bounded part.

`-s` shows the figures.
"""

import socket
import threading
import time
from pathlib import Path

import pytest

from clients.launch import RunningBackend, start
from tests.advisories.measures import memory, tree
from tests.patience import eventually
from tests.web_page.uploads import post, rows

pytest.importorskip("playwright", reason="without the extra 'browser' the page is NOT tested in a browser")
from playwright.sync_api import Page, expect

from tests.web_page.browser import OpenTab

pytestmark = pytest.mark.timeout(900)
MIB = 1 << 20
_ENV = {"WIREPROOF_HISTORY": "500", "WIREPROOF_DURABILITY": "fast", "WIREPROOF_WORKERS": "1"}
_HEAP_MIB = 16.0
_SERVER_MIB = 96.0
_SPANS = 2000  # of a page
_ROWS = 80
_A_TENTH = 0.1


def held(page: Page) -> tuple[float, int]:
    """The JavaScript heap in MiB, and the number of nodes, after a collection of garbage."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return found["JSHeapUsedSize"] / MIB, int(found["Nodes"])


def resident(server: RunningBackend, name: str = "VmRSS") -> float:
    """Memory of the server's processes in MiB."""
    return sum(memory(pid, name) for pid in tree(server.pid)) / 1024


def upload_in_chunks(server: RunningBackend, size: int, chunk: int) -> int:
    """Upload `size` bytes in chunks; returns the number of the request."""
    piece = b"%x\r\n" % chunk + b"x" * chunk + b"\r\n"
    block = piece * max(1, MIB // len(piece))
    count = size // chunk
    before = max((row["id"] for row in rows(server)), default=0)
    head = b"POST /upload/?long=1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
    with socket.create_connection((server.host, server.port), timeout=300) as connection:
        connection.sendall(head + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        for _ in range(count // (len(block) // len(piece))):
            connection.sendall(block)
        connection.sendall(piece * (count % (len(block) // len(piece))) + b"0\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    found: list[int] = []

    def is_there() -> bool:
        found[:] = [row["id"] for row in rows(server) if row["id"] > before and row["arriving"] is None]
        return bool(found)

    assert eventually(is_there, 10)
    return found[0]


@pytest.mark.parametrize(
    ("size", "chunk"),
    [(32 * MIB, 4096), pytest.param(1024 * MIB, 32768, marks=pytest.mark.soak(seconds=120))],
)
def test_a_long_chunked_body_is_shown_to_its_end(
    open_tab: OpenTab, tmp_path: Path, size: int, chunk: int
) -> None:
    with start("socket", store=tmp_path / "store", env=_ENV) as server:
        small = upload_in_chunks(server, MIB, chunk)
        page = open_tab(server.url).open(f"#/wire/{small}/list")
        page.wait_for_selector(".status .num")
        (heap, nodes), idle = held(page), resident(server)
        long = upload_in_chunks(server, size, chunk)
        page.goto(f"{server.url}/ui/#/wire/{long}/list")
        expect(page.locator(".why")).to_contain_text("Complete at byte")
        pages = 1
        most_rows = page.locator("table.spans tbody tr").count()
        while page.get_by_role("button", name="The spans from").last.inner_text().endswith("→"):
            first = page.locator("table.spans tbody tr").first.get_attribute("data-s")
            page.get_by_role("button", name="The spans from").last.click()
            expect(page.locator("table.spans tbody tr").first).not_to_have_attribute("data-s", first or "")
            most_rows = max(most_rows, page.locator("table.spans tbody tr").count())
            pages += 1
        expect(page.locator("table.spans tbody tr").last).to_contain_text("end of chunks")
        grown, more, server_grown = (
            held(page)[0] - heap,
            held(page)[1] - nodes,
            resident(server, "VmHWM") - idle,
        )
        figures = (
            f"{size // MIB} MiB in chunks of {chunk}: {pages} pages, at most {most_rows} rows;"
            f" heap {heap:.1f} MiB and {grown:+.1f}, nodes {nodes} and {more:+};"
            f" server {idle:.0f} MiB and {server_grown:+.0f} at its peak"
        )
        print(figures)
        assert pages >= size // chunk * 3 // _SPANS
        assert most_rows <= _SPANS
        assert grown < _HEAP_MIB, figures
        assert server_grown < _SERVER_MIB, figures


class Load(threading.Thread):
    """Sends `rate` requests a second on one connection until it is stopped. `sent` counts them."""

    def __init__(self, server: RunningBackend, rate: int) -> None:
        super().__init__(daemon=True)
        self._server, self._rate = server, rate
        self.stopped = threading.Event()
        self.sent = 0

    def run(self) -> None:
        batch = max(1, round(self._rate * _A_TENTH))
        due = time.monotonic()
        with socket.create_connection((self._server.host, self._server.port), timeout=60) as connection:
            while not self.stopped.wait(max(0.0, due - time.monotonic())):
                due += _A_TENTH
                requests = [
                    post(b"a=%d" % n, "text/plain", f"/upload/?n={self.sent + n}") for n in range(batch)
                ]
                connection.sendall(b"".join(requests).replace(b"Connection: close\r\n", b""))
                got = 0
                while got < batch:
                    got += connection.recv(MIB).count(b"HTTP/1.1 200 ")
                self.sent += batch


@pytest.mark.parametrize("seconds", [4, pytest.param(60, marks=pytest.mark.soak(seconds=80))])
def test_hundreds_of_requests_a_second_leave_the_memory_of_an_open_list_flat(
    open_tab: OpenTab, tmp_path: Path, seconds: int
) -> None:
    with start("socket", store=tmp_path / "store", env=_ENV) as server:
        page = open_tab(server.url).open("#/watch")
        load = Load(server, 200)
        load.start()
        try:
            page.locator(".btn.new").wait_for()
            found, most_rows = [], 0
            for _ in range(4):
                page.wait_for_timeout(seconds * 250)
                found.append(held(page))
                most_rows = max(most_rows, page.locator(".list tbody tr[role=row]").count())
        finally:
            load.stopped.set()
            load.join(60)
        heaps = ", ".join(f"{heap:.1f}" for heap, _ in found)
        figures = (
            f"{load.sent} requests in {seconds} s: heap {heaps} MiB, nodes {found[-1][1]}, rows {most_rows}"
        )
        print(f"{figures}; server {resident(server):.0f} MiB")
        assert load.sent > seconds * 20, figures
        assert most_rows <= _ROWS, figures
        assert found[-1][0] - found[0][0] < _HEAP_MIB / 2, figures
        page.locator(".btn.new").click()
        expect(page.locator(".list tbody a").first).to_have_text(f"/upload/?n={load.sent - 1}")
        assert page.locator(".list tbody tr[role=row]").count() <= _ROWS
