"""The figures of a fuzz run: outcomes, hits of each rule, and what differed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..comparison.cases import rule_tiers
from ..comparison.report_files import json_report
from ..comparison.verdicts import Result, Verdict
from ..http1.exchange import Exchange
from .draft import FuzzRequest
from .evaluation import Evaluation, Outcome
from .generator import INEXPRESSIBLE

WANTED_ACCEPTED = 0.30
WANTED_MULTIPART = 0.40
WANTED_HITS = 20
"""The least share of accepted and of multipart requests, and of hits of a rule in `RUN_SIZE` requests."""

RUN_SIZE = 100_000
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A request, what came back from each backend, and how it was evaluated."""

    request: FuzzRequest
    exchanges: Mapping[str, Exchange]
    evaluation: Evaluation


@dataclass(slots=True)
class FuzzReport:
    """The figures of one run.

    `kinds` counts each kind of difference, and `different` holds its first example. `codes` counts the
    refusals with each pair of codes, and `refused` holds their first examples. `gone` says why a backend
    could no longer be reached, which ended the run.
    """

    seed: int
    backends: Sequence[str]
    seconds: float = 0.0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    multipart: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    different: dict[str, Example] = field(default_factory=dict)
    codes: Counter[str] = field(default_factory=Counter)
    refused: dict[str, list[Example]] = field(default_factory=dict)
    unexpected: Counter[str] = field(default_factory=Counter)
    gone: Mapping[str, str] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """How many requests were evaluated."""
        return sum(self.outcomes.values())

    def count(self, example: Example) -> None:
        """Add one request."""
        request, evaluation = example.request, example.evaluation
        self.outcomes[evaluation.outcome] += 1
        self.multipart += request.multipart
        self.sent.update(example.exchanges.keys())
        self.unanswered.update(name for name, one in example.exchanges.items() if one.no_response)
        self._count_rules(request, evaluation.outcome)
        if evaluation.outcome is Outcome.DIFFERENT:
            self.kinds[evaluation.kind] += 1
            first = self.different.setdefault(evaluation.kind, example)
            if request.index < first.request.index:
                self.different[evaluation.kind] = example
        elif evaluation.outcome is Outcome.REFUSED_DIFFERENTLY:
            self.codes[evaluation.kind] += 1
            examples = self.refused.setdefault(evaluation.kind, [])
            if len(examples) < _EXAMPLES:
                examples.append(example)

    def _count_rules(self, request: FuzzRequest, outcome: Outcome) -> None:
        """Count the rules of an accepted request, or the rule of the only fault of a refused one."""
        if outcome is Outcome.ACCEPTED:
            self.hits.update(request.rules)
        elif outcome is Outcome.REFUSED and request.alone:
            self.hits.update(request.fault_rules)
            self.hits.update({"S3"} if request.fault_rules else ())
            if not request.fault_rules and request.rules:
                self.unexpected["refused without a fault"] += 1
        if outcome is Outcome.ACCEPTED and request.fault_rules and request.alone:
            self.unexpected["accepted with the fault of " + ", ".join(request.fault_rules)] += 1

    def share(self, number: int) -> float:
        """A number as a share of all requests."""
        return number / self.requests if self.requests else 0.0

    @property
    def accepted(self) -> int:
        """How many requests all backends accepted with equal responses."""
        return self.outcomes[Outcome.ACCEPTED]

    def missed_rules(self) -> list[str]:
        """The rules with fewer hits than wanted. A run smaller than RUN_SIZE needs fewer hits."""
        least = min(WANTED_HITS, WANTED_HITS * self.requests / RUN_SIZE)
        return [rule for rule in rule_tiers() if rule not in INEXPRESSIBLE and self.hits[rule] < least]

    def histogram(self) -> dict[str, int]:
        """The hits of every rule that can be generated, in the order of the table of rules."""
        return {rule: self.hits[rule] for rule in rule_tiers() if rule not in INEXPRESSIBLE}

    def as_json(self, results: Sequence[Result]) -> str:
        """compare's JSON report, with the figures of the run under `fuzz`. Its numbers count requests."""
        numbers = {
            Verdict.EQUAL: self.outcomes[Outcome.ACCEPTED] + self.outcomes[Outcome.REFUSED],
            Verdict.KNOWN: 0,
            Verdict.DIFFERENT: self.outcomes[Outcome.DIFFERENT],
            Verdict.BOTH_REFUSED: self.outcomes[Outcome.REFUSED_DIFFERENTLY],
            Verdict.NO_RESPONSE: self.unanswered.total(),
            Verdict.NOT_SENT: self.requests * len(self.backends) - self.sent.total(),
        }
        return json_report(
            results,
            backends=self.backends,
            clients=["raw"],
            cases=self.requests,
            unreachable=self.gone,
            numbers=numbers,
            fuzz=self._figures(),
        )

    def _figures(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "requests": self.requests,
            "seconds": round(self.seconds, 1),
            **{outcome.name.lower(): self.outcomes[outcome] for outcome in Outcome},
            "accepted_share": round(self.share(self.accepted), 4),
            "multipart_share": round(self.share(self.multipart), 4),
            "rules": self.histogram(),
            "rules_missed": self.missed_rules(),
            "rules_inexpressible": dict(INEXPRESSIBLE),
            "unexpected": dict(self.unexpected),
            "kinds_of_difference": dict(self.kinds),
            "refused_with_two_codes": [
                {
                    "codes": kind,
                    "number": number,
                    "indexes": [one.request.index for one in self.refused[kind]],
                }
                for kind, number in self.codes.most_common()
            ],
        }
