"""The generator: the same seed makes the same requests, and every rule has a construct."""

from collections import Counter
from types import ModuleType

import pytest

from clients.comparison.cases import rule_tiers
from clients.fuzzing import (
    body_grammar,
    credential_grammar,
    framing_grammar,
    head_grammar,
    limit_grammar,
    multipart_grammar,
    part_header_grammar,
    resumable_grammar,
    routes_grammar,
)
from clients.fuzzing.draft import Draft, Production, Rng, fill, some_data, valid
from clients.fuzzing.generator import INEXPRESSIBLE, Generator
from clients.fuzzing.multipart_form import place_form
from tests.recorded import recorded_cases

CASES = recorded_cases()
GRAMMARS = (
    body_grammar,
    credential_grammar,
    framing_grammar,
    head_grammar,
    limit_grammar,
    multipart_grammar,
    part_header_grammar,
    resumable_grammar,
    routes_grammar,
)
COUNT = 4000


def productions(module: ModuleType) -> list[Production]:
    """All productions that a table of the module holds, however deep."""
    found: list[Production] = []

    def look(value: object) -> None:
        if isinstance(value, Production):
            found.append(value)
        elif isinstance(value, tuple):
            for item in value:
                look(item)

    for name, value in vars(module).items():
        if name.isupper():
            look(value)
    return found


def test_the_same_seed_makes_the_same_requests() -> None:
    first = list(Generator(7, CASES).requests(300))
    assert first == list(Generator(7, CASES).requests(300))
    assert first[123] == Generator(7, CASES).request(123)
    assert [one.index for one in first] == list(range(300))


def test_another_seed_makes_others() -> None:
    first = {one.data for one in Generator(1, CASES).requests(200)}
    assert len(first & {one.data for one in Generator(2, CASES).requests(200)}) < 20


@pytest.mark.parametrize("module", GRAMMARS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_production_names_rules_that_exist(module: ModuleType) -> None:
    found = productions(module)
    assert found
    for production in found:
        assert production.samples
        assert production.rules
        assert set(production.rules) <= rule_tiers().keys()
        assert production.tier in (1, 2), "what is for socket alone cannot be compared"


def test_every_rule_is_generated_or_has_a_reason_why_not() -> None:
    requests = list(Generator(1, CASES).requests(COUNT))
    generated = set().union(*(one.rules for one in requests), *(one.fault_rules for one in requests))
    generated |= {rule for module in GRAMMARS for one in productions(module) for rule in one.rules}
    assert not generated - rule_tiers().keys()
    assert rule_tiers().keys() - generated - INEXPRESSIBLE.keys() == set()
    assert all(len(reason) > 10 for reason in INEXPRESSIBLE.values())


def test_multipart_is_most_and_each_kind_of_origin_is_there() -> None:
    requests = list(Generator(3, CASES).requests(COUNT))
    assert sum(one.multipart for one in requests) > 0.45 * COUNT
    origins = Counter(one.origin.rpartition(", ")[2] for one in requests)
    assert origins["mutated"] > 0.2 * COUNT
    assert sum(one.origin in {case.name for case in CASES} for one in requests) > 0.03 * COUNT
    clean = [one for one in requests if one.alone and not one.fault_rules]
    faulty = [one for one in requests if one.alone and one.fault_rules]
    assert len(clean) > 0.35 * COUNT
    assert len(faulty) > 0.15 * COUNT


def test_no_rule_is_counted_for_what_was_mutated() -> None:
    for one in Generator(4, CASES).requests(COUNT):
        if one.origin.endswith("mutated"):
            assert not one.rules
            assert not one.fault_rules
            assert not one.alone


def test_split_requests_are_the_same_bytes() -> None:
    split = [one for one in Generator(5, CASES).requests(COUNT) if one.splits]
    assert len(split) > 0.02 * COUNT
    for one in split:
        assert b"".join(one.pieces) == one.data
        assert all(one.pieces)
        assert "M89" in one.rules or not one.rules or one.origin != "grammar"


def test_a_recorded_pipeline_is_never_sent() -> None:
    """Only socket gets a case with several responses (T3)."""
    names = {one.origin.removesuffix(", mutated") for one in Generator(6, CASES).requests(COUNT)} - {
        "grammar"
    }
    assert names
    assert all(case.tier <= 2 for case in CASES if case.name in names)


@pytest.mark.parametrize("seed", range(200))
def test_data_never_hold_a_delimiter_by_chance(seed: int) -> None:
    rng = Rng(seed)
    for boundary in (b"b", b"-", b"--", b"x" * 70):
        data = b"\r\n" + some_data(rng, boundary)
        assert b"\r\n--" + boundary not in data


def test_placeholders_are_filled_and_others_are_left() -> None:
    rng = Rng(1)
    assert fill(b"--@B@@@x@D", rng, b"bound") == b"--bound@@x@D"
    assert fill(b"@n", rng).isdigit()
    assert fill(b"@S", rng).strip(b" \t") == b""
    assert fill(b"plain", rng) == b"plain"


def test_a_form_has_a_type_that_names_its_boundary() -> None:
    for seed in range(100):
        draft = Draft()
        place_form(draft, Rng(seed))
        assert draft.content_type is not None
        boundary = draft.content_type.lower().partition(b"boundary=")[2].strip(b'";')
        assert boundary in draft.body.lower()
        assert draft.multipart
        assert draft.faults == 0


def test_a_draft_counts_its_productions() -> None:
    draft, rng = Draft(), Rng(0)
    assert draft.use(valid("R1", b"x"), rng) == b"x"
    draft.covers("H21")
    assert draft.rules == {"R1", "H21"}
    assert draft.tier == 2
    lines = [b"Content-Length: 0\r\n", b"Host: localhost:8000\r\n"]
    orders = {b"POST / HTTP/1.1\r\n" + b"".join(order) + b"\r\n" for order in (lines, lines[::-1])}
    assert {draft.render(Rng(seed)) for seed in range(20)} == orders
