"""JSON bodies of JSONTestSuite and urlencoded bodies of web-platform-tests, sent to every backend."""

import json
from collections.abc import Mapping, Sequence

import pytest

from clients.comparison.equality import first_difference
from clients.http1.response_parser import Response
from clients.launch import RunningBackend
from tests.conftest import BACKEND_NAMES
from tests.third_party_requests.descriptions import check, code_of
from tests.third_party_requests.differences import JSON, URLENCODED
from tests.third_party_requests.exchanges import converse, post, response
from tests.third_party_requests.records import Record, check_each, octets

Backends = Mapping[str, RunningBackend]
BACKENDS = pytest.mark.parametrize("name", BACKEND_NAMES)


def decided(record: Record) -> bool:
    """Whether the suite says that the JSON must be accepted or refused."""
    return bool(record["expect"] != "either")


@BACKENDS
def test_json_is_accepted_or_refused_as_the_suite_says(backends: Backends, name: str) -> None:
    def check_json(record: Record) -> None:
        body = octets(record, "body_b64")
        got = response(backends[name], post(b"/upload/", b"application/json", body))
        check(got, _json_faults(got, record["expect"], body), JSON.get(record["id"]))

    check_each("jsontestsuite", check_json, where=decided)


def test_what_the_suite_leaves_open_all_backends_decide_alike(backends: Backends) -> None:
    def check_json(record: Record) -> None:
        request = post(b"/upload/", b"application/json", octets(record, "body_b64"))
        exchanges = {name: converse(backend, [request]) for name, backend in backends.items()}
        assert exchanges["socket"].responses[0].status in (200, 400)
        for name in BACKEND_NAMES:
            assert first_difference(exchanges["socket"], exchanges[name]) is None, name

    check_each("jsontestsuite", check_json, where=lambda record: not decided(record))


@BACKENDS
def test_a_form_gives_the_pairs_of_the_whatwg(backends: Backends, name: str) -> None:
    def check_form(record: Record) -> None:
        body = octets(record, "input_b64")
        got = response(backends[name], post(b"/upload/", b"application/x-www-form-urlencoded", body))
        check(got, _pair_faults(got, record["expect"], "form"), URLENCODED.get(record["id"]))

    check_each("wpt-urlencoded", check_form)


@BACKENDS
def test_a_query_gives_the_same_pairs(backends: Backends, name: str) -> None:
    def check_query(record: Record) -> None:
        target = b"/echo?" + octets(record, "input_b64")
        got = response(backends[name], b"GET %s HTTP/1.1\r\nHost: localhost:8000\r\n\r\n" % target)
        if record["id"] in URLENCODED:
            assert code_of(got) == "target_not_utf8"  # R37: as U7 is in a body
        else:
            assert not _pair_faults(got, record["expect"], "args")

    check_each("wpt-urlencoded", check_query, where=lambda record: octets(record, "input_b64").isascii())


def _json_faults(got: Response, expect: str, body: bytes) -> Sequence[str]:
    if expect == "reject":
        return ["accepted"] if got.status == 200 else []
    if got.status != 200:
        return [f"refused as {code_of(got)}"]
    value, expected = got.json()["json"], json.loads(body)
    return [] if value == expected else [f"{value!r} instead of {expected!r}"]


def _pair_faults(got: Response, expect: Sequence[Sequence[str]], key: str) -> Sequence[str]:
    if got.status != 200:
        return [f"refused as {code_of(got)}"]
    pairs = [[pair["name"], pair["value"]] for pair in got.json()[key]]
    return [] if pairs == expect else [f"{pairs} instead of {expect}"]
