"""What counts as a difference between the responses to a generated request."""

import json
from collections.abc import Mapping

import pytest

from clients.comparison.equality import canonical_json
from clients.fuzzing.draft import FuzzRequest
from clients.fuzzing.evaluation import BODY_CODES, Outcome, ending, evaluate_request
from clients.http1.exchange import Exchange
from clients.http1.response_parser import Response

ALONE = FuzzRequest(0, b"POST / HTTP/1.1\r\n\r\n", alone=True)
SEVERAL = FuzzRequest(1, b"POST / HTTP/1.1\r\n\r\n")


def accepted(value: object = None) -> Exchange:
    body = canonical_json(value)
    headers = (("content-type", "application/json"), ("content-length", str(len(body))))
    return Exchange((Response(200, headers, body),))


def refused(status: int, code: str, detail: str = "why") -> Exchange:
    problem = {"type": f"/problems/{code}", "title": code, "status": status, "code": code, "detail": detail}
    body = canonical_json(problem)
    headers = (("content-type", "application/problem+json"), ("content-length", str(len(body))))
    return Exchange((Response(status, headers, body),))


def pair(one: Exchange, other: Exchange) -> Mapping[str, Exchange]:
    return {"socket": one, "gunicorn": other}


def test_equal_responses_are_no_difference() -> None:
    assert evaluate_request(ALONE, pair(accepted(), accepted())).outcome is Outcome.ACCEPTED
    same_code = pair(refused(400, "bad_host"), refused(400, "bad_host", "in other words"))
    assert evaluate_request(ALONE, same_code).outcome is Outcome.REFUSED
    assert (
        evaluate_request(SEVERAL, pair(Exchange(closed=True), Exchange(closed=True))).outcome
        is Outcome.REFUSED
    )


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (accepted([1]), "socket 200, gunicorn 200: json"),
        (refused(400, "bad_host"), "socket 200, gunicorn bad_host"),
        (refused(500, "internal"), "socket 200, gunicorn internal"),
        (Exchange(closed=True), "socket 200, gunicorn closed"),
        (Exchange(no_response="no response came in time"), "socket 200, gunicorn no response"),
    ],
)
def test_a_difference_is_named_by_its_kind(other: Exchange, kind: str) -> None:
    evaluation = evaluate_request(SEVERAL, pair(accepted([0]), other))
    assert evaluation.outcome is Outcome.DIFFERENT
    assert evaluation.difference
    assert evaluation.difference.backend == "gunicorn"
    assert evaluation.kind.startswith(kind.partition(":")[0])


def test_the_kind_of_two_descriptions_is_the_member_without_its_numbers() -> None:
    one, other = accepted({"files": [{"size": 1}]}), accepted({"files": [{"size": 23}]})
    assert evaluate_request(SEVERAL, pair(one, other)).kind == "socket 200, gunicorn 200: files[N].size"


def test_two_faults_in_a_body_have_no_order() -> None:
    codes = pair(refused(400, "bad_chunk"), refused(413, "too_many_parts"))
    assert evaluate_request(SEVERAL, codes).outcome is Outcome.REFUSED_DIFFERENTLY
    assert evaluate_request(ALONE, codes).difference, "one production has one fault"


@pytest.mark.parametrize("code", ["bad_host", "content_type_syntax", "request_line", "headers_too_large"])
def test_the_head_has_an_order_whatever_made_the_request(code: str) -> None:
    assert evaluate_request(SEVERAL, pair(refused(400, "bad_chunk"), refused(400, code))).difference


def test_a_response_that_accepts_always_differs_from_a_refusal() -> None:
    assert evaluate_request(SEVERAL, pair(refused(400, "bad_chunk"), accepted())).difference


def test_a_head_request_shows_its_status_alone() -> None:
    head = FuzzRequest(2, b"HEAD / HTTP/1.1\r\n\r\n")
    bare = {
        status: Exchange((Response(status, (("content-type", "application/problem+json"),), b""),))
        for status in (400, 413)
    }
    assert evaluate_request(head, pair(bare[400], bare[413])).outcome is Outcome.REFUSED_DIFFERENTLY
    assert evaluate_request(head, pair(bare[400], accepted())).difference


@pytest.mark.parametrize("status", [500, 502, 503, 507])
def test_a_server_fault_is_a_difference_even_if_all_have_it(status: int) -> None:
    both = pair(refused(status, "internal"), refused(status, "internal"))
    assert evaluate_request(ALONE, both).difference


def test_a_broken_invariant_is_a_difference_even_if_all_have_it() -> None:
    body = json.dumps({"b": 1, "a": 2}).encode()
    broken = Exchange((Response(200, (("content-type", "application/json"),), body),))
    assert evaluate_request(ALONE, pair(broken, broken)).difference


def test_a_broken_invariant_is_a_difference_where_two_codes_are_allowed() -> None:
    broken = Exchange(
        (Response(400, (("content-type", "application/problem+json"),), b'{"code": "bad_chunk"}'),)
    )
    assert evaluate_request(SEVERAL, pair(refused(413, "too_many_parts"), broken)).difference


def test_only_the_first_response_counts() -> None:
    """B4: bytes after the request are not compared."""
    two = Exchange((*accepted().responses, *refused(400, "request_line").responses))
    assert evaluate_request(ALONE, pair(accepted(), two)).outcome is Outcome.ACCEPTED


def test_each_backend_is_compared() -> None:
    three = {"socket": accepted(), "gunicorn": accepted(), "flask": accepted([1])}
    evaluation = evaluate_request(ALONE, three)
    assert evaluation.difference
    assert evaluation.difference.backend == "flask"


def test_the_ending_of_an_exchange_has_a_short_name() -> None:
    assert ending(accepted()) == "200"
    assert ending(refused(400, "bad_host")) == "bad_host"
    assert ending(Exchange(closed=True)) == "closed"
    assert ending(Exchange(no_response="truncated")) == "no response"


def test_codes_of_heads_are_not_among_those_of_bodies() -> None:
    head = {"request_line", "bad_host", "bad_framing", "bad_header", "headers_too_large", "not_found"}
    assert not head & BODY_CODES
