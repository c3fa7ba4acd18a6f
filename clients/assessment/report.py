"""The outcome for one endpoint: its findings by group and kind, the worst first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .assess import Judged
from .endpoint import Endpoint
from .findings import Finding
from .groups import Group
from .probing import Probe


@dataclass(frozen=True, slots=True)
class Report:
    """What was found at one endpoint.

    `known` are the findings of the baseline; they are not in `findings`. `complaints` are its entries that no
    longer hold. `behind` are the keys of the findings of the server behind a proxy, None without one, and
    `hidden` is the number of those that the proxy does not let through. `stopped` says why the findings are
    not complete, or is empty; `unsent` cases were not sent then.
    """

    endpoint: Endpoint
    probe: Probe
    judged: Sequence[Judged]
    findings: Sequence[Finding]
    seconds: float
    known: Sequence[Finding] = ()
    complaints: Sequence[str] = ()
    behind: frozenset[tuple[str, str, str]] | None = None
    hidden: int = 0
    stopped: str = ""
    unsent: int = 0

    @property
    def failed(self) -> bool:
        """Whether there is anything that the baseline does not know."""
        return bool(self.findings or self.complaints or self.probe.trouble)

    @property
    def incomplete(self) -> bool:
        """Whether the endpoint could not be judged, or not to the end."""
        return bool(self.probe.trouble or self.stopped)

    @property
    def right(self) -> int:
        """The number of cases with a right answer."""
        return len(self.judged) - len(self.findings) - len(self.known)

    def by_the_proxy(self, findings: Sequence[Finding]) -> int:
        """How many of these findings the server behind the proxy does not have."""
        return 0 if self.behind is None else sum(finding.key not in self.behind for finding in findings)


@dataclass(frozen=True, slots=True)
class KindOfFinding:
    """The findings of one kind, the smallest request first."""

    kind: str
    findings: Sequence[Finding] = field(default=())


def grouped(findings: Sequence[Finding]) -> Iterator[tuple[Group, list[KindOfFinding]]]:
    """The groups that have findings, the worst first; in each the kinds with the most findings first."""
    for group in Group:
        kinds: dict[str, list[Finding]] = {}
        for finding in findings:
            if finding.group is group:
                kinds.setdefault(str(finding.kind), []).append(finding)
        if kinds:
            ordered = sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0]))
            yield group, [KindOfFinding(kind, _smallest_first(found)) for kind, found in ordered]


def _smallest_first(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (len(finding.request), finding.case))
