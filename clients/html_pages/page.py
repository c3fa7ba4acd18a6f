"""A report as one HTML file, which needs nothing else. All text in it is escaped.

The bytes of a request are shown by the component of the page `/ui/`. Without its script they are text.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from textwrap import dedent
from typing import Any

from ..comparison.rendering import show_request
from .views import ReportViews

STYLE = Path(__file__).with_name("report.css")
_REQUEST_LINES = 40
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
<main>
{body}</main>
{script}</html>
"""


def html_page(title: str, body: str, views: ReportViews | None) -> str:
    """The whole file. `body` is HTML; `views` made the bytes in it, None if they are text."""
    style, script, rules = STYLE.read_text("utf-8"), "", ""
    if views is not None:
        style, script, rules = f"{views.style}{style}", views.script, views.rules
    return _PAGE.format(
        policy=_policy(script, style),
        title=escape(title),
        style=style,
        body=body,
        script=f'{rules}<script type="module">{script}</script>\n' if script else "",
    )


def _policy(script: str, style: str) -> str:
    """The policy of the page: this script and this style sheet, and nothing else, work in it."""
    return (
        f"default-src 'none'; script-src 'sha256-{_hash(script)}'; style-src 'sha256-{_hash(style)}';"
        " base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def element(tag: str, text: str, css_class: str = "") -> str:
    """An element with this text."""
    attribute = f' class="{css_class}"' if css_class else ""
    return f"<{tag}{attribute}>{escape(text)}</{tag}>\n"


def details(summary: str, content: str) -> str:
    """What is shown when its summary is pressed. Both are HTML."""
    return f"<details><summary>{summary}</summary>\n{content}</details>\n"


def pre(text: str) -> str:
    """Text as it is, without its indentation. The keyboard can scroll it."""
    return f'<pre tabindex="0">{escape(dedent(text))}</pre>\n'


def request_of(
    views: ReportViews | None, request: bytes, runs: Sequence[Mapping[str, Any]] = (), path: str = ""
) -> str:
    """The bytes of a request: explained beside the answers `runs`, or as text. See `ReportViews.data`."""
    text = pre(show_request(request, _REQUEST_LINES))
    data = "" if views is None else views.data(request, runs, path)
    return f'<div class="bytes-of">\n{text}{data}</div>\n' if data else text
