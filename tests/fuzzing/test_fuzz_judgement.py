"""What counts as a difference between the answers to a generated request."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from clients.comparison.equality import canonical_json
from clients.fuzzing.draft import FuzzRequest
from clients.fuzzing.judgement import BODY_CODES, Outcome, judge, refusal
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


def test_equal_answers_agree() -> None:
    assert judge(ALONE, pair(accepted(), accepted())).outcome is Outcome.ACCEPTED
    same_code = pair(refused(400, "bad_host"), refused(400, "bad_host", "in other words"))
    assert judge(ALONE, same_code).outcome is Outcome.REFUSED
    assert judge(SEVERAL, pair(Exchange(closed=True), Exchange(closed=True))).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (accepted([1]), "socket 200, gunicorn 200: json"),
        (refused(400, "bad_host"), "socket 200, gunicorn bad_host"),
        (refused(500, "internal"), "socket 200, gunicorn internal"),
        (Exchange(closed=True), "socket 200, gunicorn closed"),
        (Exchange(no_response="no answer came in time"), "socket 200, gunicorn no answer"),
    ],
)
def test_a_difference_is_named_by_its_kind(other: Exchange, kind: str) -> None:
    judgement = judge(SEVERAL, pair(accepted([0]), other))
    assert judgement.failed
    assert judgement.backend == "gunicorn"
    assert judgement.kind.startswith(kind.partition(":")[0])


def test_the_kind_of_two_descriptions_is_the_member_without_its_numbers() -> None:
    one, other = accepted({"files": [{"size": 1}]}), accepted({"files": [{"size": 23}]})
    assert judge(SEVERAL, pair(one, other)).kind == "socket 200, gunicorn 200: files[N].size"


def test_two_faults_in_a_body_have_no_order() -> None:
    codes = pair(refused(400, "bad_chunk"), refused(413, "too_many_parts"))
    assert judge(SEVERAL, codes).outcome is Outcome.REFUSED_DIFFERENTLY
    assert judge(ALONE, codes).failed, "one production has one fault"


@pytest.mark.parametrize("code", ["bad_host", "content_type_syntax", "request_line", "headers_too_large"])
def test_the_head_has_an_order_whatever_made_the_request(code: str) -> None:
    assert judge(SEVERAL, pair(refused(400, "bad_chunk"), refused(400, code))).failed


def test_one_that_accepts_is_never_excused() -> None:
    assert judge(SEVERAL, pair(refused(400, "bad_chunk"), accepted())).failed


def test_a_head_request_shows_its_status_alone() -> None:
    head = FuzzRequest(2, b"HEAD / HTTP/1.1\r\n\r\n")
    bare = {
        status: Exchange((Response(status, (("content-type", "application/problem+json"),), b""),))
        for status in (400, 413)
    }
    assert judge(head, pair(bare[400], bare[413])).outcome is Outcome.REFUSED_DIFFERENTLY
    assert judge(head, pair(bare[400], accepted())).failed


@pytest.mark.parametrize("status", [500, 502, 503, 507])
def test_a_server_fault_is_a_difference_even_if_all_have_it(status: int) -> None:
    both = pair(refused(status, "internal"), refused(status, "internal"))
    assert judge(ALONE, both).failed


def test_a_broken_invariant_is_a_difference_even_if_all_have_it() -> None:
    body = json.dumps({"b": 1, "a": 2}).encode()
    broken = Exchange((Response(200, (("content-type", "application/json"),), body),))
    assert judge(ALONE, pair(broken, broken)).failed


def test_only_the_first_answer_counts() -> None:
    """B4: what is made of the bytes behind a message is another matter."""
    two = Exchange((*accepted().responses, *refused(400, "request_line").responses))
    assert judge(ALONE, pair(accepted(), two)).outcome is Outcome.ACCEPTED


def test_each_backend_is_compared() -> None:
    three = {"socket": accepted(), "gunicorn": accepted(), "flask": accepted([1])}
    judgement = judge(ALONE, three)
    assert judgement.failed
    assert judgement.backend == "flask"


def test_how_an_exchange_ended_in_a_word() -> None:
    assert refusal(accepted()) == "200"
    assert refusal(refused(400, "bad_host")) == "bad_host"
    assert refusal(Exchange(closed=True)) == "closed"
    assert refusal(Exchange(no_response="cut off")) == "no answer"


def test_codes_of_bodies_are_no_codes_of_heads() -> None:
    head = {"request_line", "bad_host", "bad_framing", "bad_header", "headers_too_large", "not_found"}
    assert not head & BODY_CODES
