"""What the Containerfile starts runs as it says: not as root, on a root that is read-only, with one volume.

There is no container engine here. So namespaces are made by hand, in which the command and the environment of
the Containerfile meet what `podman run --read-only --tmpfs /tmp` gives them. The interpreter, the packages
and the code are those of this test.
"""

import json
import os
import re
import shutil
import signal
import site
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from clients.launch import PROJECT_ROOT, dies_with_its_parent, responds_to_healthz
from tests.hosts.network import in_network_of
from tests.patience import eventually, patient

_TEXT = (PROJECT_ROOT / "servers" / "deployment" / "Containerfile").read_text("utf-8")
_UNDER_GUNICORN = ["wireproof", "serve", "--backend", "gunicorn"]
_URL = "http://127.0.0.1:8000"
_TOKEN = "a-token-of-the-test"
# $1: a folder for the new root, $2: that of the volume, $3: the user, $4-6: interpreter, packages, code.
# What has to be made in the new root is on file systems in memory, which are then made read-only.
_ENTER = """
set -e
root="$1"; volume="$2"; user="$3"
mount --make-rprivate /
mount --bind / "$root"
mount --bind /dev "$root/dev"
mount -t tmpfs -o size=16m,mode=1777 none "$root/tmp"
mount -t tmpfs none "$root/opt"
mkdir "$root/opt/python" "$root/opt/packages" "$root/opt/code"
mount --bind "$4" "$root/opt/python"
mount --bind "$5" "$root/opt/packages"
mount --bind "$6" "$root/opt/code"
mount -t tmpfs none "$root/srv"
mkdir "$root/srv/uploads"
mount --bind "$volume" "$root/srv/uploads"
for each in opt/python opt/packages opt/code; do mount -o remount,bind,ro "$root/$each"; done
for each in opt srv; do mount -o remount,ro "$root/$each"; done
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
ip link set lo up
shift 6
exec chroot --userspec="$user" "$root" "$@"
"""

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("ip")),
    reason="namespaces need root, unshare and ip: the Containerfile is NOT tested",
)


def _instruction(name: str) -> str:
    """What follows this instruction, which is in the file once."""
    (found,) = re.findall(rf"^{name} (.*)$", _TEXT, re.MULTILINE)
    return str(found)


def _environment() -> dict[str, str]:
    lines = re.findall(r"^ENV (.*)$", _TEXT, re.MULTILINE)
    pairs = (pair.partition("=") for line in lines for pair in line.split())
    return {name: value for name, _, value in pairs}


def _here(command: list[str]) -> list[str]:
    """A command of the image with the interpreter of this test, which has another place."""
    program, *arguments = command
    modules = {"wireproof": ["-m", "clients"], "python": []}
    return ["/opt/python/bin/python3", *modules[program], *arguments]


@contextmanager
def _container(
    folder: Path, command: list[str], **more: str
) -> "Iterator[tuple[subprocess.Popen[bytes], int]]":
    """The process outside, and the process id of the server."""
    folder.chmod(0o755)
    root, volume = folder / "root", folder / "volume"
    root.mkdir()
    volume.mkdir(mode=0o700)
    user = _instruction("USER")
    os.chown(volume, *map(int, user.split(":")))
    places = [sys.base_prefix, site.getsitepackages()[0], str(PROJECT_ROOT)]
    # Where this interpreter is, in place of the PATH of the image.
    here = {"PYTHONPATH": "/opt/code:/opt/packages", "LD_LIBRARY_PATH": "/opt/python/lib"}
    environment = _environment() | here | more | {"PATH": os.environ["PATH"]}
    run = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, "sh"]
    command = [*run, str(root), str(volume), user, *places, *_here(command)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(dies_with_its_parent(command), env=environment, stdout=log, stderr=log)
    try:
        yield process, _first_child(process, folder)
    finally:
        process.kill()
        process.wait()


def _first_child(process: "subprocess.Popen[bytes]", folder: Path) -> int:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    assert eventually(lambda: process.poll() is not None or listed.read_text() != "")
    assert process.poll() is None, (folder / "log").read_text()
    return int(listed.read_text().split()[0])


def _healthcheck(server: int) -> int:
    """The exit status of the health check of the image, in the container."""
    (command,) = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", _TEXT, re.MULTILINE)
    uid, gid = _instruction("USER").split(":")
    entered = ["nsenter", f"--target={server}", "--mount", "--net", "--root"]
    run = [*entered, f"--setuid={uid}", f"--setgid={gid}", *_here(json.loads(command))]
    env = {"LD_LIBRARY_PATH": "/opt/python/lib", "PATH": os.environ["PATH"]}
    return subprocess.run(run, env=env, stderr=subprocess.DEVNULL, check=False).returncode


def _writable(server: int) -> set[str]:
    """Where file systems are mounted that this process may write to, if the modes of the files allow it."""
    rows = (line.split() for line in Path(f"/proc/{server}/mountinfo").read_text().splitlines())
    return {row[4] for row in rows if "ro" not in row[5].split(",")}


@pytest.mark.soak(seconds=10)
@pytest.mark.parametrize(
    "command", [json.loads(_instruction("CMD")), _UNDER_GUNICORN], ids=["as it is", "gunicorn"]
)
def test_the_image_needs_no_root_and_writes_to_its_volume_only(command: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    settings = {"WIREPROOF_TOKEN": _TOKEN, "WIREPROOF_SHUTDOWN_DELAY": "1"}
    with _container(tmp_path, command, **settings) as (process, server):

        def responds() -> bool:
            with in_network_of(server):
                return process.poll() is not None or responds_to_healthz("127.0.0.1", 8000)

        assert eventually(responds, 60)
        assert process.poll() is None, log.read_text()
        status = Path(f"/proc/{server}/status").read_text()
        assert re.search(r"^Uid:\s10001\s10001\s10001\s10001$", status, re.MULTILINE)
        assert re.search(r"^CapEff:\s0+$", status, re.MULTILINE)
        assert _writable(server) <= {"/dev", "/tmp", "/srv/uploads", "/proc"}
        assert _healthcheck(server) == 0
        with in_network_of(server):
            _uploads_and_reads()
        assert (tmp_path / "volume" / "store").is_dir()
        os.kill(server, getattr(signal, _instruction("STOPSIGNAL")))
        assert eventually(lambda: _healthcheck(server) != 0, 5)
        assert process.wait(patient(20)) == 0, log.read_text()


def _uploads_and_reads() -> None:
    with requests.Session() as session:
        session.trust_env = False
        assert session.put(f"{_URL}/upload/a", b"x", timeout=patient(10)).status_code == 401
        session.headers["Authorization"] = f"Bearer {_TOKEN}"
        content = os.urandom(3 << 20)
        said = session.post(f"{_URL}/upload/", files={"f": ("a", content)}, timeout=patient(30))
        assert said.status_code == 200, said.text
        assert session.get(_URL + said.json()["files"][0]["href"], timeout=patient(30)).content == content


@pytest.mark.soak(seconds=3)
def test_without_a_token_the_image_does_not_start(tmp_path: Path) -> None:
    with _container(tmp_path, json.loads(_instruction("CMD"))) as (process, _):
        assert process.wait(patient(30)) == 2
    assert "Set a token" in (tmp_path / "log").read_text()
