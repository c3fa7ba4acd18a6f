"""The lists of deliberate differences name real requests and real rules."""

from collections.abc import Mapping

import pytest

from clients.comparison.cases import rule_tiers
from tests.third_party_requests import differences
from tests.third_party_requests.records import records

# Each list with the file that its requests come from.
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
def test_every_listed_request_exists(name: str) -> None:
    file, entries = LISTS[name]
    assert entries.keys() <= {record["id"] for record in records(file)}


@pytest.mark.parametrize("name", LISTS)
def test_every_listed_rule_is_a_rule(name: str) -> None:
    _, entries = LISTS[name]
    rules = {entry.rule if isinstance(entry, differences.Difference) else entry for entry in entries.values()}
    assert rules <= rule_tiers().keys()


def test_flask_run_differs_only_where_wsgi_hides_bytes_or_by_its_servers_limits() -> None:
    rules = {*differences.FLASK_RUN.values(), *differences.GUNICORN_FLASK_RUN.values()}
    assert {rule for rule in rules if rule_tiers()[rule] == 1} == differences.SERVER_LIMITS.keys()
