"""The servers and the browser of the tests of the page: two servers on one store, with a history."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clients.launch import HOST, RunningBackend, free_port, start

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from .browser import Tab

_AXE = "axe-core@4"


@dataclass(frozen=True, slots=True)
class Servers:
    """A socket server with the page, and a gunicorn that it sends to, too."""

    socket: RunningBackend
    gunicorn: RunningBackend

    @property
    def url(self) -> str:
        return self.socket.url


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Both servers on one store."""
    store = tmp_path_factory.mktemp("page") / "store"
    with ExitStack() as stack:
        gunicorn = stack.enter_context(start("gunicorn", store=store, env={"WIREPROOF_HISTORY": "500"}))
        port = free_port()
        peers = f"socket=http://{HOST}:{port},gunicorn={gunicorn.url}"
        socket = stack.enter_context(
            start(
                "socket",
                store=store,
                env={"WIREPROOF_HISTORY": "500", "WIREPROOF_PEERS": peers},
                flags=("--port", str(port)),
            )
        )
        yield Servers(socket, gunicorn)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests; each has a context of its own."""
    from .browser import CHROMIUM, a_browser

    if CHROMIUM is None:
        pytest.skip("without Chromium the page is NOT tested in a browser")
    with a_browser() as running:
        yield running


@pytest.fixture
def open_tab(browser: Browser, servers: Servers) -> Iterator[Callable[..., Tab]]:
    """Opens tabs of the page, and fails the test if one of them complained."""
    from .browser import a_tab

    with ExitStack() as stack:

        def opened(base: str | None = None, **options: Any) -> Tab:
            tab = stack.enter_context(a_tab(browser, base or servers.url, **options))
            if base is not None:  # a server of the test, which ends before its tab does
                tab.expected = ("net::ERR_",)
            return tab

        yield opened


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, from npm or from the file that WIREPROOF_AXE names."""
    given = os.environ.get("WIREPROOF_AXE")
    if given:
        return Path(given).read_text("utf-8")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("without npm the page is NOT checked by axe-core")
    folder = tmp_path_factory.mktemp("axe")
    subprocess.run([npm, "install", "--silent", "--no-save", "--prefix", str(folder), _AXE], check=True)
    return (folder / "node_modules/axe-core/axe.min.js").read_text("utf-8")
