"""The cases: recorded requests with what is expected of them, and the tier that says which backends get them.

`sample_files/requests/FAMILY/NAME.http` holds the exact bytes. FAMILY is the family of the first rule.
`NAME.json` beside it holds `{"title", "rules": [...], "expect": ..., "store": [...], "splits": [...]}`:

- `expectation.py` describes `expect`;
- each file in `store` (a name in `sample_files`) is uploaded to every backend first;
- `splits` are offsets in the request, in ascending order: it is also sent in pieces that end there;
- a large request has no `.http` file: `request` is its recipe (`recipe.py`), `sha256` the digest of its
  bytes.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from .expectation import Expectation, ExpectationError
from .recipe import RecipeError, make_request

PROJECT_ROOT = Path(__file__).resolve().parents[2]
SAMPLE_FILES = PROJECT_ROOT / "sample_files"
REQUESTS = SAMPLE_FILES / "requests"
RULES = REQUESTS / "rules.toml"
_KEYS = {"title", "rules", "expect", "store", "splits", "request", "sha256"}
_REQUIRED = {"title", "rules", "expect"}

# A tier goes to every backend that can keep its rules: WSGI hides some of the bytes from the application.
BACKEND_TIERS: Mapping[str, int] = {"flask": 1, "fastapi": 3, "gunicorn": 2, "socket": 3}
UNKNOWN_BACKEND_TIER = 2


class CaseError(Exception):
    """A case or a rule cannot be loaded; the message names the file."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request and what is expected of every backend that gets it.

    `client` is how it is sent: `raw` (the bytes of `request`), `socket` and `requests` (calls of
    `post_calls`), or `stream` (read live); `request` then holds the bytes that it puts on the wire, to be
    shown. `path` is the expectation's file, if any.
    """

    name: str
    title: str
    rules: tuple[str, ...]
    tier: int
    request: bytes
    expect: Expectation
    store: tuple[str, ...] = ()
    splits: tuple[int, ...] = ()
    client: str = "raw"
    path: Path | None = None

    @property
    def accepted(self) -> bool:
        """Whether every expected response is a 2xx or 3xx."""
        expected = self.expect.responses
        return bool(expected) and all(one.status is not None and one.status < 400 for one in expected)


def backend_tier(name: str) -> int:
    """The highest tier that a backend of this name gets; a name that we did not give gets T1 and T2."""
    return BACKEND_TIERS.get(name, UNKNOWN_BACKEND_TIER)


@cache
def rule_tiers(path: Path = RULES) -> Mapping[str, int]:
    """The tier of every rule. Raises CaseError when the table cannot be read."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        tiers = {rule: entry["tier"] for rule, entry in table.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CaseError(f"{path}: not a table of rules: {error}") from None
    wrong = [rule for rule, tier in tiers.items() if tier not in (1, 2, 3)]
    if wrong:
        raise CaseError(f"{path}: a tier is 1, 2 or 3: {', '.join(wrong)}")
    return tiers


def tier_of(rules: tuple[str, ...], source: str) -> int:
    """The highest tier among the rules. Raises CaseError for no rule, and for one that the table lacks."""
    tiers = rule_tiers()
    unknown = [rule for rule in rules if rule not in tiers]
    if unknown or not rules:
        raise CaseError(f"{source}: {', '.join(unknown) or 'a case without rules'} is not in {RULES.name}")
    return max(tiers[rule] for rule in rules)


def load_cases(folder: Path = REQUESTS, pattern: str = "*") -> list[Case]:
    """The recorded cases whose name matches the glob `pattern`, sorted by name.

    A name is unique over all folders. Raises CaseError when a file is missing, malformed or half of a pair.
    """
    paths: dict[str, Path] = {}
    for path in sorted(folder.glob("*/*.json")):
        if path.stem in paths:
            raise CaseError(f"{path}: there is another case of this name: {paths[path.stem]}")
        paths[path.stem] = path
    for request in folder.glob("*/*.http"):
        if not request.with_suffix(".json").exists():
            raise CaseError(f"{request}: its expectation, {request.stem}.json, is missing")
    return [_load_case(path) for name, path in sorted(paths.items()) if fnmatchcase(name, pattern)]


def _load_case(path: Path) -> Case:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CaseError(f"{path}: {error}") from None
    if not isinstance(data, dict) or not _REQUIRED <= data.keys() <= _KEYS:
        raise CaseError(
            f"{path}: the keys must be {', '.join(sorted(_REQUIRED))} and at most "
            f"{', '.join(sorted(_KEYS - _REQUIRED))}"
        )
    rules, store = _strings(path, data, "rules"), _strings(path, data, "store")
    for name in store:
        if not (SAMPLE_FILES / name).is_file():
            raise CaseError(f"{path}: there is no {SAMPLE_FILES.name}/{name} to store")
    try:
        request = _made_request(path, data) if "request" in data else path.with_suffix(".http").read_bytes()
        expect = Expectation.parse(data["expect"])
    except OSError as error:
        raise CaseError(f"{path}: its request cannot be read: {error}") from None
    except (ExpectationError, RecipeError) as error:
        raise CaseError(f"{path}: {error}") from None
    if expect.continues is not None and b"\r\n\r\n" not in request:
        raise CaseError(f"{path}: interim responses are counted for a whole head only")
    return Case(
        name=path.stem,
        title=str(data["title"]),
        rules=rules,
        tier=tier_of(rules, str(path)),
        request=request,
        expect=expect,
        store=store,
        splits=_splits(path, data.get("splits", []), len(request)),
        path=path,
    )


def _made_request(path: Path, data: Mapping[str, Any]) -> bytes:
    if path.with_suffix(".http").exists():
        raise CaseError(f"{path}: it has a recipe and a file {path.stem}.http")
    request = make_request(data["request"])
    digest = hashlib.sha256(request).hexdigest()
    if digest != data.get("sha256"):
        raise CaseError(f"{path}: its recipe makes {len(request)} bytes with the SHA-256 {digest}")
    return request


def _splits(path: Path, offsets: Any, size: int) -> tuple[int, ...]:
    """The offsets, if they split a request of `size` bytes in pieces that are not empty. Raises CaseError."""
    edges = [0, *offsets, size] if isinstance(offsets, list) else []
    numbers = all(type(edge) is int for edge in edges)
    if not edges or not numbers or any(left >= right for left, right in pairwise(edges)):
        raise CaseError(f"{path}: splits must be ascending offsets inside the request")
    return tuple(edges[1:-1])


def _strings(path: Path, data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise CaseError(f"{path}: {key} must be a list of strings")
    return tuple(value)
