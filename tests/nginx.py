"""nginx, Debian's (`apt-get install nginx-light`), on 127.0.0.1 with everything below a temporary folder."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clients.launch import HOST, free_port
from tests.patience import eventually

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin")
_CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}
}}
"""
_PLAIN = """
    server {{
        listen 127.0.0.1:{port};
{lines}
    }}
"""


@contextmanager
def nginx(folder: Path, server: str, port: int = 0) -> Iterator[int]:
    """A running nginx with these lines in its `server` block. Gives its port."""
    port = port or free_port()
    with nginx_with(folder, _PLAIN.format(port=port, lines=server), port):
        yield port


@contextmanager
def nginx_with(folder: Path, servers: str, port: int) -> Iterator[None]:
    """A running nginx with these `server` blocks, one of which listens on this port of 127.0.0.1."""
    assert NGINX is not None
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, servers=servers), "utf-8")
    command = [NGINX, "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            assert eventually(lambda: process.poll() is not None or listens(port), 10)
            assert process.poll() is None, process.communicate()[1]
            yield
        finally:
            process.terminate()
            process.wait(10)


def listens(port: int) -> bool:
    """Whether a server listens on this port of 127.0.0.1."""
    with socket.socket() as connection:
        return connection.connect_ex((HOST, port)) == 0
