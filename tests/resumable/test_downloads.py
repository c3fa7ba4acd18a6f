"""A download goes on where it broke off, never mixes two versions of a file, and ends byte-exact."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clients import download
from clients.launch import PROJECT_ROOT
from tests.patience import eventually
from tests.resumable.file_server import FileServer, serving
from tests.resumable.scripted_server import Answer, Cut, problem

DATA = random.Random(9110).randbytes(1 << 20)
Get = Callable[..., Result]


@pytest.fixture
def server(state: Path) -> Iterator[FileServer]:
    with serving(DATA) as running:
        yield running


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target.bin"


@pytest.fixture
def part(target: Path) -> Path:
    return target.with_name("target.bin.part")


@pytest.fixture
def get(target: Path, server: FileServer, waits: list[float]) -> Get:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(download.main, [server.url, "-o", str(target), *arguments])

    return invoke


def test_a_file_is_downloaded_verified_and_named_at_last(
    get: Get, server: FileServer, target: Path, part: Path, state: Path
) -> None:
    result = get()
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{target}: {len(DATA)} bytes, SHA-256 verified\n"
    assert target.read_bytes() == DATA
    assert not part.exists()
    assert not list(state.glob("*"))
    assert server.asked[0]["want-repr-digest"] == "sha-256=10"


def test_twenty_cuts_at_random_points_lose_nothing(get: Get, server: FileServer, target: Path) -> None:
    rng = random.Random(20)
    server.faults = [Cut(after=rng.randrange(len(DATA) // 20)) for _ in range(20)]
    result = get()
    assert result.exit_code == 0, result.stderr
    assert target.read_bytes() == DATA
    assert len(server.asked) == 21
    assert {fields.get("if-range") for fields in server.asked[1:]} == {'"v1"'}


def test_another_process_goes_on_after_a_kill(get: Get, server: FileServer, target: Path, part: Path) -> None:
    server.faults = [Cut(after=500_000), Answer(503, (("Retry-After", "60"),))]
    command = [sys.executable, "clients/download.py", server.url, "-o", str(target)]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stderr=subprocess.DEVNULL) as process:
        assert eventually(lambda: len(server.asked) == 2, 20)
        process.send_signal(signal.SIGKILL)
    assert part.read_bytes() == DATA[:500_000]
    assert not target.exists()
    result = get()
    assert result.exit_code == 0, result.stderr
    assert server.asked[2]["range"] == "bytes=500000-"
    assert "went on at 500000, SHA-256 verified" in result.stdout
    assert target.read_bytes() == DATA


def test_a_file_that_has_changed_is_downloaded_from_its_beginning(
    get: Get, server: FileServer, target: Path
) -> None:
    server.faults = [Cut(after=500_000)]
    assert get("--retry", "0").exit_code == 3
    server.data, server.etag = DATA[::-1], '"v2"'
    result = get()
    assert result.exit_code == 0, result.stderr
    assert target.read_bytes() == DATA[::-1]
    assert "went on" not in result.stdout


@pytest.mark.parametrize("etag", [None, 'W/"v1"', "v1"])
def test_without_a_strong_etag_no_range_is_asked_for(
    get: Get, server: FileServer, target: Path, etag: str | None
) -> None:
    server.etag = etag
    server.faults = [Cut(after=500_000), Cut(after=600_000)]
    result = get()
    assert result.exit_code == 0, result.stderr
    assert [fields.get("range") for fields in server.asked] == [None] * 3
    assert target.read_bytes() == DATA


def test_a_server_without_ranges_sends_all_again(get: Get, server: FileServer, target: Path) -> None:
    server.ranges = False
    server.faults = [Cut(after=500_000)]
    assert get().exit_code == 0
    assert target.read_bytes() == DATA


def test_tries_that_get_no_further_are_bounded(get: Get, server: FileServer, waits: list[float]) -> None:
    server.etag = None
    server.faults = [Cut(after=1000)] * 20
    result = get("--retry", "3")
    assert result.exit_code == 3
    assert len(server.asked) == 4
    assert waits == [1.0, 2.0]


def test_all_bytes_that_were_there_already_are_not_asked_for_again(
    get: Get, server: FileServer, target: Path, part: Path
) -> None:
    server.faults = [Cut(after=len(DATA) - 1)]
    assert get("--retry", "0").exit_code == 3
    part.write_bytes(DATA)
    result = get()
    assert result.exit_code == 0, result.stderr
    assert server.asked[-1]["range"] == f"bytes={len(DATA)}-"
    assert f"went on at {len(DATA)}, SHA-256 verified" in result.stdout
    assert target.read_bytes() == DATA


def test_more_bytes_than_there_should_be_are_dropped(
    get: Get, server: FileServer, target: Path, part: Path
) -> None:
    server.faults = [Cut(after=1000)]
    assert get("--retry", "0").exit_code == 3
    part.write_bytes(DATA + b"more")
    assert get().exit_code == 0
    assert target.read_bytes() == DATA


def test_other_bytes_than_those_of_the_digest_are_not_kept(
    get: Get, server: FileServer, target: Path, part: Path
) -> None:
    server.faults = [Cut(after=1000)]
    assert get("--retry", "0").exit_code == 3
    part.write_bytes(b"x" * 1000)
    result = get()
    assert result.exit_code == 1
    assert f"but the server tells {hashlib.sha256(DATA).hexdigest()}" in result.stderr
    assert not part.exists()
    assert not target.exists()
    assert get().exit_code == 0


def test_bytes_of_which_nothing_is_known_are_not_continued(
    get: Get, server: FileServer, target: Path, part: Path
) -> None:
    part.write_bytes(b"x" * 1000)
    server.digest = False
    result = get()
    assert result.exit_code == 0
    assert "the server tells no SHA-256" in result.stdout
    assert target.read_bytes() == DATA


@pytest.mark.parametrize(
    "content_range", ["bytes 0-10/11", "bytes 1001-2000/3000", "bytes x", "", "bytes 1000-1010/*, a"]
)
def test_another_range_than_that_asked_for_is_an_error(
    get: Get, server: FileServer, target: Path, content_range: str
) -> None:
    server.faults = [Cut(after=1000), Answer(206, (("Content-Range", content_range),), b"x" * 11)]
    result = get()
    assert result.exit_code == 1
    assert "another range than bytes=1000-" in result.stderr
    assert not target.exists()


def test_a_range_of_another_version_is_not_mixed_in(get: Get, server: FileServer, target: Path) -> None:
    other = Answer(206, (("Content-Range", "bytes 1000-1010/1011"), ("ETag", '"v2"')), b"x" * 11)
    server.faults = [Cut(after=1000), other]
    assert get().exit_code == 0
    assert target.read_bytes() == DATA


def test_a_refusal_is_shown_in_words_and_writes_no_file(
    get: Get, server: FileServer, target: Path, part: Path
) -> None:
    server.faults = [problem(404, "not_found")]
    result = get()
    assert result.exit_code == 1
    assert "refused: 404 Not Found (not_found)" in result.stderr
    assert not target.exists()
    assert not part.exists()


def test_a_coding_that_was_not_asked_for_is_refused(get: Get, server: FileServer) -> None:
    server.more_fields = (("Content-Encoding", "gzip"),)
    result = get()
    assert result.exit_code == 1
    assert "in the coding gzip" in result.stderr


def test_a_folder_that_cannot_be_written_is_an_error(server: FileServer, tmp_path: Path) -> None:
    for output, why in [(tmp_path, "it is a folder"), (tmp_path / "no" / "file", "No such file")]:
        result = CliRunner().invoke(download.main, [server.url, "-o", str(output)])
        assert result.exit_code == 2
        assert why in result.stderr
    assert server.asked == []


def test_the_name_comes_from_the_url(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(download.main, [server.url + "?a=/b"]).exit_code == 0
    assert (tmp_path / "file.bin").read_bytes() == DATA
    assert CliRunner().invoke(download.main, [f"http://127.0.0.1:{server.port}/"]).exit_code == 2


@pytest.mark.parametrize("flag", ["Range: bytes=0-", "If-Range: x", "accept-encoding: gzip"])
def test_fields_of_the_download_cannot_be_given(get: Get, server: FileServer, flag: str) -> None:
    result = get("-H", flag)
    assert result.exit_code == 2
    assert server.asked == []
