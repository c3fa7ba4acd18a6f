"""The settings that gunicorn reads from servers/gunicorn_conf.py, which reads the environment."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from gunicorn.app.base import Application

from clients.launch import PROJECT_ROOT, start
from servers import descriptors
from servers.contract.limits import Limits
from servers.flask_server.gunicorn_worker import Worker
from servers.settings import Settings


class _Application(Application):  # type: ignore[misc]  # gunicorn has no types
    """Loads only the file, as `gunicorn -c` does."""

    def load_config(self) -> None:
        self.load_config_from_file(str(PROJECT_ROOT / "servers" / "gunicorn_conf.py"))


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what the loader changes. gunicorn itself reads FORWARDED_ALLOW_IPS."""
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    monkeypatch.setitem(sys.modules, "__config__", ModuleType("__config__"))
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    monkeypatch.setenv("WIREPROOF_STORE", str(tmp_path / "store"))


def loaded(monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str]) -> Any:
    for name, value in environ.items():
        monkeypatch.setenv(f"WIREPROOF_{name}", value)
    return _Application().cfg


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, ("127.0.0.1", 8000)),
        ({"HOST": "localhost", "PORT": "1234"}, ("localhost", 1234)),
        ({"HOST": "192.0.2.1", "PORT": "0"}, ("192.0.2.1", 0)),
        ({"HOST": "::1", "PORT": "1234"}, ("::1", 1234)),
        ({"HOST": "[::1]"}, ("::1", 8000)),
    ],
)
def test_address_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], address: tuple[str, int]
) -> None:
    assert loaded(monkeypatch, environ).address == [address]


@pytest.mark.parametrize(
    ("environ", "name", "value"),
    [
        ({}, "workers", 2),
        ({"WORKERS": "3"}, "workers", 3),
        ({"WORKERS": "3", "STORE": "memory:"}, "workers", 1),  # two processes would not share it
        ({}, "keepalive", 15),
        ({"KEEP_ALIVE_TIMEOUT": "7"}, "keepalive", 7),
        ({"KEEP_ALIVE_TIMEOUT": "0"}, "keepalive", 0),
        ({}, "limit_request_line", 8190),
        ({"MAX_REQUEST_LINE": "5000"}, "limit_request_line", 5000),
        ({}, "limit_request_fields", 100),
        ({"MAX_FIELDS": "50"}, "limit_request_fields", 50),
        ({}, "limit_request_field_size", 8190),
        ({"MAX_FIELD_LINE": "6000"}, "limit_request_field_size", 6000),
    ],
)
def test_numbers_are_those_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], name: str, value: int
) -> None:
    assert getattr(loaded(monkeypatch, environ), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http_parser", "python"),
        ("permit_unconventional_http_method", True),
        ("control_socket_disable", True),
        ("forwarded_allow_ips", []),
        ("forwarder_headers", []),
        ("secure_scheme_headers", {}),
    ],
)
def test_what_the_contract_needs_is_set(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    """The names are ones that gunicorn knows. It would ignore any other."""
    assert getattr(loaded(monkeypatch, {}), name) == value


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param(str(PROJECT_ROOT / "servers" / "gunicorn_conf.py"), id="file"),
        pytest.param("python:wireproof.servers.gunicorn_conf", id="installed"),
    ],
)
def test_no_application_has_to_be_named(configuration: str, tmp_path: Path) -> None:
    """From any folder. The link replaces an installation, where `servers` is a package in `wireproof`."""
    (tmp_path / "wireproof").mkdir()
    (tmp_path / "wireproof" / "servers").symlink_to(PROJECT_ROOT / "servers")
    command = [sys.executable, "-m", "gunicorn", "-c", configuration, "--check-config"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_worker_is_ours_and_may_keep_connections_that_hold_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, {})
    assert settings.worker_class is Worker
    assert settings.worker_connections > settings.threads > 1


@pytest.mark.parametrize("limit", [256, 1024, 5000, 10**6])
def test_gunicorn_leaves_descriptors_for_uploads(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(descriptors, "raise_limit", lambda wanted: min(wanted, limit))
    settings = loaded(monkeypatch, {})
    most = settings.worker_connections
    wanted = Limits().max_connections
    assert settings.threads < most <= wanted
    assert most == wanted or most + 4 * settings.threads < limit or limit < 1024


class Listener:
    """The part of a socket that `when_ready` uses."""

    def __init__(self, address: object) -> None:
        self._address = address

    def getsockname(self) -> object:
        return self._address


def test_public_address_is_refused_when_the_master_is_ready(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    when_ready = loaded(monkeypatch, {}).when_ready
    when_ready(SimpleNamespace(LISTENERS=[Listener(("127.0.0.1", 80)), Listener("/run/socket")]))
    with pytest.raises(SystemExit) as ended:
        when_ready(SimpleNamespace(LISTENERS=[Listener(("0.0.0.0", 80))]))
    assert ended.value.code == 2
    assert "'0.0.0.0' is not a loopback address" in capsys.readouterr().err


def starting(uid: int, gid: int, worker_tmp_dir: str | None = None) -> SimpleNamespace:
    """The part of an arbiter that `on_starting` uses."""
    cfg = SimpleNamespace(uid=uid, gid=gid, worker_tmp_dir=worker_tmp_dir)
    return SimpleNamespace(cfg=cfg, handle_term=None)


def test_store_is_opened_by_the_master_and_the_same_in_each_worker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loaded(monkeypatch, {}).on_starting(starting(os.geteuid(), os.getegid()))
    (tmp_path / "store").rename(tmp_path / "aside")
    (tmp_path / "store").mkdir()
    # What a worker calls. It is in the same state as a process that the master has forked.
    store = Settings.from_environment().open_store()
    assert not store.is_writable()
    assert list((tmp_path / "store").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start workers as another user")
def test_store_belongs_to_the_user_of_the_workers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        on_starting = loaded(monkeypatch, {"STORE": str(folder / "store")}).on_starting
        with pytest.raises(SystemExit):
            on_starting(starting(65534, 65534))
        assert "cannot be used: Permission denied" in capsys.readouterr().err
        (folder / "store").mkdir()
        os.chown(folder / "store", 65534, 65534)
        on_starting(starting(65534, 65534))
        owners = {(path.stat().st_uid, path.stat().st_gid) for path in (folder / "store").iterdir()}
        assert owners == {(65534, 65534)}
    assert (os.geteuid(), os.getegid()) == (0, 0)


@pytest.mark.parametrize(("store", "existing"), [("/srv/store", True), ("memory:", False)])
def test_next_master_makes_no_store(monkeypatch: pytest.MonkeyPatch, store: str, existing: bool) -> None:
    arbiter = SimpleNamespace(cfg=SimpleNamespace(env_orig={"WIREPROOF_STORE": store}))
    loaded(monkeypatch, {"STORE": store}).pre_exec(arbiter)
    assert Settings.from_environment(arbiter.cfg.env_orig).existing_store is existing


def test_without_any_temporary_folder_the_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_starting = loaded(monkeypatch, {}).on_starting
    with pytest.raises(SystemExit):
        on_starting(starting(os.geteuid(), os.getegid(), str(tmp_path / "missing")))
    assert "name one with --worker-tmp-dir" in capsys.readouterr().err


def test_nothing_is_left_in_the_home_of_the_user(tmp_path: Path) -> None:
    """By default gunicorn makes a control socket there."""
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "XDG_RUNTIME_DIR": "", "WIREPROOF_WORKERS": "1"}
    with start("gunicorn", env=env) as backend:
        pass
    assert backend.process.returncode == 0
    assert list(home.iterdir()) == []
