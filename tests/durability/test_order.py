"""X01, audit step 6: what the kernel was asked to do, in which order, before the first byte of a 2xx.

last write < fsync of the file < link < fsync of the folder < first byte of the response
"""

import http.client
import itertools
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from clients.launch import RunningBackend, start
from tests.durability.load import upload_to
from tests.durability.traced_calls import CALLS, Call, attached, calls_in, require_strace
from tests.storage.uploads import sha256

_UPLOADS = {
    "a raw PUT": (b"raw " * 5_000,),
    "one file": (b"one " * 100_000,),
    "three files": (b"first", b"second " * 60_000, b"third"),
    "the same file again": (b"one " * 100_000,),
    "a new file and two that are stored": (b"new", b"first", b"second " * 60_000),
}
_STORED_BEFORE = {"the same file again": {0}, "a new file and two that are stored": {1, 2}}


def _traced(backend: RunningBackend, log: Path) -> dict[str, list[Call]]:
    """The calls of each upload, up to the first byte of its response."""
    with attached(backend, log, ["-s", "40", "-e", f"trace={CALLS}"]):
        for contents in _UPLOADS.values():
            connection = http.client.HTTPConnection(backend.host, backend.port, timeout=60)
            assert upload_to(connection, *contents) == 200
            connection.close()
    calls = calls_in(log)
    answers = [index for index, call in enumerate(calls) if call.name in ("sendto", "sendmsg", "write")]
    answers = [-1, *(index for index in answers if '"HTTP/1.1 200 ' in calls[index].arguments)]
    assert len(answers) == len(_UPLOADS) + 1
    pieces = (calls[before + 1 : answer + 1] for before, answer in itertools.pairwise(answers))
    return dict(zip(_UPLOADS, pieces, strict=True))


def _source_of(link: Call, calls: list[Call]) -> str:
    """The path of the file that was linked: of its descriptor if it has no name, else of its name."""
    unnamed = re.search(r'"/proc/self/fd/(\d+)"', link.arguments)
    if unnamed:
        (path,) = {
            call.path
            for call in calls
            if call.arguments.startswith(f"{unnamed[1]}<")
            if call.end < link.begin
        }
        return path
    staged = re.match(r'\d+<(.*?)>, "(\d+)"', link.arguments)
    assert staged
    return f"{staged[1]}/{staged[2]}"


def _check_new_file(name: str, calls: list[Call], folder_synced: Call) -> None:
    (link,) = [call for call in calls if call.name == "linkat" and f'"{name}"' in call.arguments]
    source = _source_of(link, calls)
    last_write = max(call.end for call in calls if call.name == "write" and call.path == source)
    (sync,) = [call for call in calls if call.name == "fsync" and call.path == source]
    assert last_write < sync.begin
    assert sync.end < link.begin
    assert link.end < folder_synced.begin


def _check_stored_file(path: Path, calls: list[Call], folder_synced: Call) -> None:
    (sync,) = [call for call in calls if call.name == "fsync" and call.path == str(path)]
    assert sync.end < folder_synced.begin
    assert not [call for call in calls if call.name == "linkat" and f'"{path.name}"' in call.arguments]


@pytest.mark.parametrize("name", ["socket", "gunicorn"])
def test_everything_is_on_disk_before_the_first_byte_of_a_2xx(tmp_path: Path, name: str) -> None:
    if (why := require_strace()) is not None:
        assert os.geteuid() != 0, why
        pytest.skip(f"THE ORDER OF SYSTEM CALLS IS NOT TESTED: {why}")
    store = tmp_path / "store"
    with start(name, store=store, env={"WIREPROOF_WORKERS": "1"}) as backend:
        uploads = _traced(backend, tmp_path / "trace")
    files = store / "files"
    for kind, calls in uploads.items():
        assert not [call for call in calls if call.failed], kind
        *_, answer = calls
        folder_synced = _last(calls, lambda call: call.name == "fsync" and call.path == str(files))
        assert folder_synced.end < answer.begin, kind
        for number, content in enumerate(_UPLOADS[kind]):
            if number in _STORED_BEFORE.get(kind, ()):
                _check_stored_file(files / sha256(content), calls, folder_synced)
            else:
                _check_new_file(sha256(content), calls, folder_synced)


def _last(calls: list[Call], holds: Callable[[Call], bool]) -> Call:
    return [call for call in calls if holds(call)][-1]
