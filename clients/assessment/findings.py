"""What an endpoint did with a case, as a finding with its group; nothing when it did right."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from ..comparison.cases import RULES
from ..http1.exchange import Exchange
from ..http1.sent_request import is_whole
from .fitting import FittedCase
from .groups import Group, Kind
from .told import Difference, Told, answer_of, differences, is_empty, without_names

EVIDENCE = Path(__file__).with_name("evidence.toml")
MEASURED = Path(__file__).with_name("measured.toml")
"""How parsers of others read an input of each rule, as `wireproof matrix` measured it."""
# A case with one of these rules has a body that was cut off.
_CUT_OFF = frozenset({"B2", "B36", "M19", "M20", "M21"})
# The members that tell a form of each kind.
_FORM = {"multipart": frozenset({"form", "files"}), "urlencoded": frozenset({"form"})}
# Rules about how the bytes come; the other rules of the case say what they are.
_NO_TOPIC = frozenset({"M88", "M89", "M90"})
_OWN_LIMITS = frozenset({408, 413, 414, 431})
_REFUSALS_OVER_500 = frozenset({501, 505, 507, 511})


@dataclass(frozen=True, slots=True)
class Sent:
    """One sending: how the request was split, and what came back."""

    split: str
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the answer to one case. `kind` is a sentence, `detail` what happened here.

    `evidence` has a rule of the case and the parsers that differ in it, or the clients that send such a
    request. It may be empty.
    `right` is the right reading, None when the request has to be refused.
    """

    case: str
    rule: str
    group: Group
    kind: str
    detail: str
    evidence: str
    split: str
    request: bytes
    exchange: Exchange
    right: Mapping[str, Any] | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Equal for the same fault of the same case."""
        return self.group.title, self.kind, self.case


def finding_of(
    fitted: FittedCase, sendings: Sequence[Sent], right: Mapping[str, Any] | None, told: Told | None
) -> Finding | None:
    """The finding of one case, from the worst of its sendings; None when all are right.

    `right` is the right reading, None when the request has to be refused. `told` is what the endpoint tells
    of such a body, None when only its status is judged.
    """
    found = [(sent, _difference(fitted, sent.exchange, right, told)) for sent in sendings]
    wrong = [(sent, difference) for sent, difference in found if difference is not None]
    if not wrong:
        return None
    # A server that is gone ends the run, whatever it answered before.
    sent, worst = min(wrong, key=lambda each: (each[1].kind is not Kind.GONE, each[1].group.rank))
    alike = [each.split for each, difference in wrong if difference.kind == worst.kind]
    detail = worst.detail
    if len(alike) < len(found):
        detail = f"{detail} (only when sent {' and '.join(alike)})"
    return Finding(
        fitted.case.name,
        fitted.case.rules[0],
        worst.group,
        worst.kind,
        detail,
        _evidence(worst.group, fitted.case.rules[0]),
        sent.split,
        fitted.shown,
        sent.exchange,
        right,
    )


def _difference(
    fitted: FittedCase, exchange: Exchange, right: Mapping[str, Any] | None, told: Told | None
) -> Difference | None:
    refuse = right is None
    if exchange.failure or exchange.closed:
        # The sender of a cut body has left: a server may close without a word.
        if exchange.closed and refuse and not is_whole(fitted.request):
            return None
        return _without_answer(exchange)
    statuses = [response.status for response in exchange.responses]
    status = statuses[0]
    if status >= 500 and status not in _REFUSALS_OVER_500:
        return Difference(Group.CRASH, Kind.SERVER_ERROR, f"status {status}")
    if len(statuses) > 1 and status < 300:
        return Difference(Group.READ_DIFFERENTLY, Kind.TWO_ANSWERS, f"statuses {statuses}")
    if refuse:
        return _accepted(fitted, exchange, told) if status < 300 else None
    if status >= 300:
        return _refused(fitted, status)
    if told is None or right is None:
        return None
    answer = answer_of(exchange)
    if answer is None:
        return Difference(Group.OTHER, Kind.NO_JSON, f"status {status}, and no JSON object")
    if fitted.own_args:
        answer = {**answer, "args": without_names(answer.get("args"), fitted.own_args)}
    return min(differences(right, answer, told), key=lambda each: each.group.rank, default=None)


def _without_answer(exchange: Exchange) -> Difference:
    if exchange.closed:
        return Difference(Group.CRASH, Kind.CLOSED, "closed without an answer")
    if exchange.bad_response:
        return Difference(Group.CRASH, Kind.NOT_HTTP, exchange.failure)
    kind = Kind.GONE if exchange.no_connection else Kind.HANG
    return Difference(Group.CRASH, kind, exchange.failure)


def _accepted(fitted: FittedCase, exchange: Exchange, told: Told | None) -> Difference:
    """A request that has to be refused was accepted."""
    rules = fitted.case.rules
    detail = f"status {exchange.responses[0].status}, but {rules[0]}: {rule_says(rules[0])}"
    if _CUT_OFF.intersection(rules):
        return Difference(Group.SILENT_LOSS, Kind.CUT_OFF, detail)
    answer = answer_of(exchange)
    if answer is not None and told and told.form_members == _FORM.get(fitted.kind) and is_empty(answer):
        return Difference(Group.SILENT_LOSS, Kind.EMPTY_FORM, detail)
    return Difference(Group.READ_DIFFERENTLY, topic_of(rules), detail)


def _refused(fitted: FittedCase, status: int) -> Difference:
    rule = fitted.case.rules[0]
    detail = f"status {status}, but {rule}: {rule_says(rule)}"
    if status < 400:
        return Difference(Group.OTHER, Kind.REDIRECT, detail)
    if status in _OWN_LIMITS:
        return Difference(Group.OTHER, Kind.SMALLER_LIMIT, detail)
    named = rule in _tables()["clients"]
    return Difference(Group.REFUSES_CLIENTS if named else Group.OTHER, Kind.REFUSED, detail)


def _evidence(group: Group, rule: str) -> str:
    table = {
        Group.READ_DIFFERENTLY: "parsers",
        Group.SILENT_LOSS: "parsers",
        Group.REFUSES_CLIENTS: "clients",
    }
    known: Mapping[str, str] = _tables()[table[group]] if group in table else {}
    if table.get(group) == "parsers":
        known = {**known, **_measured()}
    return f"{rule}: {known[rule]}" if rule in known else ""


def topic_of(rules: Sequence[str]) -> str:
    """What a malformed request is about, as the sentence that says it is accepted."""
    rule = next((rule for rule in rules if rule not in _NO_TOPIC), rules[0])
    topics: Sequence[Mapping[str, Any]] = _tables()["topic"]
    return next(
        str(topic["says"])
        for topic in topics
        if any(fnmatchcase(rule, pattern) for pattern in topic["rules"])
    )


@cache
def _tables() -> Mapping[str, Any]:
    return tomllib.loads(EVIDENCE.read_text("utf-8"))


@cache
def _measured() -> Mapping[str, str]:
    return tomllib.loads(MEASURED.read_text("utf-8"))


@cache
def _rules() -> Mapping[str, Any]:
    return tomllib.loads(RULES.read_text("utf-8"))


def rule_says(rule: str) -> str:
    """The sentence of a rule."""
    return str(_rules()[rule]["says"])
