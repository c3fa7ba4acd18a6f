"""What an answer means: nothing wrong, or a finding with its group, its kind and its evidence."""

import re
import tomllib
from typing import Any

import pytest

from clients.assessment.findings import EVIDENCE, Finding, Sent, finding_of, topic_of
from clients.assessment.fitting import FittedCase
from clients.assessment.groups import Group, Kind
from clients.assessment.told import Told
from clients.comparison.cases import Case, rule_tiers
from clients.comparison.expectation import Expectation
from clients.http1.exchange import Exchange
from clients.http1.response_parser import Response

_WHOLE = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na"
_CUT = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na"
_TOLD = Told(frozenset({"form", "files"}))
_RIGHT = {"form": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}], "files": []}
_EMPTY = b'{"form":[],"files":[]}'


def answer(status: int, body: bytes = b"{}") -> Exchange:
    return Exchange((Response(status, (("content-type", "application/json"),), body),))


def found(
    exchange: Exchange,
    *,
    rule: str = "M38",
    refuse: bool = True,
    request: bytes = _WHOLE,
    told: Told | None = _TOLD,
) -> Finding | None:
    case = Case("n", "t", (rule, "M35"), 1, request, Expectation.parse({"status": 400 if refuse else 200}))
    right = None if refuse else _RIGHT
    return finding_of(FittedCase(case, request, "multipart"), [Sent("whole", exchange)], right, told)


@pytest.mark.parametrize(
    ("exchange", "arguments"),
    [
        (answer(400), {}),
        (answer(422), {}),
        (answer(501), {}),
        (answer(302), {}),
        (Exchange(closed=True), {"request": _CUT}),
        (answer(200, b'{"form":{"a":"1","b":"2"},"files":[]}'), {"refuse": False}),
        (answer(201, b"anything"), {"refuse": False, "told": None}),
    ],
)
def test_a_right_answer_is_no_finding(exchange: Exchange, arguments: dict[str, Any]) -> None:
    assert found(exchange, **arguments) is None


@pytest.mark.parametrize(
    ("exchange", "arguments", "group", "kind"),
    [
        (answer(500), {}, Group.CRASH, Kind.SERVER_ERROR),
        (answer(502), {"refuse": False}, Group.CRASH, Kind.SERVER_ERROR),
        (Exchange(closed=True), {}, Group.CRASH, Kind.CLOSED),
        (Exchange(closed=True), {"refuse": False, "request": _CUT}, Group.CRASH, Kind.CLOSED),
        (Exchange(no_response="no response came in time"), {}, Group.CRASH, Kind.HANG),
        (Exchange(bad_response="not a response"), {}, Group.CRASH, Kind.NOT_HTTP),
        (answer(200, b'{"form":{"a":"1"},"files":[]}'), {}, Group.READ_DIFFERENTLY, topic_of(["M38"])),
        (answer(200, _EMPTY), {}, Group.SILENT_LOSS, Kind.EMPTY_FORM),
        (answer(200, _EMPTY), {"told": None}, Group.READ_DIFFERENTLY, topic_of(["M38"])),
        (answer(200), {"rule": "B2", "told": None}, Group.SILENT_LOSS, Kind.CUT_OFF),
        (answer(200, _EMPTY), {"refuse": False}, Group.SILENT_LOSS, Kind.EMPTY_FORM),
        (answer(200, b"no JSON"), {"refuse": False}, Group.OTHER, Kind.NO_JSON),
        (answer(400), {"refuse": False, "rule": "M61"}, Group.REFUSES_CLIENTS, Kind.REFUSED),
        (answer(400), {"refuse": False}, Group.OTHER, Kind.REFUSED),
        (answer(413), {"refuse": False}, Group.OTHER, Kind.SMALLER_LIMIT),
        (answer(303), {"refuse": False}, Group.OTHER, Kind.REDIRECT),
        (
            Exchange(answer(200).responses + answer(400).responses),
            {},
            Group.READ_DIFFERENTLY,
            Kind.TWO_ANSWERS,
        ),
    ],
)
def test_a_wrong_answer_has_its_group_and_kind(
    exchange: Exchange, arguments: dict[str, Any], group: Group, kind: str
) -> None:
    finding = found(exchange, **arguments)
    assert finding is not None
    assert (finding.group, finding.kind) == (group, kind)


def test_the_parsers_that_differ_and_the_clients_that_send_it_are_named() -> None:
    accepted = found(answer(200, b'{"form":{"a":"1"},"files":[]}'))
    assert accepted is not None
    assert re.fullmatch("M38: Starlette, python-multipart and [0-9]+ others refuse it; .+", accepted.evidence)
    refused = found(answer(400), rule="M61", refuse=False)
    assert refused is not None
    assert refused.evidence.startswith("M61: .NET")
    unnamed = found(answer(400), refuse=False)
    assert unnamed is not None
    assert (unnamed.group, unnamed.evidence) == (Group.OTHER, "")
    crashed = found(answer(500))
    assert crashed is not None
    assert crashed.evidence == ""


def test_the_worst_sending_counts_and_is_named() -> None:
    case = Case("n", "t", ("M38",), 1, _WHOLE, Expectation.parse({"status": 400}))
    sendings = [
        Sent("whole", answer(400)),
        Sent("in pieces", answer(500)),
        Sent("as recorded", answer(200, _EMPTY)),
    ]
    finding = finding_of(FittedCase(case, _WHOLE, "multipart"), sendings, None, _TOLD)
    assert finding is not None
    assert (finding.kind, finding.split) == (Kind.EMPTY_FORM, "as recorded")
    assert finding.detail.endswith("(only when sent as recorded)")
    sendings[1] = Sent("in pieces", answer(200, _EMPTY))
    finding = finding_of(FittedCase(case, _WHOLE, "multipart"), sendings, None, _TOLD)
    assert finding is not None
    assert finding.detail.endswith("(only when sent in pieces and as recorded)")


def test_a_server_that_is_gone_is_the_finding_whatever_it_answered_before() -> None:
    case = Case("n", "t", ("M38",), 1, _WHOLE, Expectation.parse({"status": 400}))
    gone = Exchange(no_response="no connection", no_connection=True)
    sendings = [Sent("whole", answer(200, _EMPTY)), Sent("in pieces", gone)]
    finding = finding_of(FittedCase(case, _WHOLE, "multipart"), sendings, None, _TOLD)
    assert finding is not None
    assert (finding.kind, finding.split) == (Kind.GONE, "in pieces")


def test_every_rule_has_a_topic_and_the_evidence_is_about_rules() -> None:
    table = tomllib.loads(EVIDENCE.read_text("utf-8"))
    assert all(topic_of([rule]) for rule in rule_tiers())
    assert table["parsers"].keys() | table["clients"].keys() <= rule_tiers().keys()
    listed = [rule for topic in table["topic"] for rule in topic["rules"]]
    assert len(listed) == len(set(listed))
