"""A kept request and its answers as HAR 1.2, the format of browsers' network tabs."""

import sqlite3
from typing import Any

from ..contract.version import version
from .history_rows import timestamp
from .kept_body import decoded_body


def har_of(request: sqlite3.Row, runs: list[sqlite3.Row]) -> dict[str, Any]:
    """One entry for each backend. What is not known is an empty list or -1, as the format asks for."""
    kept = request["kept"] or b""
    lines = kept[: request["head"]].decode("latin-1").split("\r\n")[1:]
    fields = [line.partition(":") for line in lines if ":" in line]
    headers = [{"name": name, "value": value.strip(" \t")} for name, _, value in fields]
    wanted: dict[str, Any] = {
        "method": request["method"] or "",
        "url": f"http://localhost{request['target'] or ''}",
        "httpVersion": "HTTP/1.1",
        "headers": headers,
        "queryString": [],
        "cookies": [],
        "headersSize": request["head"] or -1,
        "bodySize": request["size"],
    }
    body = decoded_body(kept, request["head"], chunked=bool(request["chunked"]))
    if body:
        kind = next((pair["value"] for pair in headers if pair["name"].lower() == "content-type"), "")
        wanted["postData"] = {"mimeType": kind, "text": body.decode("latin-1"), "params": []}
    entries = [_entry(request, run, wanted) for run in runs]
    creator = {"name": "wireproof", "version": version()}
    return {"log": {"version": "1.2", "creator": creator, "entries": entries}}


def _entry(request: sqlite3.Row, run: sqlite3.Row, wanted: dict[str, Any]) -> dict[str, Any]:
    content_type = run["content_type"] or ""
    answer = run["answer"]
    content: dict[str, Any] = {"size": run["answer_size"] or 0, "mimeType": content_type}
    if answer is not None:
        content["text"] = answer.decode("utf-8", "replace")
    return {
        "startedDateTime": timestamp(request["at"]),
        "time": run["ms"],
        "request": wanted,
        "response": {
            "status": run["status"] or 0,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": "Content-Type", "value": content_type}] if content_type else [],
            "cookies": [],
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": run["answer_size"] or 0,
            "content": content,
        },
        "cache": {},
        "timings": {"send": 0, "wait": run["ms"], "receive": 0},
        "comment": run["backend"],
    }
