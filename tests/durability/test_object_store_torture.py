"""X07, G5 with a store in a bucket: each request to it fails once, and each system call of the server."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clients.launch import start
from servers.storage.s3_place import PART
from servers.storage.s3_session import RENEW_SECONDS
from tests.durability.failing_calls import FailingCalls
from tests.durability.failing_requests import KINDS, WAYS, FailingRequests
from tests.durability.torture import Torture
from tests.object_store import BUCKET, ObjectStore
from tests.patience import eventually
from tests.socket_server.process_tree import children

_BACKENDS = ("socket", "gunicorn")
_LARGE = PART + 100_000
# Every request of an upload, of a file that is read, and of what is removed afterwards.
_ALWAYS = {"put", "copy", "begin", "part", "complete", "head", "get", "uploads", "delete"}


@pytest.fixture(scope="module")
def objects() -> Iterator[ObjectStore]:
    with ObjectStore() as store:
        yield store


@contextmanager
def _tortured(
    name: str,
    objects: ObjectStore,
    calls: FailingCalls | FailingRequests,
    environ: dict[str, str],
    prefix: str,
) -> Iterator[Torture]:
    env = objects.environ | environ
    env |= {"WIREPROOF_STORE": f"s3://{BUCKET}/{prefix}", "WIREPROOF_WORKERS": "1", "WIREPROOF_QUIET": "1"}
    with start(name, env=env) as backend:
        if name == "gunicorn":
            assert eventually(lambda: len(children(backend.pid)) == 1)
            (calls.pid,) = children(backend.pid)
        else:
            calls.pid = backend.pid
        files = objects.files(prefix)
        settles = RENEW_SECONDS + 5.0  # what could not be removed is tried again so often
        yield Torture(backend, calls, files, takes_back=False, large=_LARGE, pooled=8, settles=settles)


def _report(name: str, torture: Torture) -> None:
    failures = sum(torture.counts.values())
    print(f"{name}: {failures} failed: {dict(torture.counts)}; uploads ended {dict(torture.statuses)}")


@pytest.mark.soak(seconds=200)
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("way", WAYS, ids=errno.errorcode.get)
@pytest.mark.parametrize("name", _BACKENDS)
def test_each_request_to_the_object_store_fails_once(name: str, way: int, objects: ObjectStore) -> None:
    requests = FailingRequests(objects.endpoint)
    try:
        environ = {"AWS_ENDPOINT_URL": requests.endpoint}
        with _tortured(
            name, objects, requests, environ, f"requests-{name}-{errno.errorcode[way]}"
        ) as torture:
            for kind in KINDS:
                torture.fail_each(kind, way)
            _report(name, torture)
            assert set(torture.counts) >= _ALWAYS
            if way != errno.EACCES:  # what is tried again succeeds
                assert set(torture.statuses) == {200}
    finally:
        requests.close()


@pytest.mark.soak(seconds=200)
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", ["recv", "send", "close", "epoll"])
@pytest.mark.parametrize("name", _BACKENDS)
def test_each_call_of_the_server_fails_once(
    name: str, kind: str, objects: ObjectStore, tmp_path: Path
) -> None:
    """The calls of our own client too. Those of obstore are not Python's."""
    calls = FailingCalls(tmp_path)
    with _tortured(name, objects, calls, calls.environment, f"calls-{name}-{kind}") as torture:
        torture.fail_each(kind, errno.ECONNRESET if kind in ("recv", "send") else errno.EIO)
        _report(name, torture)
        assert set(torture.counts) == {kind}
