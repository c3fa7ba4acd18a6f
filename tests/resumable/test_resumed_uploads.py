"""An upload goes on where it broke off, by both protocols, and ends byte-exact."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clients.launch import HOST, PROJECT_ROOT
from tests.patience import eventually
from tests.resumable.conftest import PROTOCOLS, Run
from tests.resumable.cutting_proxy import cutting, random_cuts
from tests.resumable.scripted_server import Answer, Cut, ScriptedServer, repr_digest

EACH_PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)
EACH_CLIENT = pytest.mark.parametrize("client", ["socket", "requests"])


def kept(state: Path) -> list[Path]:
    return list(state.glob("*")) if state.exists() else []


@EACH_PROTOCOL
@EACH_CLIENT
def test_a_file_is_sent_in_one_request_after_its_creation(
    server: ScriptedServer, run: Run, state: Path, large: Path, protocol: str, client: str
) -> None:
    result = run(f"{server.url}/{protocol}", str(large), "--client", client)
    assert result.exit_code == 0, result.stderr
    assert server.data() == [large.read_bytes()]
    assert server.methods() == ["OPTIONS", "POST", "PATCH"]
    assert result.stdout == f"{large}: {2097153} bytes, {server.url}/{protocol}/0\n"
    assert kept(state) == []


@EACH_PROTOCOL
@EACH_CLIENT
@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_cuts_at_random_points_lose_nothing(
    server: ScriptedServer, run: Run, state: Path, large: Path, protocol: str, client: str, seed: int
) -> None:
    cuts = random_cuts(large.stat().st_size, 20, seed)
    with cutting((HOST, server.port), cuts) as proxy:
        result = run(f"{proxy.url}/{protocol}", str(large), "--client", client)
    assert result.exit_code == 0, result.stderr
    assert proxy.made == 20
    assert server.data() == [large.read_bytes()]
    assert kept(state) == []


@EACH_PROTOCOL
def test_an_upload_whose_last_response_was_lost_is_not_sent_again(
    server: ScriptedServer, run: Run, large: Path, protocol: str
) -> None:
    server.faults["PATCH"] = [Cut()]
    result = run(f"{server.url}/{protocol}", str(large))
    assert result.exit_code == 0, result.stderr
    assert server.methods() == ["OPTIONS", "POST", "PATCH", "HEAD"]
    assert server.data() == [large.read_bytes()]


def test_a_draft_upload_that_has_all_bytes_is_completed(
    server: ScriptedServer, run: Run, large: Path
) -> None:
    server.faults["PATCH"] = [Cut(after=large.stat().st_size)]
    result = run(f"{server.url}/draft", str(large))
    assert result.exit_code == 0, result.stderr
    assert server.asked[-2:] == ["HEAD /draft/0 -", f"PATCH /draft/0 {large.stat().st_size}"]
    assert server.uploads["/draft/0"].complete
    assert server.data() == [large.read_bytes()]


@pytest.mark.parametrize(
    ("protocol", "status"),
    [("tus", 409), ("tus", 423), ("tus", 460), ("tus", 500), ("draft", 409), ("draft", 500), ("draft", 503)],
)
def test_after_a_transient_refusal_the_offset_is_asked_for(
    server: ScriptedServer, run: Run, large: Path, protocol: str, status: int
) -> None:
    server.faults["PATCH"] = [Answer(status)]
    result = run(f"{server.url}/{protocol}", str(large))
    assert result.exit_code == 0, result.stderr
    assert server.methods() == ["OPTIONS", "POST", "PATCH", "HEAD", "PATCH"]
    assert server.data() == [large.read_bytes()]


@EACH_PROTOCOL
@pytest.mark.parametrize("status", [409, 423, 502])
def test_the_offset_is_asked_for_until_it_is_told(
    server: ScriptedServer, run: Run, large: Path, protocol: str, status: int
) -> None:
    server.faults["PATCH"] = [Cut(after=1 << 20)]
    server.faults["HEAD"] = [Answer(status)] * 3
    result = run(f"{server.url}/{protocol}", str(large))
    assert result.exit_code == 0, result.stderr
    assert server.methods() == ["OPTIONS", "POST", "PATCH", "HEAD", "HEAD", "HEAD", "HEAD", "PATCH"]
    assert server.data() == [large.read_bytes()]


@EACH_PROTOCOL
@pytest.mark.parametrize("status", [404, 410])
def test_an_upload_that_the_server_has_forgotten_begins_anew(
    server: ScriptedServer, run: Run, large: Path, protocol: str, status: int
) -> None:
    server.faults["PATCH"] = [Cut(after=1 << 20)]
    server.faults["HEAD"] = [Answer(status)]
    result = run(f"{server.url}/{protocol}", str(large))
    assert result.exit_code == 0, result.stderr
    assert server.data()[1] == large.read_bytes()
    assert server.methods() == ["OPTIONS", "POST", "PATCH", "HEAD", "POST", "PATCH"]


@EACH_PROTOCOL
@pytest.mark.parametrize(
    "signal_sent", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name
)
def test_another_process_goes_on_after_a_signal(
    server: ScriptedServer, run: Run, state: Path, large: Path, protocol: str, signal_sent: signal.Signals
) -> None:
    url = f"{server.url}/{protocol}"
    server.final_fields = repr_digest
    server.faults["PATCH"] = [Cut(after=1 << 20)]
    server.faults["HEAD"] = [Answer(503, (("Retry-After", "60"),))]
    command = [sys.executable, "clients/upload.py", "--resume", url, str(large)]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stderr=subprocess.DEVNULL) as process:
        assert eventually(lambda: "HEAD" in server.methods(), 20)
        process.send_signal(signal_sent)
    assert process.returncode == (130 if signal_sent == signal.SIGINT else -signal_sent)
    assert [path.stat().st_mode & 0o777 for path in kept(state)] == [0o600]
    server.asked.clear()
    result = run(url, str(large))
    assert result.exit_code == 0, result.stderr
    assert server.asked[1:] == [f"HEAD /{protocol}/0 -", f"PATCH /{protocol}/0 {1 << 20}"]
    assert f"went on at {1 << 20}, SHA-256 verified" in result.stdout
    assert server.data() == [large.read_bytes()]
    assert kept(state) == []


def test_a_file_that_was_changed_since_then_is_another_upload(
    server: ScriptedServer, run: Run, state: Path, large: Path
) -> None:
    server.always["PATCH"] = Cut(after=100)
    assert run(f"{server.url}/tus", str(large), "--retry", "0").exit_code == 3
    assert len(kept(state)) == 1
    server.always.clear()
    os.utime(large, ns=(1, 1))
    assert run(f"{server.url}/tus", str(large)).exit_code == 0
    assert server.data()[1] == large.read_bytes()


def test_a_file_that_changes_during_its_upload_is_an_error(
    server: ScriptedServer, run: Run, large: Path
) -> None:
    def changed(path: str) -> str:
        os.utime(large, ns=(1, 1))
        return path

    server.location = changed
    result = run(f"{server.url}/tus", str(large))
    assert result.exit_code == 1
    assert "was changed during its upload" in result.stderr


def test_a_folder_is_sent_whole_in_parallel_and_each_name_is_told(
    server: ScriptedServer, run: Run, tmp_path: Path
) -> None:
    contents = {f"photos/{name}": os.urandom(1000) for name in ("a.jpg", "b/c d.txt", "b/\u6587", "empty")}
    contents["photos/empty"] = b""
    for name, data in contents.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(data)
    result = run(f"{server.url}/tus", str(tmp_path / "photos"), "--parallel", "3")
    assert result.exit_code == 0, result.stderr
    told = {
        upload.metadata.get("relativePath"): (upload.metadata["filename"], bytes(upload.data))
        for upload in server.uploads.values()
    }
    assert told == {name: (name.rpartition("/")[2], data) for name, data in contents.items()}
    assert [line.partition(": ")[0] for line in result.stdout.splitlines()] == sorted(
        (str(tmp_path / name) for name in contents), key=lambda name: (name.count("/"), name)
    )


def test_the_draft_tells_the_name_and_the_length(server: ScriptedServer, run: Run, tmp_path: Path) -> None:
    path = tmp_path / 'n\u00e4me "1".txt'
    path.write_bytes(b"hello")
    assert run(f"{server.url}/draft", str(path)).exit_code == 0
    made = server.uploads["/draft/0"].fields
    assert made["content-disposition"] == (
        "inline; filename=\"n_me _1_.txt\"; filename*=UTF-8''n%C3%A4me%20%221%22.txt"
    )
    assert (made["upload-length"], made["upload-complete"], made["content-length"]) == ("5", "?0", "0")
    assert server.fields[-1]["content-type"] == "application/partial-upload"


@EACH_PROTOCOL
def test_an_empty_file_is_complete_when_it_is_made(
    server: ScriptedServer, run: Run, tmp_path: Path, protocol: str
) -> None:
    path = tmp_path / "empty"
    path.touch()
    server.final_fields = repr_digest
    result = run(f"{server.url}/{protocol}", str(path))
    assert result.exit_code == 0, result.stderr
    assert server.methods() == ["OPTIONS", "POST"]


@EACH_PROTOCOL
def test_pieces_are_no_larger_than_the_user_asks_for(
    server: ScriptedServer, run: Run, large: Path, protocol: str
) -> None:
    result = run(f"{server.url}/{protocol}", str(large), "--piece", "1M")
    assert result.exit_code == 0, result.stderr
    assert [each.rpartition(" ")[2] for each in server.asked[2:]] == ["0", "1048576", "2097152"]
    assert server.data() == [large.read_bytes()]


def test_pieces_are_no_larger_than_the_draft_server_allows(
    server: ScriptedServer, run: Run, large: Path
) -> None:
    server.limit = "max-append-size=1500000, unknown=?1, max-age=60"
    result = run(f"{server.url}/draft", str(large), "--protocol", "draft")
    assert result.exit_code == 0, result.stderr
    assert server.asked == ["POST /draft -", "PATCH /draft/0 0", "PATCH /draft/0 1500000"]
    assert server.data() == [large.read_bytes()]


def test_a_cut_between_pieces_loses_nothing(server: ScriptedServer, run: Run, large: Path) -> None:
    server.faults["PATCH"] = [Cut(after=100), Cut(), Cut(after=0), Answer(500)]
    server.final_fields = repr_digest
    result = run(f"{server.url}/tus", str(large), "--piece", "700K")
    assert result.exit_code == 0, result.stderr
    assert "SHA-256 verified" in result.stdout
    assert server.data() == [large.read_bytes()]
