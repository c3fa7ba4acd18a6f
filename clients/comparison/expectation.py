"""What a case expects, and whether an exchange meets it.

`expect` is an object, or a list of objects when a pipeline has several responses:

- `status`, an integer; `code`, the problem's code; `text`, the whole body as UTF-8;
- `headers`, the values by name; null means that the field is absent;
- `body`, a subset of the JSON response. A dict matches a dict that has at least its members. A list matches a
  list of the same length, entry by entry. `{"contains": [entries], "lacks": [names]}` matches a list that has
  such entries, and none of these names. Any other value must be equal;
- `events`, a list with one entry for each event of a stream. The event's data, JSON or a string, matches as
  in `body`;
- `closed: true`, the connection ends without a response;
- `refused: true`, any 4xx. Two faults in one body have no order, so the code may be either;
- `extra: true`, further responses may follow the first one and are ignored (B11: bytes after the message);
- `continues`, the number of 1xx before the response. Such a case is sent once, its head first (`runner.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..http1.exchange import Exchange
from ..http1.response_parser import Response
from ..sse.event_values import event_values
from .random_values import without_random_values

_KEYS = {"status", "code", "body", "headers", "closed", "refused", "text", "events", "extra", "continues"}
_TYPES = {
    "status": int,
    "code": str,
    "body": dict,
    "headers": dict,
    "text": str,
    "events": list,
    "continues": int,
}
_FLAGS = ("closed", "refused", "extra")
_ALONE = (*_FLAGS, "continues")


class ExpectationError(Exception):
    """An `expect` is empty, or has a member or a value that this module does not know."""


@dataclass(frozen=True, slots=True)
class ExpectedResponse:
    """What is expected of one response; None and empty mean that anything will do."""

    status: int | None = None
    code: str | None = None
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str | None] | None = None
    text: str | None = None
    events: Sequence[Any] | None = None
    refused: bool = False

    def faults(self, response: Response, *, head: bool) -> Iterator[str]:
        """What is not as expected. In a response to HEAD without a body only the head is checked."""
        if self.refused and not 400 <= response.status <= 499:
            yield f"status: expected any 4xx, got {response.status}"
        if self.status is not None and response.status != self.status:
            yield f"status: expected {self.status}, got {response.status}"
        for name, value in (self.headers or {}).items():
            if without_random_values(name, response.header(name)) != value:
                yield f"{name}: expected {value!r}, got {response.header(name)!r}"
        if not (head and not response.body):
            yield from self._body_faults(response)

    def _body_faults(self, response: Response) -> Iterator[str]:
        if self.text is not None and response.body != self.text.encode():
            yield f"text: expected {self.text!r}, got {response.body.decode('utf-8', 'replace')!r}"
        if self.events is not None:
            yield from mismatches(list(self.events), event_values(response.body), "events")
        wanted = dict(self.body or {})
        if self.code is not None:
            wanted["code"] = self.code
        if not wanted:
            return
        try:
            value = response.json()
        except ValueError as error:
            yield f"the body is not valid JSON: {error}"
        else:
            yield from mismatches(wanted, value)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a case expects of an exchange: `responses` in order, or none when it is `closed`.

    `continues` is None when any number of 1xx will do.
    """

    responses: tuple[ExpectedResponse, ...]
    closed: bool = False
    extra: bool = False
    continues: int | None = None

    @classmethod
    def parse(cls, value: Any) -> Expectation:
        """Make it from the JSON of a case. Raises ExpectationError."""
        items = value if isinstance(value, list) else [value]
        for item in items:
            _check(item, alone=len(items) == 1)
        first: Mapping[str, Any] = items[0] if items else {}
        if not items:
            raise ExpectationError("expect is empty")
        if first.get("closed"):
            return cls((), closed=True)
        responses = [{key: item[key] for key in item if key not in ("extra", "continues")} for item in items]
        return cls(
            tuple(ExpectedResponse(**each) for each in responses),
            extra=bool(first.get("extra")),
            continues=first.get("continues"),
        )

    @property
    def refused(self) -> bool:
        """Whether any refusal is as expected."""
        return any(response.refused for response in self.responses)

    def faults(self, exchange: Exchange, *, head: bool = False) -> list[str]:
        """What is not as expected, in order; empty when all is. `head`: the method is HEAD."""
        if exchange.failure:
            return [exchange.failure]
        if self.closed or exchange.closed:
            return [] if self.closed == exchange.closed else [self._closed_fault(exchange)]
        count, expected = len(exchange.responses), len(self.responses)
        faults = [
            fault
            for response, wanted in zip(exchange.responses, self.responses, strict=False)
            for fault in wanted.faults(response, head=head)
        ]
        if count < expected or (count > expected and not self.extra):
            statuses = ", ".join(str(response.status) for response in exchange.responses)
            faults.append(f"number of responses: expected {expected}, got {count} ({statuses})")
        if self.continues not in (None, exchange.continues):
            faults.append(f"number of 1xx: expected {self.continues}, got {exchange.continues}")
        return faults

    def _closed_fault(self, exchange: Exchange) -> str:
        if exchange.closed:
            return "the connection was closed without a response"
        return f"expected a close without a response, got status {exchange.responses[0].status}"


def mismatches(expected: Any, actual: Any, key: str = "") -> Iterator[str]:
    """Where `actual` does not match `expected`, as `key: expected ..., got ...`."""
    if is_list_pattern(expected) and isinstance(actual, list):
        yield from _list_mismatches(expected, actual, key)
    elif isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            inner = f"{key}.{name}" if key else str(name)
            if name in actual:
                yield from mismatches(value, actual[name], inner)
            else:
                yield f"{inner}: expected {value!r}, got nothing"
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for position, (wanted, value) in enumerate(zip(expected, actual, strict=True)):
            yield from mismatches(wanted, value, f"{key}[{position}]")
    elif isinstance(expected, list) and isinstance(actual, list):
        yield f"{key}: expected {len(expected)} entries, got {len(actual)}: {actual!r}"
    elif not _same(expected, actual):
        yield f"{key}: expected {expected!r}, got {actual!r}"


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal and of one type: 1, 1.0 and true differ, and so do 0.0 and -0.0."""
    if type(one) is not type(other) or one != other:
        return False
    return not isinstance(one, float) or math.copysign(1, one) == math.copysign(1, other)


def is_list_pattern(expected: Any) -> bool:
    """Whether this is a `{"contains": ..., "lacks": ...}`, which a list must match."""
    return isinstance(expected, dict) and bool(expected) and expected.keys() <= {"contains", "lacks"}


def _list_mismatches(expected: Mapping[str, Any], actual: list[Any], key: str) -> Iterator[str]:
    for wanted in expected.get("contains", []):
        if not any(next(mismatches(wanted, value), None) is None for value in actual):
            yield f"{key}: expected an entry like {wanted!r}, got {actual!r}"
    for name in expected.get("lacks", []):
        if any(isinstance(value, dict) and value.get("name") == name for value in actual):
            yield f"{key}: expected no entry named {name!r}"


def _check(item: Any, *, alone: bool) -> None:
    if not isinstance(item, dict) or not item or not item.keys() <= _KEYS:
        raise ExpectationError(f"expect must be an object with members {', '.join(sorted(_KEYS))}: {item!r}")
    for key, kind in _TYPES.items():
        if key in item and (not isinstance(item[key], kind) or isinstance(item[key], bool)):
            raise ExpectationError(f"expect: {key} must be of type {kind.__name__}: {item[key]!r}")
    for key in _FLAGS:
        if key in item and item[key] is not True:
            raise ExpectationError(f"expect: {key} can only be true")
    for key in _ALONE:
        if key in item and not alone:
            raise ExpectationError(f"expect: {key} is only for a single response")
    if "closed" in item and len(item) > 1:
        raise ExpectationError("expect: closed cannot be combined with another member")
    if not item.keys() & {"closed", "refused", "status"}:
        raise ExpectationError("expect: one of status, refused and closed is needed")
