"""Compares a response with what a third-party request expects, or with our deliberate difference from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from clients.http1.response_parser import Response
from tests.third_party_requests.differences import Difference, Part


def parts_of(result: Mapping[str, Any]) -> list[Part]:
    """The parts that a response describes, in order of arrival."""
    entries = sorted([*result["form"], *result["files"]], key=lambda entry: int(entry["index"]))
    return [_part(entry) for entry in entries]


def _part(entry: Mapping[str, Any]) -> Part:
    if "sha256" in entry:
        return entry["name"], entry["filename"], None, entry["size"]
    return entry["name"], None, entry["value"], len(entry["value"].encode(_charset(entry)))


def _charset(field: Mapping[str, Any]) -> str:
    """The charset of the field's own Content-Type (M76), in which its bytes were sent."""
    types = [header["value"] for header in field["headers"] if header["name"] == "content-type"]
    return "iso-8859-1" if any("iso-8859-1" in value.lower() for value in types) else "utf-8"


def code_of(response: Response) -> str:
    """The code of a refusal, or "" when the request was accepted."""
    return "" if response.status == 200 else str(response.json()["code"])


def check(response: Response, faults: Sequence[str], difference: Difference | None) -> None:
    """Fail unless `faults` is empty, or the response is the listed difference.

    `faults` says how the response differs from what the other project expects.
    """
    if difference is None:
        assert not faults, "\n".join(faults)
        return
    assert faults, f"no longer differs: take it off the list ({difference.rule}: {difference.reason})"
    assert code_of(response) == difference.code, difference.reason
    if difference.parts is not None:
        assert tuple(parts_of(response.json())) == difference.parts
    for key, value in (difference.result or {}).items():
        assert response.json()[key] == value
