"""The 58 cases of `multipart-form-data-conformance`, which nobody here wrote, through every reading.

Its expectations are language-independent data. Where this project decides otherwise the case stands below
with its rule and with what we do instead; a case that no longer differs fails.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import multipart_form_data_conformance as data_set
import pytest

from clients.comparison.cases import rule_tiers
from tests.parsers import ALL_PARSERS, Form, Part, read_form

FOLDERS = sorted(path.parent for path in data_set.get_tests_dir().glob("*/*/test.json"))
EVERY_CASE = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
EVERY_READING = pytest.mark.parametrize("reading", ALL_PARSERS)


@dataclass(frozen=True, slots=True)
class Difference:
    """By `rule` we refuse with `code`, or accept `parts`: name, filename and data of each."""

    rule: str
    reason: str
    code: str = ""
    parts: Sequence[tuple[str, str | None, bytes]] = ()


DIFFERENCES: Mapping[str, Difference] = {
    "061-lf-only-lenient": Difference(
        "M24", "lines end in CRLF: the first delimiter is none", "multipart_preamble"
    ),
    "062-mixed-endings": Difference("M26", "a header line ends in CRLF", "part_header_syntax"),
    "044-boundary-special-chars": Difference(
        "M2", "a boundary with separators must be quoted", "content_type_syntax"
    ),
    "046-whitespace-around-boundary": Difference(
        "M8", "no blanks stand round the = of a parameter", "content_type_syntax"
    ),
    "208-duplicate-headers": Difference(
        "M48", "which Content-Disposition counts is anybody's guess", "part_header_syntax"
    ),
    "085-header-folding": Difference("M68", "parsers differ on folds", "part_header_syntax"),
    "107-preamble-content": Difference("M13", "parsers differ on a preamble", "multipart_preamble"),
    "207-epilogue-content": Difference("M16", "parsers differ on an epilogue", "multipart_epilogue"),
    "023-both-filename-star": Difference("M62", "neither name is derived", "filename_conflict"),
    "210-control-chars-in-name": Difference(
        "M66", "a control character in a name is refused", "part_header_syntax"
    ),
}


def test_the_data_set_is_the_one_that_was_judged() -> None:
    assert len(FOLDERS) == 58
    assert {folder.name for folder in FOLDERS} >= DIFFERENCES.keys()
    assert {difference.rule for difference in DIFFERENCES.values()} <= rule_tiers().keys()


@EVERY_READING
@EVERY_CASE
def test_the_reading_conforms(reading: str, folder: Path) -> None:
    expected = json.loads((folder / "test.json").read_text("utf-8"))["expected"]
    form = _read(reading, folder)
    difference = DIFFERENCES.get(folder.name)
    faults = list(_faults(form, expected))
    if difference is None:
        assert not faults, faults
        return
    assert faults, "it conforms: the entry is stale"
    if difference.code:
        assert form == difference.code
    else:
        assert not isinstance(form, str)
        assert [(part.head.name, part.head.filename, part.data) for part in form] == difference.parts


def _read(reading: str, folder: Path) -> Form:
    headers = json.loads((folder / "headers.json").read_text("utf-8"))
    content_type = next(value for name, value in headers.items() if name.lower() == "content-type")
    return read_form(ALL_PARSERS[reading], content_type, [(folder / "input.raw").read_bytes()])


def _faults(form: Form, expected: Mapping[str, Any]) -> Sequence[str]:
    """What is not as the data set expects; which code a refusal has is not its matter."""
    if isinstance(form, str):
        return [] if not expected["valid"] else [f"refused as {form}"]
    if not expected["valid"]:
        return [f"accepted {len(form)} parts"]
    if len(form) != len(expected["parts"]):
        return [f"{len(form)} parts instead of {len(expected['parts'])}"]
    return [
        f"{key}: {seen!r} instead of {part[key]!r}"
        for got, part in zip(form, expected["parts"], strict=True)
        for key, seen in _as_expected(got, part).items()
        if key in part and seen != part[key]
    ]


def _as_expected(part: Part, expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part in the words of the data set."""
    filename = part.head.filename
    if "filename_star" in expected:
        # It tells the two apart; we show the one that wins (M62).
        filename = expected["filename"]
    charset = expected.get("charset") or "utf-8"
    named = expected.get("headers", {})
    return {
        "name": part.head.name,
        "filename": filename,
        "filename_star": part.head.filename,
        "content_type": part.head.content_type,
        "headers": {pair.name: pair.value for pair in part.head.headers if pair.name in named},
        "body_size": len(part.data),
        "body_text": part.data.decode(charset, "replace"),
        "body_base64": base64.b64encode(part.data).decode(),
        "body_sha256": hashlib.sha256(part.data).hexdigest(),
    }
