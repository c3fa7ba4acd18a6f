"""A store in a bucket under each running backend, whose workers are forked after the store was opened."""

import os
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from clients.launch import RunningBackend, start
from servers.storage.s3_place import PART
from tests.conftest import EACH_BACKEND
from tests.object_store import BUCKET, ObjectStore
from tests.patience import eventually
from tests.storage.uploads import sha256


@contextmanager
def _served(name: str, objects: ObjectStore, prefix: str) -> Iterator[RunningBackend]:
    env = objects.environ | {"WIREPROOF_STORE": f"s3://{BUCKET}/{prefix}", "WIREPROOF_WORKERS": "2"}
    with start(name, env=env) as backend:
        yield backend


@pytest.mark.parametrize("name", EACH_BACKEND)
def test_files_go_into_the_bucket_and_come_back_whole_and_in_ranges(
    name: str, object_store: ObjectStore
) -> None:
    prefix = secrets.token_hex(8)
    small, large = secrets.token_bytes(10), secrets.token_bytes(PART + 70_000)
    with _served(name, object_store, prefix) as backend:
        for _ in range(2):  # the second time they are there already
            form = {"a": ("a", small), "b": ("b", large), "c": ("c", b"")}
            response = requests.post(backend.url + "/upload/", files=form, timeout=60)
            assert [file["sha256"] for file in response.json()["files"]] == [
                *map(sha256, (small, large, b""))
            ]
        response = requests.put(backend.url + "/upload/d", data=large[1:], timeout=60)
        assert response.status_code == 200
        for content in (small, large, b"", large[1:]):
            response = requests.get(f"{backend.url}/files/{sha256(content)}", timeout=60)
            assert (response.status_code, response.content) == (200, content)
        response = requests.get(
            f"{backend.url}/files/{sha256(large)}",
            headers={"Range": f"bytes={PART - 2}-{PART + 2}"},
            timeout=60,
        )
        assert (response.status_code, response.content) == (206, large[PART - 2 : PART + 3])
        assert requests.get(backend.url + f"/files/{sha256(b'none')}", timeout=60).status_code == 404
        assert requests.get(backend.url + "/healthz", timeout=60).status_code == 200
    stored = object_store.files(prefix)
    assert sorted(stored.names()) == sorted(map(sha256, (small, large, b"", large[1:])))
    assert stored.leftovers() == []


@pytest.mark.soak(seconds=5)
@pytest.mark.parametrize("name", ["socket", "gunicorn"])
def test_eight_clients_with_one_content_leave_one_object(name: str, object_store: ObjectStore) -> None:
    prefix = secrets.token_hex(8)
    content = secrets.token_bytes(PART + 1)
    together = threading.Barrier(8)

    def put(_: int) -> int:
        together.wait(60)
        return requests.put(backend.url + "/upload/f", data=content, timeout=60).status_code

    with _served(name, object_store, prefix) as backend, ThreadPoolExecutor(8) as clients:
        assert list(clients.map(put, range(8))) == [200] * 8
    stored = object_store.files(prefix)
    assert stored.names() == [sha256(content)]
    assert stored.content(sha256(content)) == content
    assert stored.leftovers() == []


@pytest.mark.soak(seconds=40)
@pytest.mark.parametrize("name", ["socket", "gunicorn", "flask"])
def test_without_the_object_store_the_answer_is_503_until_it_is_back(name: str) -> None:
    objects = ObjectStore()
    try:
        objects.start()
        with _served(name, objects, "a") as backend:
            assert _status(backend, "PUT", "/upload/f", b"kept") == (200, None)
            objects.kill()
            assert eventually(lambda: _status(backend, "GET", "/healthz") == (503, "store_unavailable"))
            assert _status(backend, "GET", f"/files/{sha256(b'kept')}") == (503, "store_unavailable")
            assert _status(backend, "PUT", "/upload/f", b"small") == (503, "store_unavailable")
            large = os.urandom(1024) * 9 * 1024
            assert _status(backend, "PUT", "/upload/f", large) == (503, "store_unavailable")
            objects.start()
            assert eventually(lambda: _status(backend, "GET", "/healthz") == (200, None), 20)
            assert _status(backend, "GET", f"/files/{sha256(b'kept')}") == (200, None)
            assert _status(backend, "PUT", "/upload/f", large) == (200, None)
            assert sorted(objects.files("a").names()) == sorted([sha256(b"kept"), sha256(large)])
    finally:
        objects.stop()


def _status(backend: RunningBackend, method: str, path: str, body: bytes = b"") -> tuple[int, str | None]:
    with requests.request(method, backend.url + path, data=body, timeout=120) as response:
        is_problem = response.headers["Content-Type"] == "application/problem+json"
        return response.status_code, response.json()["code"] if is_problem else None
