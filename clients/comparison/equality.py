"""When two responses are equal, and what must hold for every response (contract, section 1).

Two responses are equal when their status, their body bytes and their compared headers are equal. Problems are
an exception: their members are compared, without `detail`. Each backend words its own `detail`, so their
Content-Length is not compared either.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..http1.exchange import Exchange
from ..http1.response_parser import Response
from ..sse.event_values import event_values
from .random_values import without_random_values

COMPARED_HEADERS = (
    "content-type",
    "content-length",
    "allow",
    "etag",
    "accept-ranges",
    "content-range",
    "content-disposition",
    "repr-digest",
    "www-authenticate",
    "retry-after",
    # What browsers obey.
    "cache-control",
    "x-content-type-options",
    "content-security-policy",
    "cross-origin-resource-policy",
    "access-control-allow-origin",
    "vary",
    # Where a new upload is, and what is known of it.
    "location",
    "content-location",
    "accept-patch",
    "tus-resumable",
    "tus-version",
    "tus-extension",
    "tus-max-size",
    "tus-checksum-algorithm",
    "upload-complete",
    "upload-defer-length",
    "upload-expires",
    "upload-length",
    "upload-limit",
    "upload-metadata",
    "upload-offset",
)
_PROBLEM_MEMBERS = {"type", "title", "status", "code", "detail"}


@dataclass(frozen=True, slots=True)
class Compared:
    """The compared parts of a response. Equal objects mean equal responses."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def compared(exchange: Exchange) -> tuple[Compared, ...]:
    """The compared parts of each response; empty when the connection was closed without one."""
    return tuple(_compared(response) for response in exchange.responses)


def first_difference(left: Exchange, right: Exchange) -> str | None:
    """The first key in which two exchanges differ, with both values; None when they are equal."""
    lefts, rights = compared(left), compared(right)
    if lefts == rights:
        return None
    if len(lefts) != len(rights):
        return f"number of responses: {len(lefts)} and {len(rights)}"
    one, other = next((one, other) for one, other in zip(lefts, rights, strict=True) if one != other)
    if one.status != other.status:
        return f"status: {one.status} and {other.status}"
    found = _header_difference(one, other) or _event_difference(one, other)
    return found or _body_difference(one.body, other.body)


def broken_invariants(response: Response, *, head: bool) -> Iterator[str]:
    """What is wrong with a response, whatever was asked. A response to HEAD (`head`) may have no body."""
    if head and not response.body:
        return
    length = response.header("content-length")
    if length is not None and length != str(len(response.body)):
        yield f"content-length: {length}, but the body has {len(response.body)} bytes"
    if not response.is_json:
        return
    try:
        value = response.json()
    except ValueError as error:
        yield f"the JSON body is malformed: {error}"
        return
    # S11: equal values must give equal bytes, on every backend.
    if response.body != canonical_json(value):
        yield "the JSON body is not canonical: keys sorted, no blanks, ASCII, one final LF"


def canonical_json(value: Any) -> bytes:
    """The only allowed spelling of a JSON value: keys sorted by code point, no blanks, ASCII, a final LF."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"


def _compared(response: Response) -> Compared:
    headers = {
        name: value
        for name in COMPARED_HEADERS
        if (value := without_random_values(name, response.header(name))) is not None
    }
    body = response.body
    problem = response.json_object() if response.status >= 400 else None
    if problem is not None and problem.keys() >= _PROBLEM_MEMBERS:
        headers.pop("content-length", None)
        problem.pop("detail", None)
        # Under /v1/ a refusal also has OpenAI's `error`, whose message is the detail (contract, section 6).
        if isinstance(problem.get("error"), dict):
            problem["error"] = {key: item for key, item in problem["error"].items() if key != "message"}
        body = canonical_json(problem)
    elif response.status >= 400 and not response.body:
        headers.pop("content-length", None)  # a response to HEAD: the length of a problem that is not sent
    return Compared(response.status, tuple(headers.items()), body)


def _header_difference(one: Compared, other: Compared) -> str | None:
    """The first compared header that differs. When the bodies differ, Content-Length is skipped."""
    left, right = dict(one.headers), dict(other.headers)
    for name in COMPARED_HEADERS:
        follows_body = name == "content-length" and one.body != other.body
        if left.get(name) != right.get(name) and not follows_body:
            return f"{name}: {left.get(name)!r} and {right.get(name)!r}"
    return None


def _event_difference(one: Compared, other: Compared) -> str | None:
    """The first event that differs, or both numbers of events; None for equal streams and no streams."""
    if ("content-type", "text/event-stream") not in one.headers:
        return None
    lefts, rights = event_values(one.body), event_values(other.body)
    for position, (left, right) in enumerate(zip(lefts, rights, strict=False)):
        if (found := _value_difference(left, right, f"event[{position}]")) is not None:
            return found
    return f"number of events: {len(lefts)} and {len(rights)}" if len(lefts) != len(rights) else None


def _body_difference(left: bytes, right: bytes) -> str:
    try:
        found = _value_difference(json.loads(left), json.loads(right), "")
    except ValueError:
        found = None
    if found is not None:
        return found
    pairs = zip(left, right, strict=False)
    at = next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(left), len(right)))
    return f"body, byte {at}: {left[at : at + 40]!r} and {right[at : at + 40]!r}"


def _value_difference(left: Any, right: Any, key: str) -> str | None:
    """The first key, in sorted order, at which two JSON values differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        for name in sorted(left.keys() | right.keys()):
            inner = f"{key}.{name}" if key else name
            if (name in left) != (name in right):
                return f"{inner}: only in {'the first' if name in left else 'the second'}"
            if (found := _value_difference(left[name], right[name], inner)) is not None:
                return found
        return None
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for position, (one, other) in enumerate(zip(left, right, strict=True)):
            if (found := _value_difference(one, other, f"{key}[{position}]")) is not None:
                return found
        return None
    same = type(left) is type(right) and left == right
    return None if same else f"{key}: {left!r} and {right!r}"
