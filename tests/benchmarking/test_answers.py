"""Which answers and which stored files are right."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from clients.benchmarking.answers import Expected, check_answer, check_stored
from clients.benchmarking.samples import WrongAnswerError

_DIGEST = sha256(b"content").hexdigest()
_EXPECTED = Expected((("a", "1"), ("b", "2")), (("f", _DIGEST),))
_FILE = {"filename": "x", "sha256": _DIGEST}
_BY_NAME = {"form": {"b": ["2"], "a": ["1"]}, "files": {"f": [_FILE]}, "json": None}
_LISTED = {
    "form": [{"name": "b", "value": "2"}, {"name": "a", "value": "1"}],
    "files": [{"name": "f", **_FILE}],
    "json": None,
}


@pytest.mark.parametrize("answer", [_BY_NAME, _LISTED])
def test_a_right_answer_passes_in_both_shapes(answer: dict[str, Any]) -> None:
    assert check_answer(json.dumps(answer).encode(), _EXPECTED) == answer


@pytest.mark.parametrize(
    "change",
    [
        {"form": {"a": ["1"]}},
        {"form": {"a": ["1"], "b": ["3"]}},
        {"form": {"a": ["1"], "b": ["2", "2"]}},
        {"form": None},
        {"files": {}},
        {"files": {"f": [{"sha256": _DIGEST.upper()}]}},
        {"files": {"f": [_FILE, _FILE]}},
        {"files": {"g": [_FILE]}},
        {"json": {}},
    ],
)
def test_any_other_answer_is_wrong(change: dict[str, Any]) -> None:
    with pytest.raises(WrongAnswerError, match=f"^{next(iter(change))}: "):
        check_answer(json.dumps(_BY_NAME | change).encode(), _EXPECTED)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
def test_what_is_no_object_is_wrong(body: bytes) -> None:
    with pytest.raises(WrongAnswerError, match="the answer is not"):
        check_answer(body, _EXPECTED)


def test_a_stored_file_is_found_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "any").write_bytes(b"content")
    check_stored(tmp_path, 7, {_DIGEST})


@pytest.mark.parametrize("stored", [b"contenT", b"conten", b"content\n"])
def test_other_bytes_in_the_store_are_wrong(stored: bytes, tmp_path: Path) -> None:
    (tmp_path / "any").write_bytes(stored)
    with pytest.raises(WrongAnswerError, match="1 of 1 files are not stored as they were sent"):
        check_stored(tmp_path, 7, {_DIGEST})
