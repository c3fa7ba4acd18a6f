"""The settings of access: the file of tokens, and the origins of pages; what SIGHUP reads again."""

import logging
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from clients.launch import LaunchError, RunningBackend, start
from servers.contract.tokens import Token
from servers.settings import Settings, SettingsError
from servers.token_file import read_again, tokens_in
from servers.variables import warn_once
from tests.patience import eventually
from tests.socket_server.client import Client, get
from tests.socket_server.process_tree import children

_OLD, _NEW, _SINGLE = "an-old-token-1234", "a-new-token-5678", "the-single-token"


def _write(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def _read(environ: Mapping[str, str]) -> Settings:
    return Settings.from_environment({f"WIREPROOF_{name}": value for name, value in environ.items()})


def test_the_tokens_of_the_file_stand_beside_the_single_one(tmp_path: Path) -> None:
    path = _write(tmp_path / "tokens", f"ci upload {_OLD}\n")
    single, named = Token.of("token", "full", _SINGLE), Token.of("ci", "upload", _OLD)
    assert _read({"TOKEN_FILE": path, "TOKEN": _SINGLE}).access.tokens == (single, named)
    assert _read({"TOKEN_FILE": path}).access.tokens == (named,)
    assert _OLD not in repr(_read({"TOKEN_FILE": path}).access)
    Settings(host="0.0.0.0", token_file=path).check_bind()


def test_a_token_of_any_visible_ascii_can_be_used() -> None:
    token = "".join(map(chr, range(0x21, 0x7F)))
    assert _read({"TOKEN": token}).token == token


def test_the_token_is_not_shown() -> None:
    assert "secret" not in repr(Settings(token="secret"))


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"TOKEN_FILE": "/no/such/file"}, "the file '/no/such/file' cannot be read: No such file"),
        ({"TOKEN_FILE": "/"}, "the file '/' cannot be read: Is a directory"),
        ({"TOKEN_FILE": ""}, "the file '' cannot be read"),
        ({"TOKEN_FILE": "/dev/null"}, "the file '/dev/null' cannot be used: it has no token"),
        ({"TOKEN_FILE": "/dev/zero"}, "the file '/dev/zero' is larger than 1048576 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_ends_the_start(environ: Mapping[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as raised:
        _read(environ)
    assert str(raised.value).startswith(f"WIREPROOF_TOKEN_FILE: {says}")


def test_a_message_about_a_line_has_its_number_and_no_token(tmp_path: Path) -> None:
    path = _write(tmp_path / "tokens", f"ci upload {_OLD}\nme {_NEW}\n")
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({}, token_file=path)
    assert str(raised.value) == (
        f"--token-file: the file '{path}' cannot be used: line 2: a line is NAME SCOPE TOKEN, but this one"
        " has 2 words"
    )


def test_the_single_token_in_the_file_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "tokens", f"ci upload {_SINGLE}\n")
    with pytest.raises(SettingsError, match="TOKEN_FILE has the token of WIREPROOF_TOKEN too"):
        _read({"TOKEN_FILE": path, "TOKEN": _SINGLE})


@pytest.mark.parametrize(("mode", "warns"), [(0o600, 0), (0o640, 0), (0o644, 1), (0o602, 1)])
def test_a_file_that_is_open_to_everybody_gives_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, warns: int
) -> None:
    warn_once.cache_clear()
    path = _write(tmp_path / "tokens", f"ci upload {_OLD}\n", mode)
    assert tokens_in(path)
    messages = [f"the file of tokens '{path}' is open to every user of this machine: chmod o= {path}"]
    assert caplog.messages == messages * warns


def test_the_file_is_read_once_and_again_when_asked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that starts later has the tokens of its parent, whatever has become of the file."""
    caplog.set_level(logging.INFO)
    log = logging.getLogger("wireproof.tests")
    path = _write(tmp_path / "tokens", f"ci upload {_OLD}\n")
    old, new = (Token.of("ci", "upload", _OLD),), (Token.of("ci", "read", _NEW),)
    assert tokens_in(path) == old
    _write(Path(path), f"ci read {_NEW}\n")
    assert tokens_in(path) == old
    read_again(path, log)
    assert tokens_in(path) == new
    for broken in ("", "ci\n", None):
        Path(path).unlink() if broken is None else _write(Path(path), broken)
        read_again(path, log)
        assert tokens_in(path) == new
    assert [record.levelname for record in caplog.records] == ["INFO", "ERROR", "ERROR", "ERROR"]
    assert caplog.messages[0] == f"1 tokens were read from '{path}'"
    assert all(text.startswith("the tokens stay as they were: the file") for text in caplog.messages[1:])


@pytest.mark.parametrize(
    "origin",
    [
        *("*", "null", "a.example", "https://*.a.example", "https://a.example/", "HTTPS://a.example"),
        *("https://a.example:443", "http://a.example:80", "https://u@a.example", "ftp://a.example"),
        *("https://a.example b", "https://\u00e4.example", "https://", "https://a:0", "https://a,null"),
    ],
)
def test_an_origin_is_exactly_what_a_browser_sends(origin: str) -> None:
    with pytest.raises(SettingsError, match="WIREPROOF_CORS_ORIGIN has origins as browsers send them"):
        _read({"CORS_ORIGIN": origin})


def test_origins_are_separated_by_commas() -> None:
    origins = "https://a.example, http://localhost:3000,,http://[::1]:8000"
    expected = {"https://a.example", "http://localhost:3000", "http://[::1]:8000"}
    assert _read({"CORS_ORIGIN": origins}).access.cors_origins == expected
    assert _read({"CORS_ORIGIN": ""}).access.cors_origins == frozenset()


def _status(backend: RunningBackend, token: str) -> int:
    with Client(backend.port) as client:
        return client.send(get("/page", f"Authorization: Bearer {token}")).response().status


@pytest.mark.parametrize("name", ["socket", "gunicorn"])
def test_sighup_reads_the_tokens_again(tmp_path: Path, name: str) -> None:
    """A file that cannot be used changes nothing, for workers that are started then too."""
    path = Path(_write(tmp_path / "tokens", f"first full {_OLD}\n"))
    with start(name, env={"WIREPROOF_TOKEN_FILE": str(path), "WIREPROOF_WORKERS": "2"}) as backend:
        assert (_status(backend, _OLD), _status(backend, _NEW)) == (200, 401)
        _write(path, f"second full {_NEW}\n")
        before = children(backend.pid)
        os.kill(backend.pid, signal.SIGHUP)
        assert eventually(lambda: not {*before} & {*children(backend.pid)}, 20)
        assert eventually(lambda: (_status(backend, _OLD), _status(backend, _NEW)) == (401, 200))
        assert f"1 tokens were read from '{path}'" in backend.log()

        _write(path, "second full\n")
        before = children(backend.pid)
        os.kill(backend.pid, signal.SIGHUP)
        assert eventually(lambda: not {*before} & {*children(backend.pid)}, 20)
        assert "the tokens stay as they were" in backend.log()
        for pid in children(backend.pid):
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: len(children(backend.pid)) == 2, 20)
        assert (_status(backend, _OLD), _status(backend, _NEW)) == (401, 200)
        log = backend.log()
    assert " token=first" in log
    assert " token=second" in log
    assert _OLD not in log
    assert _NEW not in log


@pytest.mark.parametrize("name", ["socket", "flask", "gunicorn"])
def test_a_server_does_not_start_without_its_tokens(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path / "tokens", f"ci {_OLD} upload\n")
    with pytest.raises(LaunchError) as raised:
        start(name, env={"WIREPROOF_TOKEN_FILE": path})
    assert f"Error: WIREPROOF_TOKEN_FILE: the file '{path}' cannot be used: line 1: " in str(raised.value)
    assert _OLD not in str(raised.value)
