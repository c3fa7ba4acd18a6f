"""The setting `history`: a number or off, and by default for loopback only."""

from pathlib import Path

import pytest

from servers.settings import Settings, SettingsError
from servers.storage.memory import MemoryStore


def _read(given: str) -> Settings:
    return Settings.from_environment({"WIREPROOF_HISTORY": given})


@pytest.mark.parametrize(("given", "kept"), [("off", 0), ("OFF", 0), ("0", 0), ("1", 1), ("100000", 100_000)])
def test_the_history_is_a_number_or_off(given: str, kept: int) -> None:
    assert _read(given).history == kept


@pytest.mark.parametrize("given", ["", "on", "-1", "1.5", "100001"])
def test_another_history_is_refused_by_name(given: str) -> None:
    with pytest.raises(SettingsError, match="HISTORY"):
        _read(given)


@pytest.mark.parametrize(
    ("host", "given", "kept", "loopback_only"),
    [
        ("127.0.0.1", None, 500, True),
        ("::1", None, 500, True),
        ("localhost", None, 500, True),
        ("127.0.0.1", 20, 20, False),
        ("0.0.0.0", 20, 20, False),
        ("0.0.0.0", None, None, None),
        ("192.0.2.1", None, None, None),
        ("127.0.0.1", 0, None, None),
    ],
)
def test_the_history_is_on_by_default_on_loopback(
    tmp_path: Path, host: str, given: int | None, kept: int | None, loopback_only: bool | None
) -> None:
    settings = Settings(host, store=str(tmp_path / "store"), history=given, insecure_public=True)
    history = settings.open_history()
    if kept is None:
        assert history is None
        assert list(tmp_path.iterdir()) == []
    else:
        assert history is not None
        assert (history.most, history.loopback_only) == (kept, loopback_only)
        assert [path.name for path in tmp_path.iterdir()] == ["store.history"]


def test_by_default_a_request_to_another_address_is_not_recorded(tmp_path: Path) -> None:
    settings = Settings(store=str(tmp_path / "store"))
    context = settings.context(MemoryStore(), settings.open_history())
    assert context.arrived_at(("127.0.0.1", 80)).history is context.history
    assert context.arrived_at(("::1", 80, 0, 0)).history is context.history
    assert context.arrived_at(("192.0.2.1", 80)).history is None
    assert context.arrived_at(("fe80::1%eth0", 80, 0, 2)).history is None
    assert context.arrived_at(("a.name", 80)).history is None
    assert context.arrived_at("/run/socket").history is context.history


def test_a_store_in_memory_has_its_history_in_a_temporary_folder(tmp_path: Path) -> None:
    history = Settings(store="memory:").open_history()
    assert history is not None
    assert history.folder.is_dir()
    assert "wireproof-history-" in history.folder.name
