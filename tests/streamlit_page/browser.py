"""A headless Chromium that a test drives through the Chrome DevTools Protocol."""

import itertools
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

from tests.patience import patient

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
# Otherwise it connects to hosts of Google, which fails in a closed network.
_FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
_POLL_SECONDS = 0.1
_ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}


class Tab:
    """One tab of the browser."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a method of the protocol. Raises RuntimeError for its error."""
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._connection.recv(timeout=patient(60)))
            if message.get("id") == number:
                break
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        result: dict[str, Any] = message["result"]
        return result

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression. Raises RuntimeError when it throws."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in done:
            raise RuntimeError(f"{expression}: {done['exceptionDetails']}")
        return done["result"].get("value")

    def wait_for(self, expression: str, seconds: float = 30) -> Any:
        """The first true value of the expression. Raises TimeoutError."""
        deadline = time.monotonic() + patient(seconds)
        while not (value := self.value(expression)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{expression}; the page says: {self.value('document.body.innerText')}")
            time.sleep(_POLL_SECONDS)
        return value

    def open(self, url: str) -> None:
        """Go to the URL."""
        self.call("Page.navigate", url=url)

    def click(self, selector: str, text: str) -> None:
        """Click the element with this text, as soon as it is there."""
        found = (
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            f".find(each => each.innerText.trim() === {json.dumps(text)} && !each.disabled)"
        )
        self.wait_for(f"{found} !== undefined")
        self.value(f"{found}.click()")

    def type_into(self, selector: str, text: str) -> None:
        """Replace the text of a field, as soon as it is there, and press Enter."""
        field = f"document.querySelector({json.dumps(selector)})"
        self.wait_for(f"{field} !== null")
        self.value(f"{field}.focus(), {field}.select()")
        self.call("Input.insertText", text=text)
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, **_ENTER)

    def choose_files(self, paths: Sequence[Path]) -> None:
        """Choose files in the first field for files, as soon as it is there, as a user does."""
        self.wait_for("document.querySelector('input[type=file]') !== null")
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector="input[type=file]")["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])


@contextmanager
def browser() -> Iterator[Tab]:
    """A tab of a new browser, 1440 by 1000 pixels. The browser ends with the context."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, *_FLAGS, "--window-size=1440,1000", "--remote-debugging-port=0"]
        log = Path(profile, "log")
        with (
            log.open("wb") as errors,
            subprocess.Popen(
                [*command, f"--user-data-dir={profile}/profile", "about:blank"], stderr=errors
            ) as process,
        ):
            try:
                with connect(_page_address(log), max_size=None) as connection:
                    yield Tab(connection)
            finally:
                process.terminate()


def _page_address(log: Path) -> str:
    """The WebSocket of the only page, once the browser has written where it listens."""
    deadline = time.monotonic() + patient(30)
    while (found := re.search(rb"DevTools listening on ws://([^/]+)/", log.read_bytes())) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(log.read_text("utf-8", "replace"))
        time.sleep(_POLL_SECONDS)
    with urlopen(f"http://{found[1].decode()}/json", timeout=patient(10)) as response:
        targets = json.load(response)
    return next(str(target["webSocketDebuggerUrl"]) for target in targets if target["type"] == "page")
