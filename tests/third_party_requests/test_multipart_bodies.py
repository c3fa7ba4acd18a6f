"""Multipart bodies of other parsers' tests, sent to every backend."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from clients.comparison.equality import first_difference
from clients.http1.response_parser import Response
from clients.launch import RunningBackend
from tests.conftest import BACKEND_NAMES
from tests.third_party_requests.descriptions import check, code_of, parts_of
from tests.third_party_requests.differences import OWN_MULTIPART, PYTHON_MULTIPART, WERKZEUG
from tests.third_party_requests.exchanges import converse, post, response
from tests.third_party_requests.records import Record, check_each, octets

Backends = Mapping[str, RunningBackend]
BACKENDS = pytest.mark.parametrize("name", BACKEND_NAMES)


@BACKENDS
def test_python_multipart_finds_the_same_parts(backends: Backends, name: str) -> None:
    def check_parts(record: Record) -> None:
        got = response(backends[name], octets(record, "raw_b64"))
        check(got, _faults(got, record["expect"]), PYTHON_MULTIPART.get(record["id"]))

    check_each("python-multipart", check_parts)


@BACKENDS
def test_what_browsers_sent_is_read_as_werkzeug_reads_it(backends: Backends, name: str) -> None:
    def check_parts(record: Record) -> None:
        got = response(backends[name], octets(record, "raw_b64"))
        # One record has a note instead of an expectation: it is accepted.
        expect = {"reject": False, **record["expect"]}
        check(got, _faults(got, expect), WERKZEUG.get(record["id"]))

    check_each("werkzeug", check_parts)


@BACKENDS
def test_the_recommended_outcome_is_ours(backends: Backends, name: str) -> None:
    def check_outcome(record: Record) -> None:
        request = post(b"/upload/", octets(record, "content_type_b64"), octets(record, "body_b64"))
        got = response(backends[name], request)
        check(got, _recommended_faults(got, record["recommended"]), OWN_MULTIPART.get(record["id"]))

    check_each("own-multipart", check_outcome)


def test_all_backends_read_racks_test_requests_alike(backends: Backends) -> None:
    def check_alike(record: Record) -> None:
        request = octets(record, "raw_b64")
        exchanges = {name: converse(backend, [request]) for name, backend in backends.items()}
        assert exchanges["socket"].responses[0].status in (200, 400)
        for name in BACKEND_NAMES:
            assert first_difference(exchanges["socket"], exchanges[name]) is None, name

    check_each("rack", check_alike)


def _faults(got: Response, expect: Mapping[str, Any]) -> Sequence[str]:
    """How the response differs from the parts, or from the refusal, that the other project expects."""
    if expect["reject"]:
        return [] if got.status == 400 else [f"status {got.status} instead of a refusal"]
    if got.status != 200:
        return [f"refused as {code_of(got)}"]
    faults = []
    described, expected = got.json(), expect.get("parts", [])
    entries = sorted([*described["form"], *described["files"]], key=lambda entry: int(entry["index"]))
    # `partial`: only the files were recorded.
    entries = [entry for entry in entries if "sha256" in entry] if expect.get("partial") else entries
    if "parts" in expect and len(entries) != len(expected):
        faults.append(f"{len(entries)} parts instead of {len(expected)}")
    for entry, part in zip(entries, expected, strict=False):
        faults += [
            f"{key}: {_seen(entry, key)!r} instead of {part[key]!r}"
            for key in part
            if _seen(entry, key) != part[key]
        ]
    return faults


def _seen(entry: Mapping[str, Any], key: str) -> object:
    """A member of a part, by the name that the records use."""
    if "sha256" in entry:
        return "file" if key == "type" else entry[key]
    octets_sent = entry["value"].encode()
    types = [header["value"] for header in entry["headers"] if header["name"] == "content-type"]
    return {
        "type": "field",
        "name": entry["name"],
        "filename": None,
        "content_type": types[0] if types else None,
        "size": len(octets_sent),
        "sha256": hashlib.sha256(octets_sent).hexdigest(),
    }[key]


def _recommended_faults(got: Response, recommended: Mapping[str, Any]) -> Sequence[str]:
    faults = []
    if got.status != recommended["status"]:
        faults.append(f"status {got.status} {code_of(got)} instead of {recommended['status']}")
    elif got.status != 200:
        if code_of(got) != recommended["code"]:
            faults.append(f"code {code_of(got)} instead of {recommended['code']}")
    elif "parts" in recommended:
        expected = [tuple(part) for part in recommended["parts"]]
        if parts_of(got.json()) != expected:
            faults.append(f"parts {parts_of(got.json())} instead of {expected}")
    elif len(parts_of(got.json())) != recommended["nparts"]:
        faults.append(f"{len(parts_of(got.json()))} parts instead of {recommended['nparts']}")
    return faults
