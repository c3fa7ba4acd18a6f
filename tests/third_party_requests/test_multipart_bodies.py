"""Multipart bodies that other parsers are tested with, over the wire to every backend."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from clients.comparison.equality import first_difference
from clients.http1.response_parser import Response
from clients.launch import RunningBackend
from tests.conftest import BACKEND_NAMES
from tests.third_party_requests.corpus import Record, every_case, octets
from tests.third_party_requests.descriptions import check, code_of, parts_of
from tests.third_party_requests.differences import OWN_MULTIPART, PYTHON_MULTIPART, WERKZEUG
from tests.third_party_requests.exchanges import converse, post, response

Backends = Mapping[str, RunningBackend]
BACKENDS = pytest.mark.parametrize("name", BACKEND_NAMES)


@BACKENDS
@every_case("python-multipart")
def test_python_multipart_finds_the_same_parts(backends: Backends, name: str, record: Record) -> None:
    said = response(backends[name], octets(record, "raw_b64"))
    check(said, _faults(said, record["expect"]), PYTHON_MULTIPART.get(record["id"]))


@BACKENDS
@every_case("werkzeug")
def test_what_browsers_sent_is_read_as_werkzeug_reads_it(
    backends: Backends, name: str, record: Record
) -> None:
    said = response(backends[name], octets(record, "raw_b64"))
    # One case has a note in the place of an expectation: that it is accepted.
    expect = {"reject": False, **record["expect"]}
    check(said, _faults(said, expect), WERKZEUG.get(record["id"]))


@BACKENDS
@every_case("own-multipart")
def test_the_recommended_outcome_is_ours(backends: Backends, name: str, record: Record) -> None:
    request = post(b"/upload/", octets(record, "content_type_b64"), octets(record, "body_b64"))
    said = response(backends[name], request)
    check(said, _recommended_faults(said, record["recommended"]), OWN_MULTIPART.get(record["id"]))


@every_case("rack")
def test_all_backends_read_what_rack_is_tested_with_alike(backends: Backends, record: Record) -> None:
    request = octets(record, "raw_b64")
    answered = {name: converse(backend, [request]) for name, backend in backends.items()}
    assert answered["socket"].responses[0].status in (200, 400)
    for name in BACKEND_NAMES:
        assert first_difference(answered["socket"], answered[name]) is None, name


def _faults(said: Response, expect: Mapping[str, Any]) -> Sequence[str]:
    """How the answer differs from the parsed parts, or from the refusal, that a corpus case expects."""
    if expect["reject"]:
        return [] if said.status == 400 else [f"status {said.status} instead of a refusal"]
    if said.status != 200:
        return [f"refused as {code_of(said)}"]
    faults = []
    described, expected = said.json(), expect.get("parts", [])
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
    """A member of a part as the corpus calls it."""
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


def _recommended_faults(said: Response, recommended: Mapping[str, Any]) -> Sequence[str]:
    faults = []
    if said.status != recommended["status"]:
        faults.append(f"status {said.status} {code_of(said)} instead of {recommended['status']}")
    elif said.status != 200:
        if code_of(said) != recommended["code"]:
            faults.append(f"code {code_of(said)} instead of {recommended['code']}")
    elif "parts" in recommended:
        expected = [tuple(part) for part in recommended["parts"]]
        if parts_of(said.json()) != expected:
            faults.append(f"parts {parts_of(said.json())} instead of {expected}")
    elif len(parts_of(said.json())) != recommended["nparts"]:
        faults.append(f"{len(parts_of(said.json()))} parts instead of {recommended['nparts']}")
    return faults
