"""The wheel holds one package, `wireproof`, which works away from any checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

_PROJECT = Path(__file__).resolve().parent.parent
_IN_THE_WHEEL = ("clients", "servers", "sample_files", "LICENSE", "README.md", "pyproject.toml")


def run(command: Sequence[str | Path], folder: Path) -> str:
    """What a command prints; nothing of this checkout or its environment is visible to it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, because building writes beside its sources."""
    source = tmp_path_factory.mktemp("source")
    for name in _IN_THE_WHEEL:
        path = _PROJECT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source / name)
    run([*_pip(sys.executable), "wheel", "--no-deps", "--wheel-dir", source / "dist", source], source)
    (built,) = (source / "dist").glob("wireproof-*.whl")
    return built


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel, which finds the dependencies where this one has them."""
    folder = tmp_path_factory.mktemp("installation")
    _install(wheel, folder, "--no-deps")
    dependencies = sysconfig.get_path("purelib")
    (_site_packages(folder) / "dependencies.pth").write_text(f"{dependencies}\n")
    return folder


def _install(wheel: Path, folder: Path, *options: str) -> None:
    run([sys.executable, "-m", "venv", folder], folder)
    before = set(_site_packages(folder).iterdir())
    run([*_pip(folder / "bin" / "python"), "install", *options, wheel], folder)
    if options:
        added = {path.name.partition("-")[0] for path in set(_site_packages(folder).iterdir()) - before}
        assert added == {"wireproof"}


def _pip(python: str | Path) -> list[str | Path]:
    return [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]


def _site_packages(environment: Path) -> Path:
    (folder,) = environment.glob("lib/python*/site-packages")
    return folder


@pytest.mark.soak(seconds=60)
@pytest.mark.timeout(600)
def test_the_installed_command_compares_the_backends(installation: Path, tmp_path: Path) -> None:
    backends = "socket,flask,gunicorn"
    wireproof = installation / "bin" / "wireproof"
    printed = run([wireproof, "compare", "--backends", backends, "--cases", "boundary-q*"], tmp_path)
    assert "socket, flask and gunicorn agree" in printed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.soak(seconds=180)
@pytest.mark.timeout(900)
def test_the_wheel_brings_its_dependencies_and_compares_all_cases(wheel: Path, tmp_path: Path) -> None:
    _install(wheel, tmp_path)
    printed = run([tmp_path / "bin" / "wireproof", "compare"], tmp_path)
    assert "socket, flask and gunicorn agree" in printed


@pytest.mark.timeout(600)
def test_every_sub_command_is_installed(installation: Path, tmp_path: Path) -> None:
    wireproof = installation / "bin" / "wireproof"
    listed = run([wireproof, "--help"], tmp_path).partition("Commands:")[2]
    names = [line.split()[0] for line in listed.splitlines() if line[:2] == "  " and line[2:3].strip()]
    programs = "serve two-hosts upload download stream replay compare fuzz benchmark matrix cases streamlit"
    assert names == programs.split()
    for name in names:
        assert run([wireproof, name, "--help"], tmp_path).startswith(f"Usage: wireproof {name} ")


@pytest.mark.timeout(600)
def test_the_recorded_requests_are_found_in_an_installation(installation: Path, tmp_path: Path) -> None:
    program = "from wireproof.servers.web import recorded; print(recorded.count())"
    counted = run([installation / "bin" / "python", "-c", program], tmp_path)
    assert int(counted) == len(list((_PROJECT / "sample_files" / "requests").glob("*/*.json")))


@pytest.mark.timeout(600)
def test_the_version_is_that_of_the_project(installation: Path, tmp_path: Path) -> None:
    printed = run([installation / "bin" / "wireproof", "--version"], tmp_path)
    assert f'version = "{printed.split()[-1]}"' in (_PROJECT / "pyproject.toml").read_text("utf-8")


_OPEN_THE_PAGE = """
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file(sys.argv[1], default_timeout=120).run()
page.button(key="send").click().run()
print(page.exception, [heading.value for heading in page.subheader])
"""


@pytest.mark.timeout(600)
def test_the_streamlit_page_is_installed_with_its_settings(installation: Path, tmp_path: Path) -> None:
    clients = _site_packages(installation) / "wireproof" / "clients"
    assert 'address = "127.0.0.1"' in (clients / ".streamlit" / "config.toml").read_text("utf-8")
    pytest.importorskip("streamlit", reason="without the extra 'streamlit' its page is NOT tested")
    python = installation / "bin" / "python"
    printed = run([python, "-c", _OPEN_THE_PAGE, clients / "streamlit_page.py"], tmp_path)
    assert "ElementList()" in printed
    assert "200', 'The 215 bytes that were sent to socket" in printed


_USES_THE_PLUGIN = """
import urllib.request

def test_it(upload_server):
    request = urllib.request.Request(upload_server.url, b"hello", method="PUT")
    urllib.request.urlopen(request).close()
    assert upload_server.uploads[-1].wire.endswith(b"hello")
    assert upload_server.uploads[-1].status == 200
"""


@pytest.mark.timeout(600)
def test_the_pytest_plugin_works_in_another_project(installation: Path, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(_USES_THE_PLUGIN)
    python = installation / "bin" / "python"
    assert "1 passed" in run([python, "-m", "pytest", "-p", "no:cacheprovider", tmp_path], tmp_path)


@pytest.mark.timeout(600)
def test_the_files_for_a_deployment_are_in_an_installation(installation: Path) -> None:
    folder = _site_packages(installation) / "wireproof" / "servers" / "deployment"
    assert {path.name for path in folder.iterdir()} == {
        path.name for path in (_PROJECT / "servers" / "deployment").iterdir()
    }
