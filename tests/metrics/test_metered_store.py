"""A store that is measured: each operation once, with its errors."""

from collections import Counter
from pathlib import Path

import pytest

from servers.metrics import metered_store
from servers.metrics.definitions import OPERATIONS, STORE_CODES
from servers.metrics.metered_resumables import MeteredResumable, MeteredResumables
from servers.metrics.metered_store import MeteredStore
from servers.storage.base import FileWriter, ReadableFile, Store, Upload
from servers.storage.local import LocalStore
from servers.storage.memory import MemoryStore
from servers.storage.resumable import Known, Resumables, ResumableUpload
from tests.routes.faulty_store import FaultyStore
from tests.storage.uploads import sha256


class _Notes:
    """What a store has reported."""

    def __init__(self) -> None:
        self.operations: Counter[str] = Counter()
        self.errors: Counter[tuple[str, str]] = Counter()

    def __call__(self, operation: str, seconds: float, code: str | None) -> None:
        assert seconds >= 0
        assert operation in OPERATIONS
        self.operations[operation] += 1
        if code is not None:
            assert code in STORE_CODES
            self.errors[operation, code] += 1


def test_every_operation_is_measured_once() -> None:
    notes = _Notes()
    store = MeteredStore(MemoryStore(), notes)
    with store.begin() as upload:
        writer = upload.new_file()
        writer.write(b"con")
        writer.write(b"tent")
        assert writer.close() == writer.close()
        upload.publish()
    with store.begin() as upload:
        upload.new_file().discard()
    file = store.open(sha256(b"content"))
    assert file is not None
    with file:
        assert (file.size, file.read(0, 7)) == (7, b"content")
    assert store.open("0" * 64) is None
    store.scratch().close()
    assert (store.clean(), store.expire(), store.is_writable()) == (0, 0, True)
    with store.resumables.create(Known()) as created:
        created.append(b"pie")
        created.sync()
        created.set_length(6)
    taken = store.resumables.take_over(created.id)
    assert taken is not None
    with taken:
        assert (taken.offset, taken.known.length) == (3, 6)
        taken.append(b"ces")
        assert taken.finish() == taken.known.stored
        taken.remove()
    assert store.resumables.take_over(created.id) is None
    assert store.resumables.remove_older(60) == 0
    assert notes.operations == {
        **{"create": 2, "write": 2, "close": 1, "publish": 1, "abort": 2},
        **{"open": 2, "read": 1, "scratch": 1, "clean": 1, "expire": 2},
        **{"begin": 1, "take_over": 2, "append": 2, "sync": 1, "finish": 1, "remove": 1},
    }
    assert notes.operations.keys() == set(OPERATIONS)
    assert notes.errors == {}


@pytest.mark.parametrize(
    ("protocol", "metered"),
    [
        (Store, MeteredStore),
        (Upload, metered_store.MeteredUpload),
        (FileWriter, metered_store.MeteredWriter),
        (ReadableFile, metered_store.MeteredFile),
        (Resumables, MeteredResumables),
        (ResumableUpload, MeteredResumable),
    ],
)
def test_nothing_of_a_store_is_left_to_a_default(protocol: type, metered: type) -> None:
    """A default would say, for example, that a file has no descriptor, and it would be sent slowly."""
    names = {name for name in vars(protocol) if not name.startswith("_")}
    # `discard` is that of the writer itself, and `age` follows from what is measured.
    assert names <= {*vars(metered), "discard", "age"}


def test_the_system_can_send_a_file_by_itself(tmp_path: Path) -> None:
    local = LocalStore(tmp_path)
    with local.begin() as upload:
        writer = upload.new_file()
        writer.write(b"content")
        writer.close()
        upload.publish()
    file = MeteredStore(local, _Notes()).open(sha256(b"content"))
    assert file is not None
    with file:
        assert isinstance(file.fileno(), int)


@pytest.mark.parametrize(
    ("number", "operation"), [(1, "create"), (2, "write"), (3, "close"), (4, "publish"), (0, None)]
)
@pytest.mark.parametrize(("errno", "code"), [(5, "store_unavailable"), (28, "insufficient_storage")])
def test_an_error_is_counted_and_raised_as_it_is(
    number: int, operation: str | None, errno: int, code: str
) -> None:
    error = OSError(errno, "broken")
    notes = _Notes()
    store = MeteredStore(FaultyStore(number, error), notes)
    with pytest.raises(OSError, match="broken") as raised, store.begin() as upload:
        writer = upload.new_file()
        writer.write(b"x")
        writer.close()
        upload.publish()
    assert raised.value is error
    assert notes.errors == ({(operation, code): 1} if operation else {})


def test_what_is_no_error_of_the_store_is_not_counted_as_one() -> None:
    notes = _Notes()
    store = MeteredStore(FaultyStore(2, ValueError("a bug")), notes)
    with pytest.raises(ValueError, match="a bug"), store.begin() as upload:
        upload.new_file().write(b"x")
    assert notes.operations["write"] == 1
    assert notes.errors == {}
