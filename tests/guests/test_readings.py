"""What an answer means, and when two guests read alike."""

import json
from typing import Any

import pytest

from clients.guests.readings import Outcome, Reading, reading_of
from clients.http1.exchange import Exchange
from clients.http1.response_parser import Response

_FILE = {"name": "f", "filename": "a.txt", "content_type": "text/plain", "size": 1, "sha256": "d"}


def answer(value: Any, status: int = 200) -> Exchange:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Exchange((Response(status, (("content-type", "application/json"),), body),))


@pytest.mark.parametrize(
    ("exchange", "outcome"),
    [
        (answer({}), Outcome.READ),
        (answer({}, 400), Outcome.REFUSED),
        (answer({}, 501), Outcome.REFUSED),
        (answer({}, 500), Outcome.FAILED),
        (answer(b"no JSON"), Outcome.FAILED),
        (Exchange(closed=True), Outcome.FAILED),
        (Exchange(no_response="time-out"), Outcome.FAILED),
        (Exchange(bad_response="not HTTP"), Outcome.FAILED),
    ],
)
def test_an_answer_is_a_reading_a_refusal_or_a_failure(exchange: Exchange, outcome: Outcome) -> None:
    assert reading_of(exchange).outcome is outcome


def test_readings_are_equal_whatever_the_shape_and_the_order_of_names() -> None:
    listed = {"form": [{"name": "b", "value": "2"}, {"name": "a", "value": "1"}], "files": [_FILE]}
    by_name = {"form": {"a": ["1"], "b": "2"}, "files": {"f": {**_FILE, "content_type": None}}, "json": None}
    assert reading_of(answer(listed)) == reading_of(answer(by_name))
    assert reading_of(answer(listed)) != reading_of(answer({**listed, "files": []}))


def test_the_order_within_a_name_counts() -> None:
    one = reading_of(answer({"form": {"a": ["1", "2"]}}))
    other = reading_of(answer({"form": {"a": ["2", "1"]}}))
    assert one != other


def test_a_file_without_a_name_is_no_file_of_a_form() -> None:
    assert reading_of(answer({"files": [{**_FILE, "name": None}]})) == Reading(Outcome.READ)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"form": {"a": "1"}, "files": {"f": _FILE}}, '"a" = "1"; "f": file "a.txt", 1 bytes'),
        ({"form": {"a\u202eb": "\x00"}}, '"a\\u202eb" = "\\u0000"'),
        ({"form": {"a": "x" * 90}}, f'"a" = "{"x" * 38}…'),
        ({"json": {"b": 1, "a": [2]}}, 'JSON {"a": [2], "b": 1}'),
        ({"form": []}, "nothing"),
    ],
)
def test_a_reading_is_one_line_of_printable_text(value: Any, line: str) -> None:
    assert reading_of(answer(value)).line == line


def test_refusals_and_failures_are_words() -> None:
    assert reading_of(answer({}, 400)).line == "refused"
    assert reading_of(answer({}, 500)).line == "failed"
