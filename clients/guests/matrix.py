"""Asks every guest, and collects how it reads each input."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..assessment.assess import Judged, Stop, assess
from ..assessment.fitting import fitted_cases
from ..assessment.groups import Group
from ..comparison.cases import Case
from ..launch import RunningBackend, running
from ..programs import AbsentError, prepare, version_of
from .endpoints import guest_endpoint, guest_probe
from .inputs import PLAIN
from .readings import Reading, reading_of
from .serving import serving
from .table import SCRIPTS, Guest

OURS = {"socket": "wireproof socket", "gunicorn": "wireproof Flask"}
"""Our own servers, by the name of the backend: one for each reading."""

_KINDS = ("multipart", "urlencoded", "json")


@dataclass(frozen=True, slots=True)
class Column:
    """One guest: how it reads each input that it was asked, and what is wrong with that, by case.

    It is not `complete` when the guest ended before it was asked everything.
    """

    name: str
    title: str
    version: str
    readings: Mapping[str, Reading]
    judged: Mapping[str, Judged]
    complete: bool = True

    def cases_in(self, *groups: Group) -> list[str]:
        """The cases with a finding in one of these groups."""
        found = ((name, one.finding) for name, one in self.judged.items())
        return [name for name, finding in found if finding is not None and finding.group in groups]


@dataclass(frozen=True, slots=True)
class Matrix:
    """All columns. `absent` says why a guest is left out, by its title."""

    inputs: Sequence[Case]
    columns: Sequence[Column]
    absent: Mapping[str, str] = field(default_factory=dict)

    def groups(self, case: str) -> list[tuple[Reading, list[Column]]]:
        """The columns that read an input alike, the largest group first."""
        found: dict[Reading, list[Column]] = {}
        for column in self.columns:
            if case in column.readings:
                found.setdefault(column.readings[case], []).append(column)
        return sorted(found.items(), key=lambda item: -len(item[1]))

    def read_otherwise(self, front: Column, behind: Column) -> list[str]:
        """The inputs that both accept and read in different ways: they pass `front` as something else."""
        return [
            case
            for case, reading in front.readings.items()
            if reading.passes
            and case in behind.readings
            and behind.readings[case].passes
            and reading != behind.readings[case]
        ]


OnGuest = Callable[[str], object]


def measure(
    guests: Sequence[Guest],
    inputs: Sequence[Case],
    plain: Sequence[Case],
    folder: Path,
    *,
    on_guest: OnGuest = lambda title: None,
) -> Matrix:
    """Ask our own servers and the guests, which are installed into `folder` if they are not there yet."""
    columns, absent = [], {}
    with running(list(OURS), env={"WIREPROOF_QUIET": "1", "WIREPROOF_DURABILITY": "fast"}) as ours:
        reference = ours[0]
        for backend in ours:
            on_guest(OURS[backend.name])
            url = f"http://{backend.host}:{backend.port}/upload/"
            columns.append(_column(backend.name, OURS[backend.name], "", url, _KINDS, inputs, reference))
        for guest in guests:
            on_guest(guest.title)
            try:
                columns.append(_asked(guest, inputs, plain, folder / guest.name, reference))
            except AbsentError as error:
                absent[guest.title] = str(error)
    return Matrix(inputs, columns, absent)


def _asked(
    guest: Guest, inputs: Sequence[Case], plain: Sequence[Case], folder: Path, reference: RunningBackend
) -> Column:
    """The column of one guest. Raises AbsentError when it cannot be served, or misreads plain uploads."""
    prepare(guest, folder, SCRIPTS)
    version = version_of(guest, folder, SCRIPTS)
    with serving(guest, folder) as url:
        checked = _column(guest.name, guest.title, version, url, guest.kinds, plain, reference)
    wrong = list(_misread(checked, guest.by_design))
    if wrong:
        raise AbsentError(f"its adapter misreads plain uploads: {'; '.join(wrong)}")
    column = Column(guest.name, guest.title, version, {}, {})
    # An input may end the guest: it is started again for those that are left.
    left = list(inputs)
    while left:
        with serving(guest, folder) as url:
            asked = _column(guest.name, guest.title, version, url, guest.kinds, left, reference)
        column = Column(
            guest.name,
            guest.title,
            version,
            {**column.readings, **asked.readings},
            {**column.judged, **asked.judged},
        )
        left = (
            []
            if asked.complete or not asked.readings
            else [case for case in left if case.name not in asked.readings]
        )
    return column


def _misread(column: Column, by_design: Sequence[str]) -> Iterator[str]:
    """The plain uploads of which none of the alternatives was read rightly, unless that is the design."""
    for what, names in PLAIN.items():
        if what in by_design:
            continue
        findings = [column.judged[name].finding for name in names if name in column.judged]
        if findings and all(findings):
            yield f"{what}: {findings[0].detail if findings[0] else ''}"


def _column(
    name: str,
    title: str,
    version: str,
    url: str,
    kinds: tuple[str, ...],
    cases: Sequence[Case],
    reference: RunningBackend,
) -> Column:
    endpoint = guest_endpoint(name, url)
    fitted = [each for each in fitted_cases(cases, endpoint) if each.kind in kinds]
    stop = Stop()
    judged = {
        one.case.name: one for one in assess(fitted, endpoint, guest_probe(kinds), reference, stop=stop)
    }
    readings = {name: reading_of(one.exchange) for name, one in judged.items()}
    return Column(name, title, version, readings, judged, complete=not stop.why)
