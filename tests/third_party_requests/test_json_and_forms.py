"""JSON bodies of JSONTestSuite and urlencoded bodies of web-platform-tests, over the wire to all backends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pytest

from clients.comparison.equality import first_difference
from clients.http1.response_parser import Response
from clients.launch import RunningBackend
from tests.conftest import BACKEND_NAMES
from tests.third_party_requests.corpus import Record, every_case, octets
from tests.third_party_requests.descriptions import check, code_of
from tests.third_party_requests.differences import JSON, URLENCODED
from tests.third_party_requests.exchanges import converse, post, response

Backends = Mapping[str, RunningBackend]
BACKENDS = pytest.mark.parametrize("name", BACKEND_NAMES)


def decided(record: Record) -> bool:
    return bool(record["expect"] != "either")


def undecided(record: Record) -> bool:
    return not decided(record)


@BACKENDS
@every_case("jsontestsuite", where=decided)
def test_json_is_accepted_or_refused_as_the_suite_says(backends: Backends, name: str, record: Record) -> None:
    body = octets(record, "body_b64")
    said = response(backends[name], post(b"/upload/", b"application/json", body))
    check(said, _json_faults(said, record["expect"], body), JSON.get(record["id"]))


@every_case("jsontestsuite", where=undecided)
def test_what_the_suite_leaves_open_all_backends_decide_alike(backends: Backends, record: Record) -> None:
    request = post(b"/upload/", b"application/json", octets(record, "body_b64"))
    answered = {name: converse(backend, [request]) for name, backend in backends.items()}
    assert answered["socket"].responses[0].status in (200, 400)
    for name in BACKEND_NAMES:
        assert first_difference(answered["socket"], answered[name]) is None, name


@BACKENDS
@every_case("wpt-urlencoded")
def test_a_form_gives_the_pairs_of_the_whatwg(backends: Backends, name: str, record: Record) -> None:
    body = octets(record, "input_b64")
    said = response(backends[name], post(b"/upload/", b"application/x-www-form-urlencoded", body))
    check(said, _pair_faults(said, record["expect"], "form"), URLENCODED.get(record["id"]))


@BACKENDS
@every_case("wpt-urlencoded", where=lambda record: octets(record, "input_b64").isascii())
def test_a_query_gives_the_same_pairs(backends: Backends, name: str, record: Record) -> None:
    target = b"/echo?" + octets(record, "input_b64")
    said = response(backends[name], b"GET %s HTTP/1.1\r\nHost: localhost:8000\r\n\r\n" % target)
    if record["id"] in URLENCODED:
        assert code_of(said) == "target_not_utf8"  # R37: as U7 is in a body
    else:
        assert not _pair_faults(said, record["expect"], "args")


def _json_faults(said: Response, expect: str, body: bytes) -> Sequence[str]:
    if expect == "reject":
        return ["accepted"] if said.status == 200 else []
    if said.status != 200:
        return [f"refused as {code_of(said)}"]
    value, expected = said.json()["json"], json.loads(body)
    return [] if value == expected else [f"{value!r} instead of {expected!r}"]


def _pair_faults(said: Response, expect: Sequence[Sequence[str]], key: str) -> Sequence[str]:
    if said.status != 200:
        return [f"refused as {code_of(said)}"]
    pairs = [[pair["name"], pair["value"]] for pair in said.json()[key]]
    return [] if pairs == expect else [f"{pairs} instead of {expect}"]
