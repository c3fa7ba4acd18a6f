"""The files of a request: kept in memory until a thread writes them, in order."""

import hashlib

import pytest

from servers.contract.request_files import RequestFiles
from servers.storage.base import StoredFile
from tests.routes.faulty_store import FaultyStore


def _digest(data: bytes) -> StoredFile:
    return StoredFile(hashlib.sha256(data).hexdigest(), len(data))


def test_nothing_reaches_the_store_before_it_is_written() -> None:
    store = FaultyStore()
    files = RequestFiles(store)
    for pieces in ((b"ab", b"c"), (), (b"d",)):
        file = files.new_file()
        for piece in pieces:
            file.write(piece)
        file.end()
    assert (store.steps, files.unwritten, files.count, files.have_begun) == ([], 4, 3, False)
    files.write()
    one = ["new_file", "write", "close"]
    assert store.steps == ["begin", *one, "new_file", "close", *one]
    assert (files.unwritten, files.have_begun) == (0, True)
    files.write()
    files.publish()
    assert store.steps[-2:] == ["close", "publish"]
    assert set(store.names()) == {_digest(content).sha256 for content in (b"abc", b"", b"d")}


def test_a_file_is_written_in_any_pieces_kept_or_not() -> None:
    store = FaultyStore()
    files = RequestFiles(store)
    file = files.new_file()
    file.write(b"a")
    files.write()
    file.write(b"b")
    with files.waiting():
        file.write(b"c")
        assert files.unwritten == 0
    file.write(b"d")
    file.end()
    assert (store.steps.count("new_file"), files.unwritten) == (1, 1)
    files.write()
    assert file.stored() == _digest(b"abcd")


def test_a_buffer_may_be_reused_at_once() -> None:
    files, buffer = RequestFiles(FaultyStore()), bytearray(b"abc")
    file = files.new_file()
    file.write(buffer)
    buffer[:] = b"xyz"
    file.end()
    files.write()
    assert file.stored() == _digest(b"abc")


def test_without_a_store_files_are_hashed_at_once() -> None:
    files = RequestFiles(None)
    file = files.new_file()
    file.write(b"ab")
    file.end()
    assert (files.unwritten, files.have_begun, files.are_stored) == (0, False, False)
    assert file.stored() == _digest(b"ab")
    files.publish()
    files.abort()


@pytest.mark.parametrize("written", [False, True])
def test_an_abort_undoes_what_was_written(written: bool) -> None:
    store = FaultyStore()
    files = RequestFiles(store)
    files.new_file().write(b"a")
    if written:
        files.write()
    files.abort()
    files.abort()
    assert (store.aborts, files.have_begun, list(store.names())) == (int(written), False, [])


@pytest.mark.parametrize("step", range(4))
def test_a_failure_of_the_store_is_raised_when_it_is_used(step: int) -> None:
    store = FaultyStore(step)
    files = RequestFiles(store)
    file = files.new_file()
    file.write(b"a")
    file.end()
    with pytest.raises(OSError, match="broken"):
        files.write()
