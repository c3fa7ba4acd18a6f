"""Two hosts of the application on one object store: equal answers, no false 2xx, restarts without a loss."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
import requests

from tests.hosts.layout import HOSTS, PROXIES, URL, Layout, behind_haproxy
from tests.hosts.load import Load
from tests.hosts.network import ADDRESSES, Network
from tests.object_store import ObjectStore
from tests.patience import eventually, patient

_Behind = Callable[[Layout], AbstractContextManager[None]]
_PAIRS = [("socket", "socket"), ("gunicorn", "gunicorn"), ("socket", "gunicorn")]
_PREFIXES = (f"hosts{number}" for number in itertools.count())
_ROUNDS = 2
# More than all buffers on the way from the client to the host.
_TWO_HALVES = 4 << 20


@pytest.fixture(scope="module")
def _machines() -> Iterator[tuple[Network, ObjectStore]]:
    """The network, and the object store on its own host."""
    with Network() as network:
        with network.entered("store"):
            store = ObjectStore(ADDRESSES["store"])
            store.__enter__()
        try:
            yield network, store
        finally:
            store.stop()


@pytest.fixture
def _layout(
    request: pytest.FixtureRequest, _machines: tuple[Network, ObjectStore], tmp_path: Path
) -> Iterator[Layout]:
    network, store = _machines
    layout = Layout(network, store, tmp_path, request.param, next(_PREFIXES))
    try:
        for name in HOSTS:
            layout.start(name)
        yield layout
    finally:
        layout.stop()


# Behind nginx one pair has both servers.
_RESTARTED = [
    pytest.param(pair, *proxy.values, id=f"{'+'.join(pair)}-{proxy.id}", marks=proxy.marks)
    for pair in _PAIRS
    for proxy in PROXIES
    if proxy.id == "haproxy" or pair == ("socket", "gunicorn")
]


def _pairs(*pairs: tuple[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("_layout", pairs, ids="+".join, indirect=True)


@contextmanager
def _session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.soak(seconds=8)
@pytest.mark.parametrize("behind", PROXIES)
@_pairs(*_PAIRS)
def test_both_hosts_give_equal_answers_and_read_what_the_other_has_stored(
    _layout: Layout, behind: _Behind
) -> None:
    contents = [os.urandom(size) for size in (1, 70_000, 7 << 20)]
    with behind(_layout):
        for content in contents:
            digest = sha256(content).hexdigest()
            answers = [_new("PUT", "/upload/a.bin", content) for _ in range(4)]
            assert len({(said.status_code, said.content) for said in answers}) == 1
            assert answers[0].json()["files"][0]["sha256"] == digest
            whole = [_new("GET", f"/files/{digest}") for _ in range(4)]
            assert {said.content for said in whole} == {content}
            at = len(content) // 3
            parts = [_new("GET", f"/files/{digest}", Range=f"bytes={at}-") for _ in range(4)]
            assert {(said.status_code, said.content) for said in parts} == {(206, content[at:])}
            assert len({said.headers["ETag"] for said in (*whole, *parts)}) == 1
        refused = [_new("POST", "/upload/", b"{", **{"Content-Type": "application/json"}) for _ in range(4)]
        assert len({(said.status_code, said.content) for said in refused}) == 1
        assert refused[0].json()["code"] == "json_invalid"
    for name in HOSTS:
        assert " 200 - " in _layout.hosts[name].log(), f"host {name} got nothing"


def _new(method: str, path: str, content: bytes | None = None, **headers: str) -> requests.Response:
    """The answer on a connection of its own, so that the proxy chooses a host anew."""
    with _session() as session:
        return session.request(method, URL + path, data=content, headers=headers, timeout=patient(30))


@pytest.mark.soak(seconds=10)
@pytest.mark.parametrize("how", ["kill", "cut"])
@pytest.mark.parametrize("behind", PROXIES)
@_pairs(("socket", "socket"), ("gunicorn", "gunicorn"))
def test_a_host_that_is_cut_off_in_mid_upload_gives_no_false_2xx(
    _layout: Layout, behind: _Behind, how: str
) -> None:
    """The client is told of a failure. The other host serves on."""
    told: list[requests.Response | Exception] = []
    halves: list[int] = []
    cut = threading.Event()
    contents = [os.urandom(_TWO_HALVES) for _ in range(6)]

    def upload(content: bytes) -> None:
        try:
            with _session() as session:
                said = session.put(f"{URL}/upload/a", data=_in_two(content, halves, cut), timeout=patient(60))
            told.append(said)
        except requests.RequestException as error:
            told.append(error)

    uploads = [threading.Thread(target=upload, args=(content,)) for content in contents]
    try:
        with _layout.network.small_buffers(), behind(_layout):
            for thread in uploads:
                thread.start()
            assert eventually(lambda: len(halves) == len(contents), 20)
            getattr(_layout if how == "kill" else _layout.network, how)("one")
            cut.set()
            # A new request is served at once, or when the proxy has found out.
            assert eventually(lambda: _status("/healthz") == 200, 10)
            for thread in uploads:
                thread.join(patient(90))
            assert len(told) == len(contents)
            _assert_true(told)
            assert _new("PUT", "/upload/a", b"new").status_code == 200
    finally:
        cut.set()
        _layout.network.mend("one")


def _assert_true(told: list[requests.Response | Exception]) -> None:
    """Some uploads failed, and what the others were told is true."""
    served = [said for said in told if isinstance(said, requests.Response) and said.status_code == 200]
    print(told)
    assert len(served) < len(told), "no upload was on the host that is gone"
    assert served, "no upload was on the other host"
    for said in served:
        (file,) = said.json()["files"]
        stored = _new("GET", f"/files/{file['sha256']}")
        assert (stored.status_code, sha256(stored.content).hexdigest()) == (200, file["sha256"])


@pytest.mark.soak(seconds=10)
@pytest.mark.parametrize("behind", PROXIES)
@_pairs(("socket", "gunicorn"))
def test_an_upload_in_pieces_goes_on_on_the_other_host(_layout: Layout, behind: _Behind) -> None:
    """Each piece goes to either host. One of them is killed on the way, and no piece is lost or doubled."""
    content = os.urandom(7 << 20)
    tus = {"Tus-Resumable": "1.0.0"}
    piece = tus | {"Content-Type": "application/offset+octet-stream"}
    with behind(_layout):
        created = _new("POST", "/resumable/", None, **tus, **{"Upload-Length": str(len(content))})
        assert created.status_code == 201
        path = "/resumable/" + created.headers["Location"].rpartition("/")[2]
        offset = 0
        while offset < len(content):
            if offset == 4 << 20:
                _layout.kill("one")
                assert eventually(lambda: _status("/healthz") == 200, 10)
                assert _new("HEAD", path, None, **tus).headers["Upload-Offset"] == str(offset)
            end = offset + (1 << 20)
            said = _new("PATCH", path, content[offset:end], **piece, **{"Upload-Offset": str(offset)})
            assert (said.status_code, said.headers["Upload-Offset"]) == (204, str(end))
            offset = end
        stored = _new("GET", f"/files/{sha256(content).hexdigest()}")
        assert (stored.status_code, stored.content == content) == (200, True)
    for name in HOSTS:
        assert "PATCH /resumable/" in _layout.hosts[name].log(), f"host {name} got no piece"


def _in_two(content: bytes, halves: list[int], cut: threading.Event) -> Iterator[bytes]:
    half = len(content) // 2
    yield content[:half]
    halves.append(half)
    cut.wait(patient(30))
    yield content[half:]


def _status(path: str) -> int | None:
    try:
        return _new("GET", path).status_code
    except requests.RequestException:
        return None


@pytest.mark.soak(seconds=80)
@pytest.mark.parametrize(("_layout", "behind"), _RESTARTED, indirect=["_layout"])
def test_a_rolling_restart_under_load_fails_and_loses_no_request(_layout: Layout, behind: _Behind) -> None:
    by_haproxy = behind is behind_haproxy
    load = Load()
    with behind(_layout):
        with load.running():
            for name in HOSTS * _ROUNDS:
                time.sleep(1)
                _layout.restart(name)
                if by_haproxy:
                    assert eventually(partial(_layout.knows, name), 10)
                else:  # nginx tells nobody: its `fail_timeout` and a second, as in the README of deployment
                    time.sleep(3)
            time.sleep(1)
        print(f"{_layout.kinds} {load.counts}")
        assert load.failures == []
        assert all(load.counts.get(kind, 0) > 3 for kind in ("_small", "_form", "_slow", "_large", "_read"))
        lost = [
            digest
            for digest, content in load.acknowledged.items()
            if _new("GET", f"/files/{digest}").content != content
        ]
        assert lost == []
