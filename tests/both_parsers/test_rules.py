"""A problem says by which rule a request is refused, and both readings say the same.

Every recorded request lists the rules that it shows. What refuses it is one of them.
"""

import hashlib
import random
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest

from clients.comparison.cases import Case
from servers.contract.problems import Problem
from tests.both_parsers.refused import REFUSE, refused_by_flask, refused_by_sansio
from tests.head_lines import SMALL, some_chunks, some_head
from tests.recorded import recorded_cases
from tests.sansio.splits import at_random

_CHUNKED = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
_SAMPLE_FILES = Path(__file__).resolve().parents[2] / "sample_files"

# Refusals of recorded requests by a rule that they do not list, with the reason.
_NOT_LISTED = {
    "S3": "a last request finds that the first one left no file: it is no fault of the case",
}
_ENDS_WITH_A_LOOK = ("-leaves-no-file", "-leave-no-file")
# No parser that raises these sees where in the body it is.
_WITHOUT_A_PLACE = {
    "bad_value": "the members of a JSON object have no places",
    "field_too_large": "the form gets the data of parts without their offsets",
    "json_duplicate_key": "the JSON parser of Python tells it at the end of an object",
    "part_transfer_encoding": "the form gets the data of parts without their offsets",
    "too_many_parts": "the form gets parts without their offsets",
}
# These have a rule for one reason, and none for another one.
_SOMETIMES_BY_NO_RULE = {"misdirected_host", "unsupported_media_type"}


@cache
def _samples() -> Mapping[str, bytes]:
    contents = [path.read_bytes() for path in sorted(_SAMPLE_FILES.iterdir()) if path.is_file()]
    return {hashlib.sha256(content).hexdigest(): content for content in contents}


@cache
def _refused() -> Mapping[str, tuple[Case, Problem]]:
    """Every recorded request that is refused, by its name, and how the socket server's reading refuses it."""
    found = {case.name: (case, refused_by_sansio([case.request], _samples())) for case in recorded_cases()}
    return {name: (case, problem) for name, (case, problem) in found.items() if problem is not None}


def test_most_codes_are_seen() -> None:
    assert len(_refused()) > 1300
    assert len({problem.code for _, problem in _refused().values()}) > 45


def test_a_problem_is_decided_by_a_rule_of_its_kind() -> None:
    assert [name for name, (_, problem) in _refused().items() if not _is_of_its_kind(problem)] == []


def _is_of_its_kind(problem: Problem) -> bool:
    if problem.rule is None:
        return not problem.kind.rules or problem.code in _SOMETIMES_BY_NO_RULE
    return problem.rule in problem.kind.rules


def test_every_rule_of_a_kind_decides_a_recorded_request() -> None:
    decided = {(problem.code, problem.rule) for _, problem in _refused().values()}
    listed = {
        (kind.code, rule)
        for kind in {problem.kind for _, problem in _refused().values()}
        for rule in kind.rules
    }
    assert listed - decided == set()


def test_a_recorded_request_lists_the_rule_that_refuses_it() -> None:
    unlisted = {
        name: problem.rule
        for name, (case, problem) in _refused().items()
        if problem.rule not in (None, *case.rules)
    }
    assert {name: rule for name, rule in unlisted.items() if not name.endswith(_ENDS_WITH_A_LOOK)} == {}
    assert set(unlisted.values()) == set(_NOT_LISTED)


def test_both_readings_refuse_a_recorded_request_by_the_same_rule() -> None:
    different = {
        name: (problem.code, problem.rule, other and other.code, other and other.rule)
        for name, (case, problem) in _refused().items()
        for other in [refused_by_flask([case.request], _samples())]
        if other is None or (other.code, other.rule) != (problem.code, problem.rule)
    }
    assert different == {}


def test_a_problem_points_into_its_request() -> None:
    outside = {
        name: problem.offset
        for name, (case, problem) in _refused().items()
        if problem.offset is not None and not 0 <= problem.offset <= len(case.request)
    }
    assert outside == {}


def test_a_problem_of_a_body_has_its_place_among_the_faulty_bytes() -> None:
    """One byte further is the end of what is at fault, for what is missing there."""
    with_fault = [problem for _, problem in _refused().values() if problem.fault is not None]
    assert len(with_fault) > 400
    for problem in with_fault:
        assert problem.offset is not None
        assert problem.fault is not None
        assert problem.fault.start <= problem.offset <= problem.fault.stop, problem


def test_a_problem_has_a_place_or_a_field() -> None:
    """`offset` says where, or `field` names what was judged by its value alone."""
    nowhere = {
        problem.code for _, problem in _refused().values() if problem.offset is None and problem.field is None
    }
    assert nowhere == set(_WITHOUT_A_PLACE)


@pytest.mark.parametrize("refuse", REFUSE.values(), ids=REFUSE)
def test_the_rule_does_not_depend_on_how_bytes_are_split(refuse: Callable[..., Problem | None]) -> None:
    rng = random.Random(1)
    small = [(name, case) for name, (case, _) in _refused().items() if len(case.request) < 2000]
    for name, case in rng.sample(small, 300):
        whole = refuse([case.request], _samples())
        assert whole is not None
        pieces = at_random(case.request, rng)
        split = refuse(pieces, _samples())
        assert split is not None, name
        assert (split.code, split.rule, split.offset) == (whole.code, whole.rule, whole.offset), (
            name,
            pieces,
        )


@pytest.mark.parametrize("seed", range(3))
def test_both_readings_refuse_random_heads_and_chunks_by_the_same_rule(seed: int) -> None:
    """As a whole and in pieces, and each rule is one of the kind of its problem."""
    rng = random.Random(seed)
    refused = 0
    for made in range(300):
        data = some_head(rng) if made % 2 else _CHUNKED + some_chunks(rng)
        problems = [
            refuse(pieces, limits=SMALL)
            for refuse in REFUSE.values()
            for pieces in ([data], at_random(data, rng))
        ]
        (outcome,) = {None if problem is None else (problem.code, problem.rule) for problem in problems}
        assert all(problem is None or _is_of_its_kind(problem) for problem in problems), (data, outcome)
        refused += outcome is not None
    assert refused > 100
