"""Clients that nobody here wrote upload by tus to our servers: cut at 20 random points, byte-exact.

curl runs with every change. tuspy, tus-js-client and Uppy are installed first, so they run only on request:
pytest -m real_clients. And our client uploads to the reference server for Node.js.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from clients import upload
from clients.launch import HOST, PROJECT_ROOT, RunningBackend, start
from clients.packages import InstallError, environment_of_tools, install_from_npm, install_from_pypi
from tests.patience import patient
from tests.resumable.cutting_proxy import cutting, random_cuts

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

_ACTORS = Path(__file__).parent / "actors"
_SIZE = 3 << 20
_CUTS = 20
_STORES = ("local", "s3")
_BACKENDS = ("socket", "gunicorn")

pytestmark = pytest.mark.timeout(600)
EACH_STORE = pytest.mark.parametrize("store", _STORES)
EACH_BACKEND = pytest.mark.parametrize("backend", _BACKENDS)
INSTALLED = pytest.mark.real_clients

Servers = Callable[[str, str], RunningBackend]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Starts a backend on a store, once each."""
    with ExitStack() as stack:
        started: dict[tuple[str, str], RunningBackend] = {}
        objects: list[dict[str, str]] = []

        def environment(store: str, name: str) -> dict[str, str]:
            if store == "local":
                return {"WIREPROOF_STORE": str(tmp_path_factory.mktemp("store") / name)}
            from tests.object_store import BUCKET, ObjectStore

            if not objects:
                objects.append(stack.enter_context(ObjectStore()).environ)
            return objects[0] | {"WIREPROOF_STORE": f"s3://{BUCKET}/{name}"}

        def server(name: str, store: str) -> RunningBackend:
            if (name, store) not in started:
                started[name, store] = stack.enter_context(start(name, env=environment(store, name)))
            return started[name, store]

        yield server


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of installed clients, which WIREPROOF_REAL_CLIENTS keeps."""
    named = os.environ.get("WIREPROOF_REAL_CLIENTS")
    return Path(named).expanduser().resolve() if named else tmp_path_factory.mktemp("actors")


@pytest.fixture
def sent(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A file that no other test sends, so that no server has it already."""
    path = tmp_path / "sent.bin"
    path.write_bytes(random.Random(request.node.name).randbytes(_SIZE))
    return path


def from_npm(packages: Path, name: str, *wanted: str) -> Path:
    """A folder with the packages and our scripts; Node.js looks for packages beside a script."""
    folder = packages / name
    if shutil.which("npm") is None:
        pytest.skip(f"without npm {name} is NOT tested")
    try:
        install_from_npm(folder, wanted)
    except InstallError as error:
        pytest.skip(f"{name} is NOT tested: {error}")
    for script in (*_ACTORS.glob("*.mjs"), *_ACTORS.parent.glob("*.mjs")):
        shutil.copy(script, folder)
    return folder


def command_of(actor: str, packages: Path) -> list[str]:
    """What runs the actor, without URL and PATH. Installs it, or skips the test."""
    if actor == "curl":
        if shutil.which("curl") is None:
            pytest.skip("curl is not installed")
        return ["bash", str(_ACTORS / "with_curl.sh")]
    if actor == "wireproof":
        return [sys.executable, str(PROJECT_ROOT / "clients" / "upload.py"), "--resume"]
    if actor == "tus-js-client":
        return ["node", str(from_npm(packages, actor, actor) / "with_tus_js_client.mjs")]
    folder = packages / "tuspy"
    try:
        install_from_pypi(folder, ("tuspy",))
    except InstallError as error:
        pytest.skip(f"tuspy is NOT tested: {error}")
    flags = ["--checksum"] if actor == "tuspy with checksums" else []
    return [str(folder / "bin" / "python"), str(_ACTORS / "with_tuspy.py"), *flags]


def assert_stored(server: RunningBackend, path: Path) -> None:
    """The server has the file, byte for byte."""
    data = path.read_bytes()
    url = f"{server.url}/files/{hashlib.sha256(data).hexdigest()}"
    with urllib.request.urlopen(url, timeout=30) as response:
        assert response.read() == data


def run_actor(command: Sequence[str], server: RunningBackend, path: Path, seed: int) -> None:
    """Let an actor upload through connections that are cut; the file must be there, whole."""
    with cutting((HOST, server.port), random_cuts(_SIZE, _CUTS, seed)) as proxy:
        done = subprocess.run(
            [*command, f"{proxy.url}/resumable/", str(path)],
            env=environment_of_tools(),
            capture_output=True,
            text=True,
            timeout=patient(60),
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert proxy.made == _CUTS
    assert_stored(server, path)


@EACH_BACKEND
def test_curl_by_hand_goes_on_after_twenty_cuts(
    backends: Mapping[str, RunningBackend], packages: Path, sent: Path, backend: str
) -> None:
    run_actor(command_of("curl", packages), backends[backend], sent, 1)


@INSTALLED
@EACH_STORE
@EACH_BACKEND
@pytest.mark.parametrize("actor", ["curl", "tuspy", "tuspy with checksums", "tus-js-client", "wireproof"])
def test_an_actor_goes_on_after_twenty_cuts(
    servers: Servers, packages: Path, sent: Path, state: Path, actor: str, backend: str, store: str
) -> None:
    command = command_of(actor, packages)
    run_actor(command, servers(backend, store), sent, 2)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, or the test is skipped."""
    pytest.importorskip("playwright", reason="without the extra 'browser' Uppy is NOT tested")
    from tests.web_page.browser import CHROMIUM, a_browser

    if CHROMIUM is None:
        pytest.skip("without Chromium Uppy is NOT tested")
    with a_browser() as running:
        yield running


def page_with_uppy(browser: Browser | BrowserContext, packages: Path, origin: str, sent: Path) -> Page:
    """A page of this origin with Uppy, in which the file is chosen."""
    script = from_npm(packages, "uppy", "uppy") / "node_modules/uppy/dist/uppy.min.js"
    page = browser.new_page()
    page.set_default_timeout(patient(60) * 1000)
    # A server of uploads has no such page; where another server has it, nothing is intercepted.
    page.route(f"http://{HOST}:*/uppy.html", lambda route: route.fulfill(path=_ACTORS / "uppy.html"))
    page.goto(f"{origin}/uppy.html")
    page.add_script_tag(path=script)
    page.set_input_files("#file", sent)
    return page


@contextmanager
def serving_pages() -> Iterator[str]:
    """A server of the pages of the actors, by its origin."""
    handler = partial(QuietHandler, directory=str(_ACTORS))
    with ThreadingHTTPServer((HOST, 0), handler) as pages:
        thread = Thread(target=pages.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://localhost:{pages.server_port}"
        finally:
            pages.shutdown()
            thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
        pass


def send_with_uppy(page: Page, endpoint: str) -> None:
    """Let Uppy upload the file that is chosen."""
    result = page.evaluate("(endpoint) => window.sendWithUppy(endpoint)", endpoint)
    assert result["failed"] == []
    assert len(result["done"]) == 1


@INSTALLED
@EACH_STORE
@EACH_BACKEND
def test_uppy_in_a_browser_goes_on_after_twenty_cuts(
    servers: Servers, packages: Path, browser: Browser, sent: Path, backend: str, store: str
) -> None:
    server = servers(backend, store)
    with cutting((HOST, server.port), random_cuts(_SIZE, _CUTS, 3)) as proxy:
        page = page_with_uppy(browser, packages, proxy.url, sent)
        send_with_uppy(page, "/resumable/")
        page.close()
        assert proxy.made == _CUTS
    assert_stored(server, sent)


@INSTALLED
@EACH_BACKEND
def test_uppy_of_another_origin_uploads_where_the_server_allows_it(
    packages: Path, browser: Browser, sent: Path, backend: str
) -> None:
    """The page is really served, because a browser asks before it lets any other page reach this machine."""
    with (
        serving_pages() as origin,
        start(backend, env={"WIREPROOF_CORS_ORIGIN": origin}) as server,
        cutting((HOST, server.port), random_cuts(_SIZE, _CUTS, 5)) as proxy,
    ):
        page = page_with_uppy(browser, packages, origin, sent)
        send_with_uppy(page, f"{proxy.url}/resumable/")
        page.close()
        assert proxy.made == _CUTS
        assert_stored(server, sent)


@INSTALLED
@EACH_BACKEND
def test_uppy_goes_on_after_its_page_was_closed(
    servers: Servers, packages: Path, browser: Browser, sent: Path, backend: str
) -> None:
    """It keeps the URL of the upload in the browser, and finds it when the same file is chosen again."""
    server = servers(backend, "local")
    with cutting((HOST, server.port), [_SIZE // 2]) as proxy:
        context = browser.new_context()
        asked: list[str] = []
        context.on("request", lambda request: asked.append(request.method))
        page = page_with_uppy(context, packages, proxy.url, sent)
        cut = Event()

        def stay_away(made: int) -> None:
            proxy.pause()
            cut.set()

        proxy.on_cut = stay_away
        page.evaluate("() => { window.sendWithUppy('/resumable/'); }")
        assert cut.wait(patient(30))
        page.close()
        proxy.resume()
        page = page_with_uppy(context, packages, proxy.url, sent)
        # What the first page has kept reaches the second one a moment later.
        page.wait_for_function("() => Object.keys(localStorage).some((key) => key.startsWith('tus::'))")
        asked.clear()
        send_with_uppy(page, "/resumable/")
        context.close()
        assert asked[0] == "HEAD"
        assert "POST" not in asked
    assert_stored(server, sent)


@INSTALLED
@pytest.mark.parametrize("client", ["socket", "requests"])
def test_our_client_goes_on_after_twenty_cuts_with_the_reference_server(
    packages: Path, sent: Path, tmp_path: Path, state: Path, client: str
) -> None:
    folder = from_npm(packages, "tus-server", "@tus/server", "@tus/file-store")
    uploads = tmp_path / "uploads"
    command = ["node", str(folder / "tus_server.mjs"), str(uploads)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reference:
        try:
            assert reference.stdout is not None
            port = int(reference.stdout.readline())
            with cutting((HOST, port), random_cuts(_SIZE, _CUTS, 4)) as proxy:
                arguments = ["--resume", f"{proxy.url}/files", str(sent), "--client", client]
                result = CliRunner().invoke(upload.main, arguments)
                assert result.exit_code == 0, result.stderr
                assert proxy.made == _CUTS
        finally:
            reference.terminate()
    (stored,) = (path for path in uploads.iterdir() if path.suffix != ".json")
    assert stored.read_bytes() == sent.read_bytes()
