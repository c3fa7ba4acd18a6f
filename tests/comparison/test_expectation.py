"""What a case may expect, and which responses do not match it."""

from typing import Any

import pytest

from clients.comparison.expectation import Expectation, ExpectationError, mismatches
from clients.http1.exchange import Exchange
from clients.http1.response_parser import Response


def answered(status: int, body: bytes = b"", **headers: str) -> Exchange:
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Exchange((Response(status, fields, body),))


FILES = [{"name": "a", "size": 1, "headers": [{"name": "x", "value": "1"}]}, {"name": "b", "size": 2}]


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"body": {"kind": "json"}}, {"body": {"kind": "json", "size": 3}}),
        ({"files": [{"name": "a"}, {"size": 2}]}, {"files": FILES}),
        ({"files": [{"headers": [{"value": "1"}]}, {}]}, {"files": FILES}),
        ({"files": {"contains": [{"name": "b"}], "lacks": ["c"]}}, {"files": FILES}),
        ({"files": {"lacks": ["c"]}}, {"files": FILES}),
        ({"json": None, "text": "", "n": [1, 2.0, True]}, {"json": None, "text": "", "n": [1, 2.0, True]}),
        ({"json": {"contains": 1}}, {"json": {"contains": 1}}),
    ],
)
def test_a_subset_matches(expected: Any, actual: Any) -> None:
    assert list(mismatches(expected, actual)) == []


@pytest.mark.parametrize(
    ("expected", "actual", "key"),
    [
        ({"a": 1}, {"b": 1}, "a"),
        ({"a": 1}, {"a": True}, "a"),
        ({"a": 1}, {"a": 1.0}, "a"),
        ({"a": 0.0}, {"a": -0.0}, "a"),
        ({"a": None}, {"a": ""}, "a"),
        ({"body": {"kind": "json"}}, {"body": {"kind": "form"}}, "body.kind"),
        ({"files": [{"name": "a"}]}, {"files": FILES}, "files"),
        ({"files": [{"name": "b"}, {"name": "a"}]}, {"files": FILES}, "files[0].name"),
        ({"files": []}, {"files": FILES}, "files"),
        ({"files": {"contains": [{"name": "c"}]}}, {"files": FILES}, "files"),
        ({"files": {"lacks": ["b"]}}, {"files": FILES}, "files"),
        ({"files": {}}, {"files": FILES}, "files"),
        ({"files": {"contains": []}}, {"files": None}, "files"),
    ],
)
def test_a_mismatch_names_its_key(expected: Any, actual: Any, key: str) -> None:
    assert next(mismatches(expected, actual)).startswith(f"{key}: expected ")


@pytest.mark.parametrize(
    ("expect", "exchange", "head"),
    [
        ({"status": 200}, answered(200), False),
        ({"status": 400, "code": "bad_host"}, answered(400, b'{"code":"bad_host"}'), False),
        ({"status": 200, "text": "\u00e9"}, answered(200, b"\xc3\xa9"), False),
        ({"status": 200, "headers": {"ETag": '"x"', "Allow": None}}, answered(200, etag='"x"'), False),
        ({"closed": True}, Exchange(closed=True), False),
        ({"refused": True}, answered(413), False),
        ({"status": 404, "code": "not_found"}, answered(404), True),
        ({"status": 200, "extra": True}, Exchange(answered(200).responses * 2), False),
        ({"status": 200, "continues": 1}, Exchange(answered(200).responses, 1), False),
        ({"status": 200, "continues": 0}, answered(200), False),
        ({"status": 200}, Exchange(answered(200).responses, 1), False),
        ([{"status": 200}, {"status": 200}], Exchange(answered(200).responses * 2), False),
    ],
)
def test_what_is_as_expected_has_no_fault(expect: Any, exchange: Exchange, head: bool) -> None:
    assert Expectation.parse(expect).faults(exchange, head=head) == []


@pytest.mark.parametrize(
    ("expect", "exchange", "fault"),
    [
        ({"status": 200}, answered(201), "status: expected 200, got 201"),
        (
            {"status": 400, "code": "bad_host"},
            answered(400, b'{"code":"x"}'),
            "code: expected 'bad_host', got 'x'",
        ),
        ({"status": 400, "code": "bad_host"}, answered(400, b"<html>"), "not valid JSON"),
        ({"status": 404, "code": "not_found"}, answered(404), "not valid JSON"),
        ({"status": 200, "text": "a"}, answered(200, b"a\n"), "text: expected 'a', got 'a\\n'"),
        ({"status": 200, "headers": {"Allow": None}}, answered(200, allow="GET"), "Allow: expected None"),
        ({"status": 200}, Exchange(closed=True), "closed without a response"),
        ({"closed": True}, answered(400), "expected a close without a response, got status 400"),
        ({"status": 200}, Exchange(no_response="no response came in time"), "no response came in time"),
        ({"closed": True}, Exchange(no_response="no response came in time"), "no response came in time"),
        ({"refused": True}, answered(500), "expected any 4xx, got 500"),
        ({"refused": True}, answered(200), "expected any 4xx, got 200"),
        ({"status": 200}, Exchange(answered(200).responses * 2), "expected 1, got 2 (200, 200)"),
        ([{"status": 200}, {"status": 404}], Exchange(answered(200).responses * 2), "expected 404, got 200"),
        ([{"status": 200}, {"status": 200}], answered(200), "expected 2, got 1"),
        ({"status": 200, "continues": 1}, answered(200), "number of 1xx: expected 1, got 0"),
        ({"status": 200, "continues": 0}, Exchange(answered(200).responses, 1), "expected 0, got 1"),
    ],
)
def test_what_is_not_as_expected_says_why(expect: Any, exchange: Exchange, fault: str) -> None:
    assert fault in Expectation.parse(expect).faults(exchange)[0]


@pytest.mark.parametrize(
    "expect",
    [
        None,
        [],
        {},
        {"staus": 200},
        {"status": "200"},
        {"status": True},
        {"body": {"a": 1}},
        {"closed": False},
        {"closed": True, "status": 400},
        [{"closed": True}, {"status": 200}],
        {"continues": True, "status": 200},
        [{"status": 200, "continues": 1}, {"status": 200}],
        {"status": 200, "body": []},
    ],
)
def test_an_expectation_that_is_malformed_or_says_nothing_is_refused(expect: Any) -> None:
    with pytest.raises(ExpectationError):
        Expectation.parse(expect)
