"""The command line: what cannot be used gives one sentence and an exit status (contract section 8).

The status is 2 for a value that no machine could use, and 1 for what this machine does not allow.
"""

import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from clients.launch import free_port, start
from servers.contract.limits import Limits
from servers.settings import LIMIT_NAMES
from servers.socket_upload import main
from tests.patience import eventually
from tests.socket_server.client import Client, get, request

_PROJECT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default store is a folder of the working directory."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        yield port


def _refused(*flags: str, env: dict[str, str] | None = None, status: int = 2) -> str:
    """The error message of a server with these flags, which must not start."""
    result = CliRunner().invoke(main, list(flags), env=env)
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    message = re.search(r"Error: (.+)", result.output, re.DOTALL)
    assert message is not None
    return " ".join(message[1].split())


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--port", "http"], "'http' is not a valid integer"),
        (["--port", "65536"], "--port is 0 to 65535, not 65536"),
        (["--port", "-1"], "--port is a whole number, not '-1'"),
        (["--workers", "0"], "--workers is 1 to 1024, not 0"),
        (["--durability", "maybe"], "--durability is 'safe' or 'fast', not 'maybe'"),
        (["--token", ""], "--token is empty"),
        (["--max-body", "-5"], "--max-body is a whole number, not '-5'"),
        (["--max-body", "1e9"], "'1e9' is not a valid integer"),
        (["--no-such-flag"], "No such option"),
        (["extra"], "unexpected extra argument"),
        (["--store", "ftp://host/"], "unknown store scheme ftp"),
        (["--store", ""], "a store needs a path"),
        (["--host", "0.0.0.0"], "'0.0.0.0' is not a loopback address"),
        (["--host", "::"], "'::' is not a loopback address"),
    ],
)
def test_a_bad_flag_is_named(flags: list[str], says: str) -> None:
    port = [] if "--port" in flags else ["--port", "0"]
    assert says in _refused(*flags, *port)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--store", "/proc/none/store"], "the store '/proc/none/store' cannot be used"),
        (["--host", "no.such.host.invalid", "--token", "t"], "cannot listen on no.such.host.invalid port"),
        (["--host", "a..b", "--token", "t"], "cannot listen on a..b port"),
        (["--host", "192.0.2.1", "--token", "t"], "cannot listen on 192.0.2.1 port"),
    ],
)
def test_what_the_machine_does_not_allow_is_no_wrong_usage(flags: list[str], says: str) -> None:
    assert says in _refused(*flags, "--port", "0", status=1)


def test_a_port_that_is_taken_is_named(taken_port: int) -> None:
    assert f"cannot listen on 127.0.0.1 port {taken_port}: Address already in use" in _refused(
        "--port", str(taken_port), status=1
    )


def test_a_store_that_cannot_be_cleaned_is_named(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "staging").write_bytes(b"")
    said = _refused("--store", str(tmp_path / "store"), "--port", "0", status=1)
    assert f"the store '{tmp_path}/store' cannot be used: " in said


def test_a_bad_variable_is_named() -> None:
    assert "WIREPROOF_WORKERS is a whole number, not 'many'" in _refused(env={"WIREPROOF_WORKERS": "many"})
    assert "WIREPROOF_MAX_BODY has 5000 digits: too many" in _refused(env={"WIREPROOF_MAX_BODY": "9" * 5000})
    assert "WIREPROOF_INSECURE_PUBLIC is 1 or 0" in _refused(env={"WIREPROOF_INSECURE_PUBLIC": "perhaps"})


def test_another_address_is_refused_with_the_way_out() -> None:
    message = _refused("--host", "0.0.0.0", "--port", "0")
    assert "WIREPROOF_TOKEN" in message
    assert "--token" in message
    assert "--insecure-public" in message
    assert "WIREPROOF_INSECURE_PUBLIC=1" in message


def test_help_names_each_flag_with_its_default() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    shown = " ".join(result.output.split())
    for name in LIMIT_NAMES:
        flag = "--" + name.replace("_", "-")
        assert f"{flag} N [default: {getattr(Limits(), name)}]" in shown
    for flag in ("--host", "--port", "--store", "--durability", "--workers", "--token", "--hosts", "--wire"):
        assert flag in shown


def _version() -> str:
    result = CliRunner().invoke(main, ["--version"], prog_name="socket_upload.py")
    assert result.exit_code == 0
    return result.output


def test_the_version_of_a_checkout_is_its_own_whatever_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    project = tomllib.loads((_PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    monkeypatch.setattr(metadata, "version", lambda name: f"another {name}")
    assert _version() == f"socket_upload.py {project['version']}\n"


def test_the_version_of_an_installation_is_that_of_its_metadata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("servers.contract.version._PROJECT_FILE", tmp_path / "pyproject.toml")
    monkeypatch.setattr(metadata, "version", {"wireproof": "1.2.3"}.__getitem__)
    assert _version() == "socket_upload.py 1.2.3\n"


def test_the_process_itself_ends_with_status_2() -> None:
    command = [sys.executable, str(_PROJECT / "servers" / "socket_upload.py"), "--port", "99999"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "Error: --port is 0 to 65535, not 99999\n"


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("stdout", [">/dev/full", ">&-"], ids=["full", "closed"])
def test_a_standard_output_that_takes_nothing_ends_nothing(stdout: str, workers: str, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, str(_PROJECT / "servers" / "socket_upload.py"), "--port", str(port)]
    command += ["--workers", workers, "--store", str(tmp_path / "store")]
    with subprocess.Popen(["sh", "-c", f'exec "$@" {stdout}', "sh", *command]) as server:
        try:
            assert eventually(lambda: _serves(port), 20)
        finally:
            server.terminate()
        assert server.wait(20) == 0


def _serves(port: int) -> bool:
    try:
        with Client(port) as client:
            return client.send(get()).response().status == 200
    except ConnectionRefusedError:
        return False


def test_flags_and_variables_reach_the_server() -> None:
    """A limit and a host name are given as flags, the token as a variable."""
    env = {"WIREPROOF_TOKEN": "secret", "WIREPROOF_WORKERS": "1"}
    with start("socket", flags=["--max-body", "5", "--hosts", "box.local"], env=env) as backend:
        with Client(backend.port) as client:
            authorized = "Authorization: Bearer secret"
            client.send(get("/"), get("/", authorized), get("/healthz"))
            assert [response.status for response in client.responses(3)] == [401, 200, 200]
            private = get("/files/" + "0" * 64, authorized)
            client.forget().send(
                private.replace(b"localhost", b"box.local"), private.replace(b"localhost", b"evil")
            )
            assert [response.status for response in client.responses(2)] == [404, 421]
            assert (
                client.forget().send(request("POST", "/", authorized, body=b"123456")).response().status
                == 413
            )
        assert f"wireproof socket server on {backend.url} (store: {backend.store})\n" in backend.log()


def test_what_an_interrupted_upload_left_is_removed_at_the_start(tmp_path: Path) -> None:
    left = tmp_path / "store" / "staging" / ("1-" + "0" * 32)
    left.mkdir(parents=True)
    (left / "0").write_bytes(b"half a file")
    with start("socket", store=tmp_path / "store", flags=["--workers", "1"]) as backend:
        assert not left.exists()
        assert eventually(lambda: "Removed 1 leftovers of interrupted uploads" in backend.log())
