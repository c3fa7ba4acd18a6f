"""The wire views of an HTML report: data for the component that shows the bytes of a request."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from ..http1.exchange import Exchange
from ..launch import LaunchError
from .explained_requests import Explained, ExplainedRequest, NotExplained, explained
from .wire_component import NotBundled

MOST_BYTES = 8 * 1024 * 1024
"""The data of all views together. A request that has no room is shown as text."""

_SCRIPT = Path(__file__).with_name("report.js")
_ANSWER_CHARACTERS = 32 * 1024
_OF_THE_REQUEST = (
    *("method", "target", "kind", "size", "total", "head", "chunked", "redacted", "strip"),
    *("end", "stop", "bytes", "tail_bytes"),
)


class ReportViews:
    """Makes the data of one view after the other, while there is room."""

    def __init__(self, found: Explained, most_bytes: int = MOST_BYTES) -> None:
        self._found = found
        self._room = most_bytes

    def data(self, request: bytes, runs: Sequence[Mapping[str, Any]] = (), path: str = "") -> str:
        """An element with the data of the view, or "" if the request is not explained or there is no room.

        `runs` are answers as `run_of` gives them; that of our own server stands behind them. `path` is the
        value that is chosen at first.
        """
        one = self._found.requests.get(request)
        if one is None:
            return ""
        element = _data_block(_view(one, runs, path))
        if len(element) > self._room:
            return ""
        self._room -= len(element)
        return element

    @property
    def style(self) -> str:
        """The style sheet of the component. That of the report comes behind it."""
        return self._found.component.style

    @cached_property
    def script(self) -> str:
        """The script that draws the views."""
        return f"{self._found.component.script}{_SCRIPT.read_text('utf-8')}"

    @property
    def rules(self) -> str:
        """An element with the texts of the rules that the views name."""
        return _data_block(_rules_of(self._found), "rules")


def views_of(requests: Sequence[bytes]) -> ReportViews | None:
    """The views of these requests, the first ones first. None if there are none.

    None, too, and a note on standard error, when our own server does not explain them.
    """
    try:
        return ReportViews(explained(requests)) if requests else None
    except (LaunchError, NotExplained, NotBundled) as error:
        click.echo(f"The HTML report shows bytes without their meaning: {error}", err=True)
        return None


def _data_block(value: Any, name: str = "") -> str:
    """JSON in an element that runs nothing. No text in it can end the element."""
    text = json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
    identifier = f' id="{name}"' if name else ""
    return f'<script type="application/json"{identifier}>{text}</script>\n'


def _view(one: ExplainedRequest, runs: Sequence[Mapping[str, Any]], path: str) -> Mapping[str, Any]:
    described = one.described
    ours = [{**run, "ms": None, "backend": "wireproof"} for run in described["runs"]]
    data = {name: described[name] for name in _OF_THE_REQUEST}
    # How the bytes were split was a matter of our own server; nothing arrives any more.
    data |= {"reads": [], "arriving": None, "diffs": []}
    data["runs"] = [*runs, *ours]
    return {"data": data, "pages": one.pages, "path": path}


def run_of(name: str, exchange: Exchange) -> Mapping[str, Any]:
    """The answer of a server with this name, as a view shows it."""
    run = {"backend": name, "wire": True, "ms": None, "code": None, "sha256": None}
    if not exchange.responses:
        why = exchange.failure or "The connection was closed without an answer."
        return {**run, "status": None, "error": why}
    response = exchange.responses[0]
    text = response.body.decode("utf-8", "replace")
    return {
        **run,
        "status": response.status,
        "content_type": response.header("content-type"),
        "answer": text[:_ANSWER_CHARACTERS],
        "answer_size": len(response.body),
    }


def _rules_of(found: Explained) -> Mapping[str, str]:
    named: set[str] = set()
    for one in found.requests.values():
        for page in one.pages:
            named.update(page["rules"])
        stop = one.described["stop"] or {}
        named.update([stop.get("rule") or "", *stop.get("rules", ())])
    return {rule: found.rules[rule] for rule in sorted(named) if rule in found.rules}
