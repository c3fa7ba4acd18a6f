"""An input on which the readings disagree, made as small as possible."""

from dataclasses import dataclass
from pathlib import Path

from clients.fuzzing.shrink import shrink

from .corpus import escaped, unescaped
from .targets import CONTROL_BYTES, Disagreement, Results, Target, kind_of


@dataclass(frozen=True)
class Finding:
    """The input, and the results that differ; no results if the input takes too long."""

    target: str
    data: bytes
    results: Results

    def __str__(self) -> str:
        shown = "".join(f"\n  {name}: {result!r}" for name, result in self.results.items())
        return f"{self.target}: the results differ for\n  {escaped(self.data)}{shown}"

    def save(self, folder: Path, name: str) -> Path:
        """Write the input as a line of a corpus, with the results below it."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.target}-{name}.txt"
        path.write_text(f"{escaped(self.data)}\n{self}\n", "utf-8")
        return path


def load(path: Path) -> bytes:
    """The input of a saved finding."""
    return unescaped(path.read_text("utf-8").splitlines()[0])


def smallest(target: Target, data: bytes) -> Finding:
    """The finding for the smallest input whose results differ in the same way. `data` must be a finding.

    The split and the mode stay as they are.
    """
    control, rest = data[:CONTROL_BYTES], data[CONTROL_BYTES:]
    results = differing(target, data)
    assert results is not None, "the results do not differ"
    shown = _way(results)

    def shows(candidate: bytes) -> bool:
        found = differing(target, control + candidate)
        return found is not None and _way(found) == shown

    data = control + shrink(rest, shows)
    return Finding(target.name, data, differing(target, data) or results)


def differing(target: Target, data: bytes) -> Results | None:
    """The results that differ for this input, or None."""
    try:
        target.outcomes(data)
    except Disagreement as found:
        return found.results
    return None


def _way(results: Results) -> list[tuple[str, str]]:
    return [(name, kind_of(result)) for name, result in results.items()]
