"""The projection reduces a response and what is expected of it to what is compared."""

import json
from typing import Any

import pytest

from clients.comparison.cases import Case
from clients.comparison.expectation import Expectation
from clients.comparison.projection import Projection
from clients.comparison.verdicts import Sending, Verdict, evaluate
from clients.http1.exchange import Exchange
from clients.http1.response_parser import Response

PARSED = Projection(parsed=True)
ENTRIES = [{"index": 0, "name": "a", "value": "1"}, {"index": 1, "name": "b", "value": "2"}]
FIELDS = [{"name": "host", "value": "h"}, {"name": "via", "value": "1.1 p"}]


def answered(value: Any) -> Exchange:
    body = json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    return Exchange((Response(200, (("content-type", "application/json"),), body),))


def verdicts(projection: Projection, expect: dict[str, Any], *values: Any) -> set[Verdict]:
    """The verdicts on backends that respond with these values."""
    case = Case(
        "a-case", "", ("R1",), 1, b"GET / HTTP/1.1\r\n\r\n", Expectation.parse({"status": 200, **expect})
    )
    sendings = {str(number): [Sending("whole", answered(value))] for number, value in enumerate(values)}
    projected, seen = projection.project(case, sendings)
    return {result.verdict for result in evaluate(projected, seen, {})}


@pytest.mark.parametrize(
    ("form", "verdict"),
    [
        (ENTRIES, Verdict.EQUAL),
        ({"contains": [ENTRIES[1]], "lacks": ["c"]}, Verdict.EQUAL),
        ({"contains": [{"index": 0, "name": "b"}]}, Verdict.EQUAL),  # the index is ours alone
        ({"contains": [{"name": "c"}]}, Verdict.DIFFERENT),
        ({"lacks": ["b"]}, Verdict.DIFFERENT),
    ],
)
def test_the_parsed_view_asks_for_entries_without_what_is_ours_alone(form: Any, verdict: Verdict) -> None:
    foreign = [{"name": entry["name"], "value": entry["value"]} for entry in ENTRIES]
    expect = {"body": {"form": form, "method": "GET"}}
    assert verdicts(PARSED, expect, {"form": ENTRIES, "method": "GET"}, {"form": foreign}) == {verdict}


@pytest.mark.parametrize(
    "headers",
    [
        FIELDS[:1],
        {"contains": FIELDS[:1]},
        {"contains": [{"name": "via", "value": "other"}]},
        {"lacks": ["via"]},
    ],
)
def test_an_ignored_field_is_not_expected_either(headers: Any) -> None:
    values = {"headers": FIELDS}, {"headers": FIELDS[:1]}
    assert verdicts(Projection(ignored=frozenset({"via"})), {"body": {"headers": headers}}, *values) == {
        Verdict.EQUAL
    }
    assert Verdict.DIFFERENT in verdicts(Projection(), {"body": {"headers": headers}}, *values)


def test_servers_whose_fields_have_other_shapes_are_compared_too() -> None:
    value = {"headers": [["via", "x"], 1, {"key": "via"}]}
    assert verdicts(Projection(ignored=frozenset({"via"})), {}, value, value) == {Verdict.EQUAL}


def test_the_views_of_a_case_and_of_one_exchange_are_the_same() -> None:
    exchanges = {"ours": answered({"form": ENTRIES, "method": "GET"}), "theirs": answered({"form": []})}
    seen = PARSED.project_exchanges(exchanges)
    assert [one.responses[0].json() for one in seen.values()] == [
        {"form": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]},
        {"form": []},
    ]
    assert Projection().project_exchanges(exchanges) is exchanges


@pytest.mark.parametrize(
    ("target", "wanted"),
    [("/upload/", True), ("/files/00", False), ("/v1/models", False), ("/resumable/", False)],
)
def test_the_parsed_view_leaves_out_routes_that_are_ours_alone(target: str, wanted: bool) -> None:
    request = f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
    assert PARSED.includes_request(request) is wanted
    assert Projection().includes_request(request)


def test_the_parsed_view_leaves_out_a_protocol_that_few_servers_speak() -> None:
    request = b"PUT /upload/a HTTP/1.1\r\nHost: h\r\nUpload-Complete: ?0\r\n\r\n"
    assert not PARSED.includes_request(request)
    assert Projection().includes_request(request)


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ({"b": "2", "a": "1"}, Verdict.EQUAL),
        ({"a": ["1"], "b": ["2"]}, Verdict.EQUAL),
        ({"a": "1"}, Verdict.DIFFERENT),
        ({"a": "1", "b": ["2", "3"]}, Verdict.DIFFERENT),
        ({"a": "1", "b": "x"}, Verdict.DIFFERENT),
        (None, Verdict.DIFFERENT),
    ],
)
def test_fields_may_be_an_object_by_name(told: Any, verdict: Verdict) -> None:
    assert verdict in verdicts(PARSED, {"body": {"form": ENTRIES}}, {"form": ENTRIES}, {"form": told})


def test_an_object_does_not_tell_the_order_of_names() -> None:
    ours = [{"name": name, "value": value} for name, value in (("b", "1"), ("a", "2"), ("b", "3"))]
    same, other = {"a": "2", "b": ["1", "3"]}, {"a": "2", "b": ["3", "1"]}
    assert verdicts(PARSED, {"body": {"form": ours}}, {"form": ours}, {"form": same}) == {Verdict.EQUAL}
    assert Verdict.DIFFERENT in verdicts(PARSED, {"body": {"form": ours}}, {"form": ours}, {"form": other})


def test_of_files_only_what_is_told_is_compared() -> None:
    ours = [{"name": "f", "filename": "a", "size": 1, "sha256": "00", "content_type": None, "href": "/x"}]
    expect = {"body": {"files": ours}}
    assert verdicts(PARSED, expect, {"files": ours}, {"files": {"f": {"size": 1}}}) == {Verdict.EQUAL}
    assert verdicts(PARSED, expect, {"files": ours}, {"files": {"f": [{"filename": "a"}]}}) == {Verdict.EQUAL}
    assert Verdict.DIFFERENT in verdicts(PARSED, expect, {"files": ours}, {"files": {"f": {"size": 2}}})
    assert Verdict.DIFFERENT in verdicts(PARSED, expect, {"files": ours}, {"files": {}})


def test_no_fields_may_be_null() -> None:
    assert verdicts(PARSED, {"body": {"form": []}}, {"form": []}, {"form": None}) == {Verdict.EQUAL}
