"""Files of every size near the edges of reads and buffers arrive byte for byte, and are read back so.

A parser that reads 64 KiB or 1 MiB at a time is at the mercy of where a delimiter falls: Werkzeug 3.1.9 adds
a CR to a file of 65,351 bytes when a read ends between the closing dashes (its issue 3285; M89).
"""

import hashlib
import http.client
import json
import random
from collections.abc import Callable, Iterator, Mapping

import pytest

from clients.launch import RunningBackend, running
from tests.conftest import BACKEND_NAMES, EACH_BACKEND

KIB = 1024
EDGES = (64 * KIB, 128 * KIB, 192 * KIB, 256 * KIB, 1024 * KIB, 2048 * KIB)
NEAR = 80
OLD_DEFECTS = (65_351, 65_391, 130_927)
BOUNDARY = b"ef0479c6edb2827623ed87f943bafa08"
BEGIN = (
    b'--%s\r\nContent-Disposition: form-data; name="file"; filename="every-size.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n" % BOUNDARY
)
END = b"\r\n--%s--\r\n" % BOUNDARY
PATTERN = random.Random("every size").randbytes(max(EDGES) + NEAR)

Upload = tuple[str, str, Mapping[str, str], bytes, bytes]
"""Method, target, header fields, body, and the file in it."""


def put(size: int) -> Upload:
    """The body is the file."""
    data = PATTERN[:size]
    return "PUT", "/upload/every-size.bin", {}, data, data


def form(size: int, ending: bytes) -> Upload:
    """The body, of `size` bytes, is a form with one file that ends in `ending`."""
    data = PATTERN[: size - len(BEGIN) - len(END) - len(ending)] + ending
    fields = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}
    return "POST", "/upload/", fields, BEGIN + data + END, data


FRAMINGS: Mapping[str, Callable[[int], Upload]] = {
    "body": put,
    "form": lambda size: form(size, b"x"),
    "form-ending-in-cr": lambda size: form(size, b"\r"),
}
# Others have lost bytes of forms at these edges: they run daily.
DAILY = {(EDGES[0], "form"), (EDGES[0], "form-ending-in-cr"), (EDGES[1], "form")}
COMBINATIONS = [
    pytest.param(edge, framing, marks=() if (edge, framing) in DAILY else pytest.mark.soak(seconds=30))
    for edge in EDGES
    for framing in FRAMINGS
    if edge <= 256 * KIB or framing != "form-ending-in-cr"
]


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, RunningBackend]]:
    """The backends without fsync: this is about bytes, not about crashes."""
    env = {"WIREPROOF_DURABILITY": "fast"}
    with running(BACKEND_NAMES, store=tmp_path_factory.mktemp("quick"), env=env) as started:
        yield {backend.name: backend for backend in started}


def sizes_near(edge: int) -> range:
    return range(edge - NEAR, edge + NEAR + 1)


@pytest.mark.parametrize(("edge", "framing"), COMBINATIONS)
@pytest.mark.parametrize("name", EACH_BACKEND)
def test_every_size_near_an_edge_arrives_byte_for_byte(
    quick: Mapping[str, RunningBackend], name: str, edge: int, framing: str
) -> None:
    backend = quick[name]
    connection = http.client.HTTPConnection(backend.host, backend.port, timeout=20)
    for size in sizes_near(edge):
        method, target, fields, body, data = FRAMINGS[framing](size)
        assert len(body) == size
        described = _ask(connection, method, target, body, fields)
        entry = json.loads(described)["files"][0]
        sha256 = hashlib.sha256(data).hexdigest()
        assert (entry["size"], entry["sha256"]) == (len(data), sha256), f"a body of {size} bytes"
        stored = _ask(connection, "GET", entry["href"], None, {})
        assert stored == data, f"a body of {size} bytes: {len(stored)} instead of {len(data)} are read back"
    connection.close()
    _empty(backend)


def test_the_sizes_that_were_once_corrupted_are_among_them() -> None:
    files = {len(form(size, b"x")[4]) for edge in EDGES[:2] for size in sizes_near(edge)}
    assert set(OLD_DEFECTS) <= files


@pytest.mark.parametrize("edge", EDGES)
def test_one_body_has_the_edge_between_its_closing_dashes(edge: int) -> None:
    bodies = (form(size, b"x")[3] for size in sizes_near(edge))
    assert any(body[:edge].endswith(b"\r\n--%s-" % BOUNDARY) for body in bodies)


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    body: bytes | None,
    fields: Mapping[str, str],
) -> bytes:
    """The body of the answer, which must be 200; a connection that the server closed is opened anew."""
    connection.request(method, target, body, dict(fields))
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, body[:500]
    return body


def _empty(backend: RunningBackend) -> None:
    """Remove what is stored, so that the disk need not hold it: files may be removed while it runs."""
    for path in (backend.store / "files").iterdir():
        path.unlink()
