"""What a run found, counted: how requests ended, which rules they hit, what differed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..comparison.cases import rule_tiers
from ..http1.exchange import Exchange
from .draft import FuzzRequest
from .generator import INEXPRESSIBLE
from .judgement import Judgement, Outcome

WANTED_ACCEPTED = 0.30
WANTED_MULTIPART = 0.40
WANTED_HITS = 20
"""The least share of requests accepted by all, of multipart ones, and of hits a rule in `RUN_SIZE`."""

RUN_SIZE = 100_000
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A request and how it ended."""

    request: FuzzRequest
    exchanges: Mapping[str, Exchange]
    judgement: Judgement


@dataclass(slots=True)
class FuzzReport:
    """The figures of one run. `different` holds the first example of each kind of difference, `refused` those
    of each pair of codes; their numbers are in `kinds` and `codes`."""

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

    @property
    def requests(self) -> int:
        """How many requests were judged."""
        return sum(self.outcomes.values())

    def count(self, request: FuzzRequest, exchanges: Mapping[str, Exchange], judgement: Judgement) -> None:
        """Add one judged request."""
        example = Example(request, exchanges, judgement)
        self.outcomes[judgement.outcome] += 1
        self.multipart += request.multipart
        self.sent.update(exchanges.keys())
        self.unanswered.update(name for name, one in exchanges.items() if one.no_response)
        self._count_rules(request, judgement)
        if judgement.outcome is Outcome.DIFFERENT:
            self.kinds[judgement.kind] += 1
            first = self.different.setdefault(judgement.kind, example)
            if request.index < first.request.index:
                self.different[judgement.kind] = example
        elif judgement.outcome is Outcome.REFUSED_DIFFERENTLY:
            self.codes[judgement.kind] += 1
            examples = self.refused.setdefault(judgement.kind, [])
            if len(examples) < _EXAMPLES:
                examples.append(example)

    def _count_rules(self, request: FuzzRequest, judgement: Judgement) -> None:
        """A rule is hit by an accepted request that holds its construct, or by one with no fault but its."""
        if judgement.outcome is Outcome.ACCEPTED:
            self.hits.update(request.rules)
        elif judgement.outcome is Outcome.REFUSED and request.alone:
            self.hits.update(request.fault_rules)
            self.hits.update({"S3"} if request.fault_rules else ())
            if not request.fault_rules and request.rules:
                self.unexpected["refused without a fault"] += 1
        if judgement.outcome is Outcome.ACCEPTED and request.fault_rules and request.alone:
            self.unexpected["accepted with the fault of " + ", ".join(request.fault_rules)] += 1

    def share(self, number: int) -> float:
        """A number as a share of all requests."""
        return number / self.requests if self.requests else 0.0

    @property
    def accepted(self) -> int:
        """How many requests all backends accepted, with equal answers."""
        return self.outcomes[Outcome.ACCEPTED]

    def missed_rules(self) -> list[str]:
        """The rules below the least number of hits; a run smaller than RUN_SIZE needs fewer."""
        least = min(WANTED_HITS, WANTED_HITS * self.requests / RUN_SIZE)
        return [rule for rule in rule_tiers() if rule not in INEXPRESSIBLE and self.hits[rule] < least]

    def histogram(self) -> dict[str, int]:
        """The hits of every rule that can be expressed, in the order of the table of rules."""
        return {rule: self.hits[rule] for rule in rule_tiers() if rule not in INEXPRESSIBLE}

    def as_json(self) -> dict[str, Any]:
        """The figures for the machine-readable report."""
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
