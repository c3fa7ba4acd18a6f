"""What a case expects, and whether an exchange meets it.

`expect` is an object, or a list of objects when a pipeline has several answers:

- `status`, an integer; `code`, the problem's code; `headers`, values by name (null: the field is absent);
  `text`, the whole body as UTF-8;
- `events`, a list with an entry for each event of a stream, no more and no fewer: of its data, which is JSON
  or a string, matched as the entries of `body` are;
- `body`, a subset of the JSON answer: each value given must be equal in full, except that a dict matches as a
  subset, that a dict in a list matches as a subset of the entry at its position (the lists are of one
  length), and that a list may be given as `{"contains": [entries], "lacks": [names]}`;
- `closed: true`, the connection ends without an answer; `refused: true`, any 4xx (two faults in one body have
  no order, so the code is free);
- `extra: true`, further answers may follow the first and are left out (B11: bytes after the message).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..http1.exchange import Exchange
from ..http1.response_parser import Response
from ..sse.event_values import event_values

_KEYS = {"status", "code", "body", "headers", "closed", "refused", "text", "events", "extra"}
_TYPES = {"status": int, "code": str, "body": dict, "headers": dict, "text": str, "events": list}
_FLAGS = ("closed", "refused", "extra")


class ExpectationError(Exception):
    """An `expect` that says nothing, or something that this module does not know."""


@dataclass(frozen=True, slots=True)
class ExpectedResponse:
    """One answer's expectation; None and empty mean "not asked"."""

    status: int | None = None
    code: str | None = None
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str | None] | None = None
    text: str | None = None
    events: Sequence[Any] | None = None
    refused: bool = False

    def faults(self, response: Response, *, head: bool) -> Iterator[str]:
        """What is not as expected. An answer to HEAD without a body is judged by its head alone."""
        if self.refused and not 400 <= response.status <= 499:
            yield f"status: expected any 4xx, got {response.status}"
        if self.status is not None and response.status != self.status:
            yield f"status: expected {self.status}, got {response.status}"
        for name, value in (self.headers or {}).items():
            if response.header(name) != value:
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
            yield f"the body is no JSON: {error}"
        else:
            yield from mismatches(wanted, value)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a case expects of an exchange: `answers` in order, or (`closed`) none."""

    responses: tuple[ExpectedResponse, ...]
    closed: bool = False
    extra: bool = False

    @classmethod
    def parse(cls, value: Any) -> Expectation:
        """From the JSON of a case. Raises ExpectationError."""
        items = value if isinstance(value, list) else [value]
        for item in items:
            _check(item, alone=len(items) == 1)
        first: Mapping[str, Any] = items[0] if items else {}
        if not items:
            raise ExpectationError("expect is empty")
        if first.get("closed"):
            return cls((), closed=True)
        return cls(tuple(_expected_answer(item) for item in items), extra=bool(first.get("extra")))

    @property
    def refused(self) -> bool:
        """Whether any refusal will do."""
        return any(response.refused for response in self.responses)

    def faults(self, exchange: Exchange, *, head: bool = False) -> list[str]:
        """What is not as expected, the first fault first; empty when all is. `head`: the method is HEAD."""
        if exchange.no_response:
            return [exchange.no_response]
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
            faults.append(f"number of answers: expected {expected}, got {count} ({statuses})")
        return faults

    def _closed_fault(self, exchange: Exchange) -> str:
        if exchange.closed:
            return "the connection was closed without an answer"
        return f"expected a close without an answer, got status {exchange.responses[0].status}"


def mismatches(expected: Any, actual: Any, key: str = "") -> Iterator[str]:
    """Where `actual` does not hold what `expected` asks for, as `key: expected ..., got ...`."""
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
    """Whether two JSON values are one: 1, 1.0 and true are three, and so are 0, 0.0 and -0.0."""
    if type(one) is not type(other) or one != other:
        return False
    return not isinstance(one, float) or math.copysign(1, one) == math.copysign(1, other)


def is_list_pattern(expected: Any) -> bool:
    """Whether a list is asked for by some of its entries."""
    return isinstance(expected, dict) and bool(expected) and expected.keys() <= {"contains", "lacks"}


def _list_mismatches(expected: Mapping[str, Any], actual: list[Any], key: str) -> Iterator[str]:
    for wanted in expected.get("contains", []):
        if not any(next(mismatches(wanted, value), None) is None for value in actual):
            yield f"{key}: expected an entry like {wanted!r}, got {actual!r}"
    for name in expected.get("lacks", []):
        if any(isinstance(value, dict) and value.get("name") == name for value in actual):
            yield f"{key}: expected no entry named {name!r}"


def _expected_answer(item: Mapping[str, Any]) -> ExpectedResponse:
    return ExpectedResponse(
        status=item.get("status"),
        code=item.get("code"),
        body=item.get("body"),
        headers=item.get("headers"),
        text=item.get("text"),
        events=item.get("events"),
        refused=bool(item.get("refused")),
    )


def _check(item: Any, *, alone: bool) -> None:
    if not isinstance(item, dict) or not item or not item.keys() <= _KEYS:
        raise ExpectationError(f"expect must be an object with some of {', '.join(sorted(_KEYS))}: {item!r}")
    for key, kind in _TYPES.items():
        if key in item and (not isinstance(item[key], kind) or isinstance(item[key], bool)):
            raise ExpectationError(f"expect: {key} must be of type {kind.__name__}: {item[key]!r}")
    for key in _FLAGS:
        if key in item and item[key] is not True:
            raise ExpectationError(f"expect: {key} can only be true")
        if key in item and not alone:
            raise ExpectationError(f"expect: {key} is for a single answer")
    if "closed" in item and len(item) > 1:
        raise ExpectationError("expect: with closed nothing else can be expected")
    if not item.keys() & {"closed", "refused", "status"}:
        raise ExpectationError("expect: status, refused or closed must be given")
