"""A headless Chromium that tests drive through playwright. Each tab tells what went wrong in it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.patience import patient

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
_WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass(slots=True)
class Tab:
    """A page with all that it complained about. `expected` are parts of complaints that a test provokes."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def open(self, place: str = "") -> Page:
        """Go to a place of the page, such as `#/wire/4`, and wait until it is drawn."""
        self.page.goto(f"{self.base}/ui/{place}")
        self.page.wait_for_selector("main > *")
        return self.page

    def unexpected(self) -> list[str]:
        """What went wrong and was not provoked: errors, complaints of the console, violations of the CSP."""
        violations = self.page.evaluate("window.violations ?? []")
        all_of_them = [*self.complaints, *violations]
        return [each for each in all_of_them if not any(part in each for part in self.expected)]


@contextmanager
def a_browser() -> Iterator[Browser]:
    """A browser. It ends with the context."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def a_tab(browser: Browser, base: str, **options: Any) -> Iterator[Tab]:
    """A tab in a context of its own, such as `color_scheme="dark"`. Its complaints fail the test."""
    context = browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce", **options})
    context.set_default_timeout(patient(6) * 1000)
    expect.set_options(timeout=patient(6) * 1000)
    if options.get("java_script_enabled", True):
        context.add_init_script(_WATCH)
    tab = Tab(context.new_page(), base)
    tab.page.on("console", lambda message: _note(tab, message))
    tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    try:
        yield tab
        if options.get("java_script_enabled", True):
            complaints = tab.unexpected()
            assert not complaints, complaints
    finally:
        context.close()


def _note(tab: Tab, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        tab.complaints.append(f"{message.text} {message.location.get('url', '')}")


OpenTab = Callable[..., Tab]
