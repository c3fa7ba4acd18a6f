"""Cases are loaded whole or not at all, and their rules decide who gets them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from clients.comparison.cases import CaseError, backend_tier, load_cases, rule_tiers, tier_of

REQUEST = b"GET / HTTP/1.1\r\n\r\n"


def record(folder: Path, name: str = "a-case", family: str = "request_line", **changes: Any) -> Path:
    data = {"title": "A title.", "rules": ["R1"], "expect": {"status": 200}, **changes}
    path = folder / family / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), "utf-8")
    path.with_suffix(".http").write_bytes(REQUEST)
    return path


def test_a_recorded_case_has_its_bytes_and_its_expectation(tmp_path: Path) -> None:
    path = record(tmp_path, store=["hello-world.txt"], splits=[4, 5])
    (case,) = load_cases(tmp_path)
    assert (case.name, case.request, case.store, case.splits, case.client) == (
        "a-case",
        REQUEST,
        ("hello-world.txt",),
        (4, 5),
        "raw",
    )
    assert (case.path, case.tier) == (path, 1)


def test_cases_are_sorted_over_all_folders_and_filtered_by_name(tmp_path: Path) -> None:
    record(tmp_path, "b")
    record(tmp_path, "a", family="cookies")
    record(tmp_path, "c")
    assert [case.name for case in load_cases(tmp_path)] == ["a", "b", "c"]
    assert [case.name for case in load_cases(tmp_path, "[bc]")] == ["b", "c"]


def test_the_tier_of_a_case_is_the_highest_of_its_rules() -> None:
    tiers = rule_tiers()
    first, second, third = (next(rule for rule in tiers if tiers[rule] == tier) for tier in (1, 2, 3))
    assert tier_of((first,), "") == 1
    assert tier_of((second, first), "") == 2
    assert tier_of((first, third, second), "") == 3


def test_a_backend_gets_the_tiers_that_it_can_keep() -> None:
    assert [backend_tier(name) for name in ("flask", "gunicorn", "socket", "fastapi")] == [1, 2, 3, 3]
    assert backend_tier("127.0.0.1:8000") == 2


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rules": []}, "without rules"),
        ({"rules": ["R1", "R999"]}, "R999 is not in rules"),
        ({"rules": "R1"}, "rules must be a list"),
        ({"expect": {"stauts": 200}}, "expect must be"),
        ({"store": ["no-such-file"]}, "no sample_files/no-such-file"),
        ({"note": "x"}, "the keys must be"),
        ({"splits": 5}, "splits must be"),
        ({"splits": ["5"]}, "splits must be"),
        ({"splits": [True]}, "splits must be"),
        ({"splits": [0]}, "splits must be"),
        ({"splits": [5, 5]}, "splits must be"),
        ({"splits": [len(REQUEST)]}, "splits must be"),
    ],
)
def test_a_case_that_says_something_unknown_is_refused(tmp_path: Path, changes: Any, why: str) -> None:
    record(tmp_path, **changes)
    with pytest.raises(CaseError, match=why):
        load_cases(tmp_path)


def test_half_of_a_pair_is_refused(tmp_path: Path) -> None:
    path = record(tmp_path)
    path.with_suffix(".http").unlink()
    with pytest.raises(CaseError, match="request cannot be read"):
        load_cases(tmp_path)
    path.with_suffix(".http").write_bytes(REQUEST)
    path.unlink()
    with pytest.raises(CaseError, match=r"a-case\.json, is missing"):
        load_cases(tmp_path)


def test_a_name_stands_once_over_all_folders(tmp_path: Path) -> None:
    record(tmp_path)
    record(tmp_path, family="cookies")
    with pytest.raises(CaseError, match="another case of this name"):
        load_cases(tmp_path)


def test_malformed_json_is_refused(tmp_path: Path) -> None:
    record(tmp_path).write_text("{", "utf-8")
    with pytest.raises(CaseError, match=r"a-case\.json"):
        load_cases(tmp_path)


def test_malformed_rules_are_refused(tmp_path: Path) -> None:
    for text in ("R1 = ", "R1 = 1", "R1 = { tier = 4 }", "R1 = { says = '' }"):
        path = tmp_path / f"{len(text)}.toml"
        path.write_text(text, "utf-8")
        with pytest.raises(CaseError, match=r"\.toml"):
            rule_tiers(path)


GENERATED: dict[str, Any] = {"request": ["GET /", {"repeat": "a", "times": 3}, " HTTP/1.1\r\n\r\n"]}


def test_a_request_is_made_by_its_recipe(tmp_path: Path) -> None:
    request = b"GET /aaa HTTP/1.1\r\n\r\n"
    path = record(tmp_path, **GENERATED, sha256=hashlib.sha256(request).hexdigest())
    path.with_suffix(".http").unlink()
    assert [case.request for case in load_cases(tmp_path)] == [request]


def test_a_recipe_that_makes_other_bytes_is_refused(tmp_path: Path) -> None:
    path = record(tmp_path, **GENERATED, sha256="0" * 64)
    with pytest.raises(CaseError, match=r"a recipe and a file a-case\.http"):
        load_cases(tmp_path)
    path.with_suffix(".http").unlink()
    with pytest.raises(CaseError, match="its recipe makes 21 bytes"):
        load_cases(tmp_path)
