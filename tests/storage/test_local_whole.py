"""Content that is uploaded again: when the stored file is read, and when a note on it is enough."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from servers.storage import local_whole
from servers.storage.local import LocalStore

_CONTENT = bytes(range(256)) * 512
_SHA256 = hashlib.sha256(_CONTENT).hexdigest()
_SMALL = _CONTENT[: local_whole.LEAST - 1]

Upload = Callable[..., int]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def upload(root: Path, monkeypatch: pytest.MonkeyPatch) -> Upload:
    """Upload to a store of this durability; returns how many stored files were read for it."""
    reads = [0]
    real = hashlib.file_digest

    def counted(*arguments: Any) -> Any:
        reads[0] += 1
        return real(*arguments)

    monkeypatch.setattr(hashlib, "file_digest", counted)

    def now(durability: str, content: bytes = _CONTENT, others: int = 0) -> int:
        reads[0] = 0
        with LocalStore(root, durable=durability == "safe").begin() as upload:
            for data in (*(os.urandom(8) for _ in range(others)), content):
                writer = upload.new_file()
                writer.write(data)
                writer.close()
            upload.publish()
        return reads[0]

    return now


def _file(root: Path) -> Path:
    return root / "files" / _SHA256


@pytest.mark.parametrize("others", [0, 1])
@pytest.mark.parametrize(
    ("durabilities", "reads"),
    [
        (("safe", "safe", "safe"), [0, 0, 0]),
        (("fast", "fast", "fast"), [0, 0, 0]),
        (("safe", "fast", "safe"), [0, 0, 0]),
        (("fast", "safe", "safe"), [0, 1, 0]),
        (("fast", "fast", "safe", "fast"), [0, 0, 1, 0]),
    ],
)
def test_a_file_is_read_once_at_most_where_it_was_stored_less_safely(
    upload: Upload, durabilities: tuple[str, ...], reads: list[int], others: int
) -> None:
    """The first file of a request has no name while it is written; others are staged."""
    assert [upload(durability, others=others) for durability in durabilities] == [0, *reads[1:]]


@pytest.mark.parametrize("durability", ["safe", "fast"])
def test_a_file_that_was_written_to_is_read_and_replaced(upload: Upload, root: Path, durability: str) -> None:
    for damage in (_CONTENT[:-1] + b"!", _CONTENT[:-1], _CONTENT + b"!", b""):
        upload(durability)
        with _file(root).open("r+b") as file:  # in place, at once: within the same tick of the clock
            file.truncate(len(damage))
            file.write(damage)
        upload(durability)
        assert _file(root).read_bytes() == _CONTENT
        assert upload(durability) == 0


def test_after_a_start_of_the_machine_only_synced_files_are_trusted(
    upload: Upload, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload("fast")
    monkeypatch.setattr(local_whole, "_boot", lambda: "another-boot")
    assert upload("fast") == 1
    assert upload("fast") == 0
    upload("safe")
    monkeypatch.setattr(local_whole, "_boot", lambda: "a-third-boot")
    assert upload("fast") == 0
    assert upload("safe") == 0


@pytest.mark.parametrize("name", ["setxattr", "getxattr"])
def test_without_extended_attributes_files_are_read(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, name, refuse)
    assert [upload("safe") for _ in range(3)] == [0, 1, 1]
    monkeypatch.delattr(os, name)
    assert upload("safe") == 1


def test_a_note_that_is_no_note_is_not_trusted(upload: Upload, root: Path) -> None:
    upload("safe")
    for value in (b"", b"safe", b"safe 1", b"\xff", b"safe -1 "):
        os.setxattr(_file(root), "user.wireproof.whole", value)
        assert upload("safe") == 1


def test_where_the_system_does_not_tell_its_start_fast_files_are_read(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_whole, "_boot", lambda: "")
    assert [upload("fast") for _ in range(2)] == [0, 1]


def test_a_small_file_has_no_note(upload: Upload, root: Path) -> None:
    assert [upload("safe", _SMALL) for _ in range(2)] == [0, 1]
    assert os.listxattr(root / "files" / hashlib.sha256(_SMALL).hexdigest()) == []
