"""The list of deliberate differences is in order: real cases, real rules, tiers that excuse."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from clients.comparison.cases import rule_tiers
from tests.third_party_requests import differences
from tests.third_party_requests.corpus import ABSENT, corpus_is_here, records

# Each list with the file that its cases come from.
LISTS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "gunicorn": ("gunicorn", differences.GUNICORN),
    "gunicorn on flask run": ("gunicorn", differences.GUNICORN_FLASK_RUN),
    "python-multipart": ("python-multipart", differences.PYTHON_MULTIPART),
    "werkzeug": ("werkzeug", differences.WERKZEUG),
    "own-multipart": ("own-multipart", differences.OWN_MULTIPART),
    "jsontestsuite": ("jsontestsuite", differences.JSON),
    "wpt-urlencoded": ("wpt-urlencoded", differences.URLENCODED),
    "own-wire on flask run": ("own-wire", differences.FLASK_RUN),
}


@pytest.mark.parametrize("name", LISTS)
def test_every_listed_case_is_in_the_corpus(name: str) -> None:
    if not corpus_is_here():
        pytest.skip(ABSENT)
    corpus, entries = LISTS[name]
    assert entries.keys() <= {record["id"] for record in records(corpus)}


@pytest.mark.parametrize("name", LISTS)
def test_every_listed_rule_is_a_rule(name: str) -> None:
    _, entries = LISTS[name]
    rules = {entry.rule if isinstance(entry, differences.Difference) else entry for entry in entries.values()}
    assert rules <= rule_tiers().keys()


def test_flask_run_is_excused_only_by_rules_that_wsgi_hides_or_its_servers_limits() -> None:
    excused = {*differences.FLASK_RUN.values(), *differences.GUNICORN_FLASK_RUN.values()}
    assert {rule for rule in excused if rule_tiers()[rule] == 1} == differences.SERVER_LIMITS.keys()
