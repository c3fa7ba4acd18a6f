"""The list of deliberate differences is in order: real cases, real rules, tiers that excuse."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from clients.cases import rule_tiers
from tests.corpus import differences
from tests.corpus.corpus import ABSENT, corpus_is_here, records

LISTS: Mapping[str, Mapping[str, object]] = {
    "gunicorn": differences.GUNICORN,
    "python-multipart": differences.PYTHON_MULTIPART,
    "werkzeug": differences.WERKZEUG,
    "own-multipart": differences.OWN_MULTIPART,
    "jsontestsuite": differences.JSON,
    "wpt-urlencoded": differences.URLENCODED,
    "own-wire": differences.FLASK_RUN,
}


@pytest.mark.parametrize("name", LISTS)
def test_every_listed_case_is_in_the_corpus(name: str) -> None:
    if not corpus_is_here():
        pytest.skip(ABSENT)
    assert LISTS[name].keys() <= {record["id"] for record in records(name)}


@pytest.mark.parametrize("name", LISTS)
def test_every_listed_rule_is_a_rule(name: str) -> None:
    rules = {
        entry.rule if isinstance(entry, differences.Difference) else entry for entry in LISTS[name].values()
    }
    assert rules <= rule_tiers().keys()


def test_flask_run_is_excused_only_by_rules_that_wsgi_hides_or_its_servers_limits() -> None:
    kept = {rule for rule in differences.FLASK_RUN.values() if rule_tiers()[rule] == 1}
    assert kept == differences.SERVER_LIMITS.keys()
