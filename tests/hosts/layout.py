"""Two hosts of the application, an object store on a third one, and a proxy in front of the two.

The proxy is what `servers/deployment` has, with the addresses of these hosts and quicker checks.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from clients.launch import PROJECT_ROOT, RunningBackend, dies_with_its_parent, spawn
from tests.hosts.network import ADDRESSES, Network
from tests.nginx import NGINX
from tests.object_store import BUCKET, ObjectStore
from tests.patience import eventually, patient
from tests.test_behind_tls import HAPROXY, replaced

HOSTS: Final = ("one", "two")
PORT: Final = 8000
URL: Final = f"http://{ADDRESSES['proxy']}:{PORT}"
_DEPLOYMENT: Final = PROJECT_ROOT / "servers" / "deployment"
# More than two of the checks below and the time that haproxy needs for them.
_DELAY_SECONDS: Final = 3
_NGINX_AROUND = """
daemon off;
pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{text}
}}
"""


@dataclass
class Layout:
    """What runs. `hosts` are the servers by the names of their hosts, `more` are variables for them."""

    network: Network
    store: ObjectStore
    folder: Path
    kinds: tuple[str, str]
    prefix: str
    hosts: dict[str, RunningBackend] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start the server of a host, and wait until it is ready."""
        kind = self.kinds[HOSTS.index(name)]
        address = ADDRESSES[name]
        flags = ("--host", address) if kind == "socket" else ("--bind", f"{address}:{PORT}")
        env = {
            **self.store.environ,
            "WIREPROOF_STORE": f"s3://{BUCKET}/{self.prefix}",
            "WIREPROOF_HOSTS": ADDRESSES["proxy"],
            "WIREPROOF_INSECURE_PUBLIC": "1",
            "WIREPROOF_SHUTDOWN_DELAY": str(_DELAY_SECONDS),
            **self.more,
        }
        with self.network.entered(name):
            self.hosts[name] = backend = spawn(kind, env=env, flags=flags, port=PORT)
            backend.wait_until_ready()

    def restart(self, name: str) -> None:
        """What a service manager does: SIGTERM, wait, start again."""
        backend = self.hosts[name]
        backend.process.terminate()
        assert backend.process.wait(patient(60)) == 0, backend.log()
        backend.stop()
        self.start(name)

    def kill(self, name: str) -> None:
        """The host's processes end at once."""
        os.killpg(self.hosts[name].pid, signal.SIGKILL)
        self.hosts[name].stop()

    def stop(self) -> None:
        """End both servers."""
        for backend in self.hosts.values():
            backend.stop(0.1)

    def knows(self, name: str) -> bool:
        """Whether haproxy gives requests to this host."""
        path = self.folder / "haproxy.sock"
        if not path.exists():
            return False
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(path))
            control.sendall(b"show stat\n")
            rows = b"".join(iter(lambda: control.recv(65536), b"")).decode("ascii").splitlines()
        columns = rows[0].removeprefix("# ").split(",")
        (row,) = (row.split(",") for row in rows if row.startswith(f"hosts,{name},"))
        return row[columns.index("status")] == "UP"


@contextmanager
def behind_haproxy(layout: Layout) -> Iterator[None]:
    """haproxy in front of the two, until the end of the context."""
    text = replaced(
        (_DEPLOYMENT / "haproxy.cfg").read_text("utf-8"),
        ("192.0.2.11:8000 tcp-ut 20s", f"{ADDRESSES['one']}:{PORT} tcp-ut 4s"),
        ("192.0.2.12:8000 tcp-ut 20s", f"{ADDRESSES['two']}:{PORT} tcp-ut 4s"),
        ("inter 1s", "inter 300ms"),
    )
    config = layout.folder / "haproxy.cfg"
    config.write_text(f"global\n    stats socket {layout.folder}/haproxy.sock\n{text}", "utf-8")
    with _proxy(layout, [str(HAPROXY), "-db", "-f", str(config)]):
        assert eventually(lambda: all(map(layout.knows, layout.hosts)), 20)
        yield


@contextmanager
def behind_nginx(layout: Layout) -> Iterator[None]:
    """nginx in front of the two, until the end of the context."""
    text = replaced(
        (_DEPLOYMENT / "nginx.conf").read_text("utf-8"),
        ("192.0.2.11", ADDRESSES["one"]),
        ("192.0.2.12", ADDRESSES["two"]),
        ("proxy_send_timeout 60s", "proxy_send_timeout 5s"),
        ("proxy_read_timeout 60s", "proxy_read_timeout 5s"),
    )
    config = layout.folder / "nginx.conf"
    config.write_text(_NGINX_AROUND.format(folder=layout.folder, text=text), "utf-8")
    with _proxy(layout, [str(NGINX), "-c", str(config), "-e", f"{layout.folder}/error.log"]):
        yield


PROXIES: Final = [
    pytest.param(
        behind_haproxy,
        id="haproxy",
        marks=pytest.mark.skipif(HAPROXY is None, reason="haproxy is NOT tested"),
    ),
    pytest.param(
        behind_nginx, id="nginx", marks=pytest.mark.skipif(NGINX is None, reason="nginx is NOT tested")
    ),
]


@contextmanager
def _proxy(layout: Layout, command: list[str]) -> Iterator[None]:
    said = layout.folder / "proxy.log"
    with (
        layout.network.entered("proxy"),
        said.open("wb") as log,
        subprocess.Popen(
            dies_with_its_parent(command), stdout=log, stderr=log, start_new_session=True
        ) as process,
    ):
        try:
            assert eventually(lambda: process.poll() is not None or _accepts(), 10)
            assert process.poll() is None, said.read_text()
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            assert eventually(lambda: not _accepts()), "a process of the proxy is left"


def _accepts() -> bool:
    with socket.socket() as connection:
        return connection.connect_ex((ADDRESSES["proxy"], PORT)) == 0
