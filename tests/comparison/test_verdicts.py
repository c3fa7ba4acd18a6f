"""The verdict on a case follows from the expectation, the other backends and the known differences."""

from collections.abc import Mapping
from typing import Any

from clients.comparison.cases import Case
from clients.comparison.equality import canonical_json
from clients.comparison.expectation import Expectation
from clients.comparison.known_differences import KnownDifference, KnownDifferences
from clients.comparison.verdicts import Result, Sending, Verdict, evaluate
from clients.http1.exchange import Exchange
from clients.http1.response_parser import Response

ENTRY = KnownDifference("case", "flask", "R38", "it upper-cases", status=200, body={"n": 2})
KNOWN: KnownDifferences = {("case", "flask"): ENTRY}


def case(expect: Any = None) -> Case:
    expectation = Expectation.parse(expect or {"status": 200})
    return Case("case", "A title.", ("R1",), 1, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", expectation)


def gives(value: Any, status: int = 200) -> Exchange:
    body = canonical_json(value)
    headers = (("content-type", "application/json"), ("content-length", str(len(body))))
    return Exchange((Response(status, headers, body),))


def verdicts(
    given: Mapping[str, Exchange | list[Exchange]],
    expect: Any = None,
    known_differences: KnownDifferences | None = None,
) -> list[Result]:
    sendings = {
        backend: [
            Sending(split, exchange)
            for split, exchange in zip(
                ("whole", "in pieces"), of if isinstance(of, list) else [of, of], strict=True
            )
        ]
        for backend, of in given.items()
    }
    return evaluate(case(expect), sendings, known_differences or {})


def names(results: list[Result]) -> dict[str, str]:
    return {result.backend: result.verdict.value for result in results}


def test_equal_responses_as_expected_are_equal() -> None:
    results = verdicts(
        {"socket": gives({"n": 1}), "flask": gives({"n": 1})}, {"status": 200, "body": {"n": 1}}
    )
    assert names(results) == {"socket": "equal", "flask": "equal"}
    assert [result.status for result in results] == [200, 200]
    assert not any(result.detail or result.evidence or result.failed for result in results)


def test_equal_responses_that_are_not_as_expected_are_all_different() -> None:
    results = verdicts(
        {"socket": gives({"n": 1}), "flask": gives({"n": 1})}, {"status": 200, "body": {"n": 2}}
    )
    assert names(results) == {"socket": "different", "flask": "different"}
    assert "n: expected 2, got 1" in results[0].detail


def test_the_one_that_differs_from_the_others_is_different() -> None:
    results = verdicts({"socket": gives({"n": 2}), "flask": gives({"n": 1}), "gunicorn": gives({"n": 1})})
    assert names(results) == {"socket": "different", "flask": "equal", "gunicorn": "equal"}
    assert results[0].detail == "flask and socket: n: 1 and 2"


def test_a_response_as_expected_is_the_reference_against_more_that_are_not() -> None:
    given = {"socket": gives({"n": 1}), "flask": gives({"n": 2}), "gunicorn": gives({"n": 2})}
    results = verdicts(given, {"status": 200, "body": {"n": 1}})
    assert names(results) == {"socket": "equal", "flask": "different", "gunicorn": "different"}


def test_a_difference_shows_the_request_and_both_responses() -> None:
    result = verdicts({"socket": gives({"n": 1}), "flask": gives({"n": 1}), "gunicorn": gives({"n": 2})})[2]
    for text in (
        "A title.",
        "GET / HTTP/1.1",
        "socket, sent whole:",
        '{"n":1}',
        "gunicorn, sent whole:",
        '{"n":2}',
    ):
        assert text in result.evidence


def test_a_response_that_depends_on_the_split_is_different() -> None:
    result = verdicts({"socket": [gives({"n": 1}), gives({"n": 2})]})[0]
    assert result.verdict is Verdict.DIFFERENT
    assert result.detail == "sent whole and in pieces: n: 1 and 2"


def test_json_that_is_not_canonical_is_different() -> None:
    spaced = Exchange((Response(200, (("content-type", "application/json"),), b"{ }\n"),))
    assert "not canonical" in verdicts({"socket": spaced, "flask": spaced})[0].detail


def test_a_missing_response_is_no_reference_for_the_others() -> None:
    missing = Exchange(no_response="no response came in time")
    results = verdicts({"socket": missing, "flask": gives({"n": 1}), "gunicorn": [gives({"n": 1}), missing]})
    assert names(results) == {"socket": "no_response", "flask": "equal", "gunicorn": "no_response"}
    assert results[2].detail == "no response came in time (sent in pieces)"
    assert results[0].status is None


def test_a_bad_response_is_a_difference_and_no_reference_for_the_others() -> None:
    bad = Exchange((Response(200, (), b"{}"),), bad_response="socket client: another hash was sent")
    results = verdicts({"socket": bad, "flask": gives({"n": 1}), "gunicorn": [gives({"n": 1}), bad]})
    assert names(results) == {"socket": "different", "flask": "equal", "gunicorn": "different"}
    assert results[0].detail == "socket client: another hash was sent (sent whole)"
    assert "(socket client: another hash was sent)" in results[0].evidence


def test_a_bad_response_is_never_a_known_difference() -> None:
    bad = Exchange(bad_response="not a response")
    results = verdicts({"socket": gives({"n": 1}), "flask": bad}, known_differences=KNOWN)
    assert names(results)["flask"] == "different"


def test_a_detail_is_one_line_of_limited_length() -> None:
    vast = Exchange(bad_response="x\x1b\n\u20ac" + "y" * 1_000_000)
    detail = verdicts({"socket": vast})[0].detail
    assert detail.startswith("x\\x1b\\n\u20acyyy")
    assert detail.endswith("y ... (1000017 characters)")
    assert len(detail) < 600


def test_an_expected_close_is_equal_and_an_unexpected_one_different() -> None:
    closed = Exchange(closed=True)
    assert names(verdicts({"socket": closed, "flask": closed}, {"closed": True})) == {
        "socket": "equal",
        "flask": "equal",
    }
    assert names(verdicts({"socket": closed, "flask": gives(1)}))["socket"] == "different"


def test_any_refusals_are_as_expected_for_two_faults_in_one_body() -> None:
    given: dict[str, Exchange | list[Exchange]] = {
        "socket": [gives({"a": 1}, 400), gives({"a": 3}, 413)],
        "flask": gives({"a": 2}, 413),
    }
    assert set(names(verdicts(given, {"refused": True})).values()) == {"both_refused"}
    given["flask"] = gives({})
    assert names(verdicts(given, {"refused": True})) == {"socket": "both_refused", "flask": "different"}


def test_a_known_difference_is_known_and_the_others_are_still_compared() -> None:
    given = {"flask": gives({"n": 2}), "socket": gives({"n": 1}), "gunicorn": gives({"n": 1})}
    results = verdicts(given, known_differences=KNOWN)
    assert names(results) == {"flask": "known", "socket": "equal", "gunicorn": "equal"}
    assert results[0].detail == "R38: it upper-cases"
    given["gunicorn"] = gives({"n": 2})
    assert sorted(names(verdicts(given, {"status": 200, "body": {"n": 1}}, KNOWN)).values()) == [
        "different",
        "equal",
        "known",
    ]


def test_another_response_than_the_known_difference_is_different() -> None:
    results = verdicts({"socket": gives({"n": 1}), "flask": gives({"n": 3})}, known_differences=KNOWN)
    assert names(results) == {"socket": "equal", "flask": "different"}
    assert "not the known difference (R38): n: expected 2, got 3" in results[1].detail


def test_a_known_difference_must_hold_in_every_split() -> None:
    results = verdicts(
        {"socket": gives({"n": 1}), "flask": [gives({"n": 2}), gives({"n": 3})]}, known_differences=KNOWN
    )
    assert names(results)["flask"] == "different"


def test_a_known_difference_that_is_not_needed_is_different() -> None:
    results = verdicts({"socket": gives({"n": 1}), "flask": gives({"n": 1})}, known_differences=KNOWN)
    assert names(results) == {"socket": "equal", "flask": "different"}
    assert "stale" in results[1].detail


def test_without_another_backend_a_known_difference_cannot_be_stale() -> None:
    assert names(verdicts({"flask": gives({"n": 2})}, known_differences=KNOWN)) == {"flask": "known"}


def test_a_missing_response_is_never_a_known_difference() -> None:
    missing = Exchange(no_response="no response came in time")
    assert (
        names(verdicts({"socket": gives({"n": 1}), "flask": missing}, known_differences=KNOWN))["flask"]
        == "no_response"
    )
