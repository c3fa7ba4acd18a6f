"""The inputs that are kept: one text file a target, one input a line, as escaped bytes."""

from collections.abc import Iterable
from pathlib import Path

from .coverage import reached
from .targets import Target

CORPUS = Path(__file__).parent / "corpus"
LONGEST = 600
"""The most bytes of an input. Limits that are larger have small ones in the mode of a target."""


def escaped(data: bytes) -> str:
    """One line of printable ASCII. No blank stands at its end, where editors may remove it."""
    text = data.decode("iso-8859-1").encode("unicode_escape").decode("ascii")
    return text[:-1] + r"\x20" if text.endswith(" ") else text


def unescaped(line: str) -> bytes:
    """The bytes of a line. Raises ValueError if it is malformed."""
    return line.encode("ascii").decode("unicode_escape").encode("iso-8859-1")


def file_of(target: Target, folder: Path = CORPUS) -> Path:
    """Where the inputs of a target are kept."""
    return folder / f"{target.name}.txt"


def load(target: Target, folder: Path = CORPUS) -> list[bytes]:
    """The inputs of a target, in the order of the file. Raises OSError, ValueError."""
    return [unescaped(line) for line in file_of(target, folder).read_text("ascii").splitlines()]


def save(target: Target, inputs: Iterable[bytes], folder: Path = CORPUS) -> None:
    """Write the inputs, sorted, so that a change of the file shows what is new."""
    lines = sorted({escaped(data) for data in inputs if data})
    file_of(target, folder).write_text("".join(f"{line}\n" for line in lines), "ascii")


def minimised(target: Target, kept: Iterable[bytes], found: Iterable[bytes] = ()) -> list[bytes]:
    """The inputs of `kept` and then of `found`, short ones first, that reach what none before has reached.

    An input on which the readings disagree is left out: it is a finding.
    """
    seen: set[object] = set()
    chosen = []
    for inputs in (kept, found):
        for data in sorted(set(inputs), key=lambda data: (len(data), data)):
            if len(data) > LONGEST or (features := reached(target, data)) is None or features <= seen:
                continue
            seen |= features
            chosen.append(data)
    return chosen
