"""The requests of gunicorn's own parser tests, sent over the wire; only the first request of each counts.

Requests that depend on one of gunicorn's settings are left out.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from clients.http1.response_parser import Response
from clients.launch import RunningBackend
from tests.conftest import BACKEND_NAMES
from tests.third_party_requests.descriptions import check, code_of
from tests.third_party_requests.differences import GUNICORN, GUNICORN_FLASK_RUN
from tests.third_party_requests.exchanges import converse, difference, response
from tests.third_party_requests.records import Record, check_each, octets


def without_settings(record: Record) -> bool:
    return not record["config"]


@pytest.mark.parametrize("name", BACKEND_NAMES)
def test_gunicorns_parser_finds_the_same_request(backends: Mapping[str, RunningBackend], name: str) -> None:
    check_each("gunicorn", lambda record: _check(backends, name, record), where=without_settings)


def _check(backends: Mapping[str, RunningBackend], name: str, record: Record) -> None:
    request = octets(record, "raw_b64")
    if name == "flask" and record["id"] in GUNICORN_FLASK_RUN:
        one, other = (converse(backends[asked], [request]) for asked in ("socket", "flask"))
        assert difference(one, other) is not None, "no longer differs: take it off the list"
        return
    if _is_cut_off(request, record["expect"]):
        assert converse(backends[name], [request]).closed
        return
    got = response(backends[name], request)
    check(got, _faults(got, record["expect"]), GUNICORN.get(record["id"]))


def _is_cut_off(request: bytes, expect: Mapping[str, Any]) -> bool:
    """Whether the client ends in the middle of a head that is valid so far."""
    return bool(expect.get("gunicorn_error") == "NoMoreData") and b"\r\n\r\n" not in request


def _faults(got: Response, expect: Mapping[str, Any]) -> Sequence[str]:
    if expect["reject"]:
        return ["accepted"] if got.status == 200 else []
    if got.status != 200:
        return [f"refused as {code_of(got)}"]
    result, expected = got.json(), expect["requests"][0]
    body = octets(expected, "body_b64")
    seen = {
        "method": result["method"],
        "target": result["target"],
        "headers": {header["name"]: header["value"] for header in result["headers"]},
        "body size": result["body"]["size"],
        "body hash": result["body"]["sha256"] or _measured(b""),
    }
    wanted = {
        "method": expected["method"],
        "target": expected["target"],
        "headers": _joined(expected["headers"]),
        "body size": len(body),
        # A multipart body has no hash of its own.
        "body hash": seen["body hash"] if result["body"]["kind"] == "multipart" else _measured(body),
    }
    return [f"{key}: {seen[key]!r} instead of {wanted[key]!r}" for key in seen if seen[key] != wanted[key]]


def _joined(headers: Sequence[Sequence[str]]) -> Mapping[str, str]:
    """The headers as a response lists them: lower case, repeated ones joined with a comma."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value)
    return {name: ",".join(joined) for name, joined in values.items()}


def _measured(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
