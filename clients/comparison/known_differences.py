"""Known differences: what one backend really responds to one case, as data with a rule and a reason.

An entry is for one case on one backend; patterns are not possible. `verdicts.evaluate` reports a difference
when the response is not what the entry says, and also when the entry is no longer needed.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..http1.exchange import Exchange
from .cases import Case, CaseError, backend_tier, tier_of
from .expectation import mismatches

KNOWN_DIFFERENCES = Path(__file__).resolve().parent / "known_differences.toml"
_REQUIRED = {"case", "backend", "rule", "reason"}
_OPTIONAL: Mapping[str, type] = {"status": int, "code": str, "closed": bool, "sha256": str, "body": dict}


class KnownDifferencesError(Exception):
    """The file of known differences cannot be used; the message says which entry and why."""


@dataclass(frozen=True, slots=True)
class KnownDifference:
    """One entry: what `backend` responds to `case`.

    `sha256` is the hash of the body. `body` is a subset of its JSON, as in `expectation.mismatches`.
    """

    case: str
    backend: str
    rule: str
    reason: str
    status: int | None = None
    code: str | None = None
    closed: bool = False
    sha256: str | None = None
    body: Mapping[str, Any] | None = None

    def fault(self, exchange: Exchange) -> str | None:
        """How the exchange differs from what the entry says; None when it does not."""
        if exchange.failure or self.closed or exchange.closed:
            if self.closed and exchange.closed:
                return None
            return f"closed: {self.closed}, now {exchange.failure or exchange.closed}"
        response = exchange.responses[0]
        if response.status != self.status:
            return f"status {self.status}, now {response.status}"
        if self.sha256 is not None and hashlib.sha256(response.body).hexdigest() != self.sha256:
            return f"sha256 of the body {self.sha256}, now {hashlib.sha256(response.body).hexdigest()}"
        wanted = {**(self.body or {}), **({} if self.code is None else {"code": self.code})}
        if not wanted or not response.body:
            return None
        try:
            return next(mismatches(wanted, response.json()), None)
        except ValueError as error:
            return f"a JSON body, now not valid JSON: {error}"


KnownDifferences = Mapping[tuple[str, str], KnownDifference]


def load_known_differences(path: Path, cases: Iterable[Case]) -> KnownDifferences:
    """The entries by case and backend. `cases` are all cases, filtered or not.

    Raises KnownDifferencesError for a malformed file. An entry that no run can need is malformed too: its
    case does not exist, or its backend does not get the case.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise KnownDifferencesError(f"{path}: {error}") from None
    entries = document.get("difference", [])
    if document.keys() - {"difference"} or not isinstance(entries, list):
        raise KnownDifferencesError(f"{path}: only [[difference]] tables are allowed")
    tiers = {case.name: case.tier for case in cases}
    known: dict[tuple[str, str], KnownDifference] = {}
    for number, table in enumerate(entries, 1):
        where = f"{path}: entry {number}"
        entry = _entry(table, where)
        if (entry.case, entry.backend) in known:
            raise KnownDifferencesError(
                f"{where}: there is another entry for {entry.case} on {entry.backend}"
            )
        if entry.case not in tiers:
            raise KnownDifferencesError(f"{where}: there is no case {entry.case!r}")
        if tiers[entry.case] > backend_tier(entry.backend):
            raise KnownDifferencesError(f"{where}: {entry.backend} does not get the case {entry.case}")
        known[entry.case, entry.backend] = entry
    return known


def _entry(table: Any, where: str) -> KnownDifference:
    if not isinstance(table, dict) or not _REQUIRED <= table.keys() <= _REQUIRED | _OPTIONAL.keys():
        needs, may = ", ".join(sorted(_REQUIRED)), ", ".join(_OPTIONAL)
        raise KnownDifferencesError(f"{where}: an entry needs {needs} and may have {may}")
    for key, value in table.items():
        if not isinstance(value, _OPTIONAL.get(key, str)) or value == "":
            raise KnownDifferencesError(f"{where}: {key} cannot be {value!r}")
    if (table.get("closed") is True) == ("status" in table):
        raise KnownDifferencesError(f"{where}: an entry needs either status or closed = true")
    try:
        tier_of((table["rule"],), where)
    except CaseError as error:
        raise KnownDifferencesError(str(error)) from None
    return KnownDifference(**table)
