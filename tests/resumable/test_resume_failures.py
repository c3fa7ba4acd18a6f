"""What `upload --resume` does when a server refuses, lies or stays away, and for flags that make no sense."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clients.resumable.kept_transfers import kept_transfer, remove_old
from tests.resumable.conftest import PROTOCOLS, Run
from tests.resumable.scripted_server import Answer, Cut, ScriptedServer, problem, repr_digest

EACH_PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)


@EACH_PROTOCOL
def test_tries_that_get_no_further_are_bounded_and_wait_longer_each_time(
    server: ScriptedServer, run: Run, waits: list[float], large: Path, state: Path, protocol: str
) -> None:
    server.always["PATCH"] = Answer(503)
    result = run(f"{server.url}/{protocol}", str(large))
    assert result.exit_code == 1
    assert "refused: 503" in result.stderr
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]
    assert server.methods().count("PATCH") == 9
    assert len(list(state.glob("*"))) == 1


def test_a_try_that_got_further_does_not_count(
    server: ScriptedServer, run: Run, waits: list[float], large: Path
) -> None:
    server.faults["PATCH"] = [Cut(after=100)] * 30
    assert run(f"{server.url}/tus", str(large), "--retry", "1").exit_code == 0
    assert waits == []
    assert server.data() == [large.read_bytes()]


def test_a_server_says_how_long_to_wait(
    server: ScriptedServer, run: Run, waits: list[float], large: Path
) -> None:
    server.faults["PATCH"] = [problem(503, "overloaded", ("Retry-After", "7"))]
    result = run(f"{server.url}/tus", str(large))
    assert result.exit_code == 0
    assert waits == [7.0]
    assert f"{large}: retry 1 of 8 in 7 s: the response was 503" in result.stderr


def test_a_server_that_stays_away_is_unreachable_and_no_further_file_is_begun(
    server: ScriptedServer, run: Run, tmp_path: Path
) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"data")
    server.always["POST"] = Cut()
    paths = [str(tmp_path / name) for name in "abc"]
    result = run(f"{server.url}/tus", *paths, "--parallel", "1", "--retry", "0", "--protocol", "tus")
    assert result.exit_code == 3
    assert "the same command goes on with it" in result.stderr
    assert "2 more files were not begun" in result.stderr


def test_a_refusal_is_shown_in_words_and_the_other_files_are_sent(
    server: ScriptedServer, run: Run, tmp_path: Path
) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(b"data")
    server.faults["POST"] = [problem(413, "body_too_large")]
    result = run(f"{server.url}/tus", str(tmp_path / "a"), str(tmp_path / "b"), "--parallel", "1")
    assert result.exit_code == 1
    assert f"{tmp_path / 'a'}: refused: 413 Request Entity Too Large (body_too_large)" in result.stderr
    assert "--piece SIZE" in result.stderr
    assert server.data() == [b"data"]


@EACH_PROTOCOL
def test_a_file_that_is_too_large_is_not_sent(
    server: ScriptedServer, run: Run, large: Path, protocol: str
) -> None:
    server.limit = "max-size=1000"
    if protocol == "tus":
        server.options = (("Tus-Version", "1.0.0"), ("Tus-Extension", "creation"), ("Tus-Max-Size", "1000"))
    result = run(f"{server.url}/{protocol}", str(large))
    assert result.exit_code == 1
    assert "it has 2097153 bytes, and the server takes 1000" in result.stderr
    assert server.methods() == ["OPTIONS"]


def test_a_server_with_neither_protocol_is_named(server: ScriptedServer, run: Run, large: Path) -> None:
    server.options = (("Accept-Patch", "text/plain, application/*"),)
    result = run(f"{server.url}/tus", str(large))
    assert result.exit_code == 1
    assert "takes no resumable uploads" in result.stderr
    assert server.methods() == ["OPTIONS"]


def test_a_server_that_does_not_say_what_it_speaks_is_shown(
    server: ScriptedServer, run: Run, waits: list[float], large: Path
) -> None:
    server.faults["OPTIONS"] = [Answer(503), problem(401, "token_required")]
    result = run(f"{server.url}/tus", str(large))
    assert result.exit_code == 1
    assert result.stderr.startswith("refused: 401 Unauthorized (token_required)")
    server.faults["OPTIONS"] = [Answer(405)]
    assert "takes no resumable uploads: its answer to OPTIONS (405)" in run(server.url, str(large)).stderr


def test_a_server_with_both_gets_tus_and_the_choice_is_shown(
    server: ScriptedServer, run: Run, large: Path
) -> None:
    server.options = (
        ("Tus-Version", "2.0.0, 1.0.0"),
        ("Tus-Extension", "termination, creation"),
        ("Accept-Patch", "application/partial-upload"),
    )
    result = run(f"{server.url}/tus", str(large))
    assert f"{server.url}/tus speaks tus 1.0.0\n" == result.stderr
    assert server.data() == [large.read_bytes()]


@EACH_PROTOCOL
@pytest.mark.parametrize("field", ["", "x", "-1", "99999999999", "+1", "1_0"])
def test_an_offset_that_cannot_be_is_not_believed(
    server: ScriptedServer, run: Run, large: Path, protocol: str, field: str
) -> None:
    server.faults["PATCH"] = [Cut(after=100)]
    server.always["HEAD"] = Answer(200, (("Upload-Offset", field), ("Upload-Complete", "?0")))
    result = run(f"{server.url}/{protocol}", str(large), "--retry", "1")
    assert result.exit_code == 3
    assert "Upload-Offset" in result.stderr


def test_other_bytes_on_the_server_are_an_error(server: ScriptedServer, run: Run, large: Path) -> None:
    def wrong(upload: object) -> tuple[tuple[str, str], ...]:
        return (("Repr-Digest", f"sha-256=:{'A' * 43}=:"),)

    server.final_fields = wrong
    result = run(f"{server.url}/tus", str(large))
    assert result.exit_code == 1
    assert f"{large}: the server has other bytes: their SHA-256 is {'0' * 64}" in result.stderr
    server.final_fields = repr_digest
    assert "SHA-256 verified" in run(f"{server.url}/tus", str(large)).stdout


def test_the_answer_to_a_complete_draft_upload_is_final(
    server: ScriptedServer, run: Run, large: Path
) -> None:
    server.faults["PATCH"] = [problem(503, "store_unavailable", ("Upload-Complete", "?1"))]
    result = run(f"{server.url}/draft", str(large))
    assert result.exit_code == 1
    assert "store_unavailable" in result.stderr
    assert server.methods() == ["OPTIONS", "POST", "PATCH"]


@pytest.mark.parametrize("secret", ["--token=t", "--user=a:b", "--cookie=a=b", "--header=Authorization: x"])
def test_credentials_are_not_sent_to_another_origin(
    server: ScriptedServer, run: Run, large: Path, secret: str
) -> None:
    server.location = lambda path: f"http://localhost:{server.port}{path}"
    result = run(f"{server.url}/tus", str(large), secret)
    assert result.exit_code == 1
    assert "at another origin" in result.stderr
    assert server.methods() == ["OPTIONS", "POST"]


def test_an_upload_at_another_origin_is_followed_without_credentials(
    server: ScriptedServer, run: Run, large: Path
) -> None:
    server.location = lambda path: f"http://localhost:{server.port}{path}"
    assert run(f"{server.url}/tus", str(large)).exit_code == 0
    assert server.data() == [large.read_bytes()]


def test_credentials_that_come_later_are_not_sent_there_either(
    server: ScriptedServer, run: Run, large: Path
) -> None:
    server.location = lambda path: f"http://localhost:{server.port}{path}"
    server.faults["PATCH"] = [Cut(after=100)]
    assert run(f"{server.url}/tus", str(large), "--retry", "0").exit_code == 3
    server.asked.clear()
    result = run(f"{server.url}/tus", str(large), "--token", "t")
    assert result.exit_code == 1
    assert "at another origin" in result.stderr
    assert server.methods() == ["OPTIONS"]


def test_the_fields_of_the_user_are_in_every_request(server: ScriptedServer, run: Run, large: Path) -> None:
    assert run(f"{server.url}/tus", str(large), "--token", "t", "-H", "X-A: 1").exit_code == 0
    assert {(fields["authorization"], fields["x-a"]) for fields in server.fields} == {("Bearer t", "1")}


def test_two_processes_do_not_send_the_same_file(
    server: ScriptedServer, run: Run, large: Path, state: Path
) -> None:
    url = f"{server.url}/tus"
    status = large.stat()
    with kept_transfer("tus", url, str(large.resolve()), status.st_size, status.st_mtime_ns):
        result = run(url, str(large))
    assert result.exit_code == 2
    assert "another process transfers the same file now" in result.stderr
    assert run(url, str(large)).exit_code == 0


def test_without_a_writable_folder_an_upload_is_sent_and_not_kept(
    server: ScriptedServer, run: Run, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    server.faults["PATCH"] = [Cut(after=100)]
    assert run(f"{server.url}/tus", str(large)).exit_code == 0
    assert server.data() == [large.read_bytes()]


def test_what_is_kept_is_removed_after_30_days_and_a_broken_file_is_ignored(tmp_path: Path) -> None:
    with kept_transfer("a", folder=tmp_path) as kept:
        kept.keep("http://h/1")
    (path,) = tmp_path.iterdir()
    with kept_transfer("a", folder=tmp_path) as kept:
        assert kept.value == "http://h/1"
    path.write_text('{"schema": 1, "val')
    with kept_transfer("a", folder=tmp_path) as kept:
        assert kept.value is None
        kept.keep("http://h/2")
    remove_old(tmp_path)
    assert path.exists()
    os.utime(path, (1, 1))
    remove_old(tmp_path)
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "--resume needs the files"),
        (("-",), "standard input cannot"),
        (("FILE", "-F", "a=b"), "--form"),
        (("FILE", "--json", "{}"), "--json"),
        (("FILE", "-X", "PUT"), "--request"),
        (("FILE", "-o", "x"), "--output"),
        (("FILE", "--dry-run"), "--dry-run"),
        (("FILE", "-H", "Upload-Offset: 1"), "the protocol sets it"),
        (("FILE", "-H", "content-type: a/b"), "the protocol sets it"),
        (("FILE", "--piece", "0"), "is not a size"),
        (("FILE", "--piece", "8X"), "is not a size"),
        (("FILE", "--parallel", "0"), "--parallel"),
        (("EMPTY",), "has no files"),
        (("/dev/null",), "not a regular file"),
        (("MISSING",), "cannot read"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_sent(
    server: ScriptedServer, run: Run, tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    (tmp_path / "FILE").touch()
    (tmp_path / "EMPTY").mkdir()
    names = {"FILE", "EMPTY", "MISSING"}
    result = run(
        f"{server.url}/tus", *(str(tmp_path / each) if each in names else each for each in arguments)
    )
    assert result.exit_code == 2
    assert why in result.stderr
    assert server.asked == []
