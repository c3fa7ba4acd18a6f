"""Checks what a server says that it has read and stored."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..comparison.told_values import as_entries
from .samples import WrongAnswerError

_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Expected:
    """What an answer has to tell: each field, the SHA-256 of each file by name, and the JSON value."""

    form: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    json: Any = None


def check_answer(body: bytes, expected: Expected) -> Mapping[str, Any]:
    """The answer as an object. Raises WrongAnswerError when it tells anything else."""
    try:
        answer = json.loads(body)
    except ValueError:
        raise WrongAnswerError(f"the answer is not JSON: {body[:_SHOWN]!r}") from None
    if not isinstance(answer, dict):
        raise WrongAnswerError(f"the answer is not an object: {body[:_SHOWN]!r}")
    told = Expected(
        tuple(sorted(_pairs(answer, "form", "value"))),
        tuple(sorted(_pairs(answer, "files", "sha256"))),
        answer.get("json"),
    )
    for name in ("form", "files", "json"):
        right, wrong = getattr(expected, name), getattr(told, name)
        if right != wrong:
            raise WrongAnswerError(f"{name}: {wrong!r:.{_SHOWN}} instead of {right!r:.{_SHOWN}}")
    return answer


def _pairs(answer: Mapping[str, Any], member: str, value: str) -> Iterator[tuple[str, str]]:
    entries = as_entries(member, answer.get(member))
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            yield str(entry.get("name")), str(entry.get(value))


def check_stored(store: Path, size: int, digests: set[str]) -> None:
    """Raise WrongAnswerError unless the folder has a file of `size` bytes for each of these SHA-256."""
    missing = digests - {_digest(path) for path in _files(store) if path.stat().st_size == size}
    if missing:
        raise WrongAnswerError(
            f"{len(missing)} of {len(digests)} files are not stored as they were sent,"
            f" such as SHA-256 {min(missing)}"
        )


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
