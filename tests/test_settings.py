"""Settings from flags and the environment (contract sections 5 and 8)."""

import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from clients.launch import PROJECT_ROOT
from servers.contract.access import LOOPBACK_HOSTS
from servers.contract.limits import Limits
from servers.contract.peers import Address, Peer
from servers.contract.tokens import Token
from servers.settings import LIMIT_NAMES, Settings, SettingsError, is_loopback, sweep
from servers.storage.local import LocalStore
from servers.storage.memory import MemoryStore
from servers.variables import PREFIX, warn_once


def _read(environ: Any = None, **given: Any) -> Settings:
    return Settings.from_environment(
        {PREFIX + name: value for name, value in (environ or {}).items()}, **given
    )


def test_without_anything_the_defaults_hold() -> None:
    assert (settings := _read()) == Settings()
    assert (settings.host, settings.durability, settings.token) == ("127.0.0.1", "safe", None)


def test_the_process_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREPROOF_PORT", "1234")
    assert Settings.from_environment().port == 1234


def test_every_setting_has_a_variable(tmp_path: Path) -> None:
    token_file = tmp_path / "tokens"
    token_file.write_text("ci upload 0123456789abcdef\n")
    token_file.chmod(0o600)
    environ = {
        **{"HOST": "::1", "PORT": "0", "STORE": "memory:", "DURABILITY": "fast", "WORKERS": "3"},
        **{"CORS_ORIGIN": "https://a.example, http://b:1,,", "SHUTDOWN_DELAY": "5", "GRACE_PERIOD": "60"},
        **{"TOKEN": "t", "HOSTS": "a, B,,", "INSECURE_PUBLIC": "1", "EXISTING_STORE": "yes", "QUIET": "1"},
        **{"LOG_JSON": "1", "PEERS": "a=http://127.0.0.1:1", "HISTORY": "7", "TOKEN_FILE": str(token_file)},
        **{"MIN_FREE": "9", "EXPIRE": "30", "METRICS": "1"},
    }
    assert environ.keys() == {setting.name.upper() for setting in fields(Settings)} - {"LIMITS"}
    assert _read(environ) == Settings(
        *("::1", 0, "memory:", "fast", 3, "t", ("a", "B")),
        insecure_public=True,
        existing_store=True,
        token_file=str(token_file),
        cors_origin=("https://a.example", "http://b:1"),
        quiet=True,
        log_json=True,
        history=7,
        peers=(Peer("a", Address("127.0.0.1", 1)),),
        min_free=9,
        expire=30,
        shutdown_delay=5,
        grace_period=60,
        metrics=True,
    )


@pytest.mark.parametrize("name", LIMIT_NAMES)
def test_every_limit_has_a_variable_and_a_flag(name: str) -> None:
    for settings in (
        _read({name.upper(): "7"}),
        _read(**{name: 7}),
        _read({name.upper(): "8"}, **{name: "7"}),
    ):
        assert getattr(settings.limits, name) == 7
        others = {limit.name for limit in fields(Limits)} - {name}
        assert all(getattr(settings.limits, other) == getattr(Limits(), other) for other in others)


def test_a_flag_overrules_its_variable_and_none_is_no_flag() -> None:
    environ = {"PORT": "1", "TOKEN": "a"}
    assert _read(environ, port=2, token=None).port == 2
    assert _read(environ, port=None, token="b").token == "b"
    assert _read(environ, port=None, token=None).port == 1


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"PORT": "http"}, "PORT is a whole number, not 'http'"),
        ({"PORT": ""}, "PORT is a whole number"),
        ({"PORT": "-1"}, "PORT is a whole number"),
        ({"PORT": "1_0"}, "PORT is a whole number"),
        ({"PORT": "\u0661"}, "PORT is a whole number"),
        ({"PORT": "65536"}, "PORT is 0 to 65535, not 65536"),
        ({"WORKERS": "0"}, "WORKERS is 1 to 1024, not 0"),
        ({"WORKERS": "1025"}, "WORKERS is 1 to 1024"),
        ({"WORKERS": "two"}, "WORKERS is a whole number"),
        ({"MAX_BODY": "16G"}, "MAX_BODY is a whole number, not '16G'"),
        ({"HEAD_TIMEOUT": "0.5"}, "HEAD_TIMEOUT is a whole number"),
        ({"DURABILITY": "none"}, "DURABILITY is 'safe' or 'fast', not 'none'"),
        ({"TOKEN": ""}, "TOKEN is empty"),
        ({"TOKEN": " "}, "TOKEN is empty"),
        ({"TOKEN": "two words"}, "other than visible ASCII"),
        ({"TOKEN": "tab\t"}, "other than visible ASCII"),
        ({"TOKEN": "line\n"}, "other than visible ASCII"),
        ({"TOKEN": "schlüssel"}, "other than visible ASCII"),
        ({"TOKEN": "octet\udcff"}, "other than visible ASCII"),
        ({"MAX_BODY": "1" * 5000}, "MAX_BODY has 5000 digits: too many"),
        ({"MAX_BODY": "1" * 19}, "MAX_BODY has 19 digits: too many"),
        ({"PORT": "0" * 5000}, "PORT has 5000 digits: too many"),
        ({"HOSTS": "a,box.local:8000"}, "HOSTS has names without ports, not 'box.local:8000'"),
        ({"HOSTS": "http://box.local"}, "HOSTS has names without ports, not 'http://box.local'"),
        ({"INSECURE_PUBLIC": "maybe"}, "INSECURE_PUBLIC is 1 or 0, not 'maybe'"),
        ({"EXISTING_STORE": "maybe"}, "EXISTING_STORE is 1 or 0, not 'maybe'"),
        ({"EXPIRE": "36501"}, "EXPIRE is 0 to 36500 days, not 36501"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(environ: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says) as raised:
        _read(environ)
    assert str(raised.value).startswith("WIREPROOF_")
    assert raised.value.exit_status == 2


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"port": 65536}, "--port is 0 to 65535, not 65536"),
        ({"workers": "two"}, "--workers is a whole number, not 'two'"),
        ({"max_body": "16G"}, "--max-body is a whole number, not '16G'"),
        ({"keep_alive_timeout": 10**9}, "--keep-alive-timeout is 0 to"),
        ({"durability": "none"}, "--durability is 'safe' or 'fast', not 'none'"),
        ({"token": ""}, "--token is empty"),
        ({"hosts": "box:1"}, "--hosts has names without ports, not 'box:1'"),
        ({"peers": "box:1"}, "--peers is NAME=URL,NAME=URL, names of letters"),
        ({"insecure_public": "maybe"}, "--insecure-public is 1 or 0, not 'maybe'"),
    ],
)
def test_a_message_names_the_flag_if_the_value_came_from_one(flags: dict[str, Any], says: str) -> None:
    """`wireproof serve` hands its flags on in variables."""
    (name,) = flags
    with pytest.raises(SettingsError) as raised:
        _read({"PORT": "1", "WORKERS": "1", name.upper(): "0"}, **flags)
    assert str(raised.value).startswith(says)
    with pytest.raises(SettingsError) as raised:
        _read({name.upper(): str(flags[name]), "SERVE_FLAGS": f"store,{name}"})
    assert str(raised.value).startswith(says)


def _warnings(caplog: pytest.LogCaptureFixture, environ: dict[str, str], **more: Any) -> list[str]:
    """What the settings warn of, each line twice if it was logged twice."""
    warn_once.cache_clear()
    caplog.clear()
    for _ in range(2):  # a server may read its settings in several places
        _read(environ, **more)
    return caplog.messages


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("WORKER", "WORKERS"),
        ("MAX_BODYSIZE", "MAX_BODY"),
        ("KEEPALIVE_TIMEOUT", "KEEP_ALIVE_TIMEOUT"),
        ("TOKNE", "TOKEN"),
        ("port", "PORT"),
        ("SERVICE_HOST", None),
        ("PORT_8000_TCP_ADDR", None),
        ("", None),
    ],
)
def test_a_variable_that_is_no_setting_gives_a_warning(
    caplog: pytest.LogCaptureFixture, variable: str, nearest: str | None
) -> None:
    hint = f"; did you mean WIREPROOF_{nearest}?" if nearest else ""
    assert _warnings(caplog, {variable: "secret", "STORE": "memory:"}) == [
        f"the variable 'WIREPROOF_{variable}' has no effect, because there is no such setting{hint}"
    ]


def test_settings_and_the_variables_of_the_tests_give_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Every name `WIREPROOF_...` in the repository, but for the placeholder of help texts."""
    listed = subprocess.run(
        [
            "git",
            "-C",
            str(PROJECT_ROOT),
            "grep",
            "-hoIE",
            r"\bWIREPROOF_[A-Z_]+\b",
            "--",
            ":!tests/test_settings.py",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is no checkout")
    used = {name.removeprefix(PREFIX) for name in listed.stdout.split()} - {"", "NAME"}
    assert {"STORE", "CORPUS", "SEED", "BUDGET"} <= used
    known = {name.upper() for name in LIMIT_NAMES} | {setting.name.upper() for setting in fields(Settings)}
    environ = dict.fromkeys(used - known, "")
    assert _warnings(caplog, environ) == []


@pytest.mark.parametrize(
    ("environ", "more", "says"),
    [
        ({"STORE": "memory:", "WORKERS": "2"}, {}, "WIREPROOF_WORKERS has no effect: a store in memory"),
        ({"STORE": "memory:"}, {"workers": 3}, "--workers has no effect: a store in memory"),
        ({"WORKERS": "3"}, {"wire": True}, "WIREPROOF_WORKERS has no effect: --wire shows one process"),
        ({"STORE": "memory:", "WORKERS": "1"}, {}, None),
        ({"STORE": "memory:"}, {}, None),
        ({}, {"wire": True}, None),
        ({"WORKERS": "3"}, {}, None),
    ],
)
def test_workers_without_effect_give_a_warning(
    caplog: pytest.LogCaptureFixture, environ: dict[str, str], more: dict[str, Any], says: str | None
) -> None:
    messages = _warnings(caplog, environ, **more)
    assert len(messages) == (says is not None)
    assert all(message.startswith(str(says)) for message in messages)


def test_the_edges_of_a_range_belong_to_it() -> None:
    assert [_read(port=port).port for port in (0, 65535)] == [0, 65535]
    assert [_read(workers=workers).workers for workers in (1, 1024)] == [1, 1024]


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("head_timeout", 1),
        ("body_idle_timeout", 1),
        ("send_timeout", 1),
        ("keep_alive_timeout", 0),
        ("body_rate_window", 0),
    ],
)
def test_a_time_is_of_no_more_than_a_year_and_of_no_seconds_only_where_that_means_something(
    name: str, least: int
) -> None:
    year = 365 * 24 * 3600
    for seconds in (least, year):
        assert getattr(_read(**{name: seconds}).limits, name) == seconds
    for seconds in (*range(least), year + 1, 10**17):
        with pytest.raises(
            SettingsError, match=f"{name.upper()} is {least} to {year} seconds, not {seconds}"
        ):
            _read({name.upper(): str(seconds)})


def test_every_time_has_bounds() -> None:
    for name in LIMIT_NAMES:
        if name.endswith(("_timeout", "_window")):
            with pytest.raises(SettingsError, match=f"{name.upper()} is [01] to"):
                _read({name.upper(): str(10**9)})


@pytest.mark.parametrize(
    ("store", "processes"), [("memory:", 1), ("MEMORY:", 1), ("store", 3), ("memory", 3), ("./memory:", 3)]
)
def test_a_store_in_memory_has_one_process(store: str, processes: int) -> None:
    """Two processes would not share it."""
    assert Settings(store=store, workers=3).processes == processes


def test_a_negative_limit_and_an_unknown_setting_are_refused() -> None:
    with pytest.raises(SettingsError, match="--max-parts is a whole number"):
        _read(max_parts=-1)
    with pytest.raises(SettingsError, match="no setting 'max_wishes'"):
        _read(max_wishes=3)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("true", True), ("YES", True), ("0", False), ("False", False), ("no", False), ("", False)],
)
def test_a_switch(text: str, value: bool) -> None:
    assert _read({"INSECURE_PUBLIC": text}).insecure_public is value


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LocalHost"])
def test_a_loopback_address_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    Settings(host=host).check_bind()


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",
        "::",
        "[::]",
        "192.168.0.1",
        "",
        "example.org",
        "localhost.example",
        "127.1",
        "127.0.0.1.evil",
    ],
)
def test_any_other_address_demands_a_token_or_an_explicit_word(host: str) -> None:
    """A name may stand for any address. Only localhost is accepted."""
    assert not is_loopback(host)
    with pytest.raises(SettingsError, match="WIREPROOF_TOKEN") as raised:
        Settings(host=host).check_bind()
    assert "WIREPROOF_INSECURE_PUBLIC" in str(raised.value)
    Settings(host=host, token="t").check_bind()
    Settings(host=host, insecure_public=True).check_bind()


def test_the_address_may_be_another_than_the_setting() -> None:
    with pytest.raises(SettingsError):
        Settings().check_bind("0.0.0.0")
    Settings(host="0.0.0.0").check_bind("127.0.0.1")


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("Box.Local", "box.local"),
        ("192.168.0.7", "192.168.0.7"),
        ("FD00:0::7", "[fd00::7]"),
        ("[fd00::7]", "[fd00::7]"),
        ("::ffff:192.168.0.7", "192.168.0.7"),
        ("fe80::7%eth0", "[fe80::7]"),
    ],
)
def test_the_host_and_the_hosts_are_names_of_the_server(host: str, ours: str) -> None:
    for settings in (_read({"HOST": host}), _read(hosts=host)):
        assert settings.access.allowed_hosts == LOOPBACK_HOSTS | {ours}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]", "::0", ""])
def test_an_address_that_stands_for_all_is_no_name(host: str) -> None:
    """Nor is an empty Host."""
    assert _read(host=host).access.allowed_hosts == LOOPBACK_HOSTS


def test_further_hosts_join_the_loopback_names() -> None:
    settings = _read({"HOSTS": "Box.Local", "TOKEN": "t"})
    assert settings.access.allowed_hosts == LOOPBACK_HOSTS | {"box.local"}
    assert settings.access.tokens == (Token.of("token", "full", "t"),)
    assert _read().access.tokens == ()


def test_the_store_is_opened_by_its_specification(tmp_path: Path) -> None:
    assert isinstance(Settings(store="memory:").open_store(), MemoryStore)
    assert isinstance(_read(store=tmp_path / "store").open_store(), LocalStore)
    with pytest.raises(SettingsError, match="ftp") as raised:
        Settings(store="ftp://h").open_store()
    assert raised.value.exit_status == 2


@pytest.mark.parametrize("place", ["", "/folder"])
def test_a_store_that_cannot_be_opened_is_named(tmp_path: Path, place: str) -> None:
    blocker = tmp_path / "file"
    blocker.write_bytes(b"")
    with pytest.raises(SettingsError, match="cannot be used") as raised:
        Settings(store=f"{blocker}{place}").open_store()
    assert str(blocker) in str(raised.value)
    assert raised.value.exit_status == 1


def test_a_store_that_cannot_be_cleaned_takes_no_uploads_either(tmp_path: Path) -> None:
    settings = Settings(store=str(tmp_path / "store"))
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "staging").write_bytes(b"")
    with pytest.raises(SettingsError, match="cannot be used") as raised:
        settings.open_store()
    assert str(tmp_path) in str(raised.value)
    assert raised.value.exit_status == 1


def test_a_store_that_has_gone_is_not_swept_and_ends_no_worker(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(store=str(tmp_path / "store"))
    store = settings.open_store()
    (tmp_path / "store").rename(tmp_path / "aside")
    assert settings.open_store() is store
    assert sweep(store) == 0
    assert "cannot be removed: its folder is missing; is its volume mounted?" in caplog.text


def test_an_existing_store_is_one_that_a_start_has_made(tmp_path: Path) -> None:
    place = tmp_path / "mounted"
    existing = Settings(store=str(place), existing_store=True)
    for _ in range(2):
        with pytest.raises(SettingsError, match="wireproof-store is missing"):
            existing.open_store()
        assert list(tmp_path.rglob("*")) == ([place] if place.exists() else [])
        place.mkdir(exist_ok=True)
    Settings(store=str(place)).open_store()
    assert isinstance(existing.open_store(), LocalStore)
    with pytest.raises(SettingsError, match="memory is always new"):
        Settings(store="memory:", existing_store=True).open_store()
