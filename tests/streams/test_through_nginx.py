"""Through nginx: X-Accel-Buffering keeps our streams alive. Where it is not heeded the client finds out."""

import json
from collections.abc import Iterator, Mapping

import pytest

from clients.launch import HOST, free_port
from clients.sse.classification import StreamKind, classify_stream
from clients.sse.stream_recording import StreamRecording, record
from clients.sse.streaming_response import OpenStream
from clients.stream import CLIENTS, stream_call
from tests.nginx import NGINX, nginx
from tests.patience import eventually
from tests.streams.watched import Watched

pytestmark = pytest.mark.skipif(
    NGINX is None,
    reason="nginx is not installed: streams through a proxy are NOT tested (apt install nginx-light)",
)

# On a busy machine the client itself may read events in bursts; nginx would hold them back in every attempt.
_ATTEMPTS = 8
DELAY = 0.1
QUERY = "echo this"
_PASSED_ON = """
        proxy_set_header Host localhost;
        proxy_set_header Connection "";
"""
# `deaf` is a proxy that does not heed our field, before one that does. Chunks nginx passes on as they come,
# buffering or not; what it asks for by HTTP/1.0, long its default, it keeps until a buffer of 4 KiB is full.
LOCATION = """
        location /{name}/by-1.1/ {{ proxy_pass {url}/; proxy_http_version 1.1; }}
        location /{name}/by-1.0/ {{ proxy_pass {url}/; proxy_http_version 1.0; }}
        location /{name}/deaf/ {{
            proxy_pass http://127.0.0.1:{port}/{name}/by-1.1/;
            proxy_http_version 1.0;
            proxy_ignore_headers X-Accel-Buffering;
            proxy_buffering on;
        }}
"""


@pytest.fixture(scope="module")
def proxy(watched_backends: Mapping[str, Watched], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an nginx before all backends."""
    port = free_port()
    locations = "".join(
        LOCATION.format(name=name, url=watched.backend.url, port=port)
        for name, watched in watched_backends.items()
    )
    with nginx(tmp_path_factory.mktemp("nginx"), _PASSED_ON + locations, port):
        yield f"http://{HOST}:{port}"


def through(proxy: str, name: str, how: str, client: OpenStream) -> StreamRecording:
    call = stream_call(f"{proxy}/{name}/{how}/stream_echo", json.dumps({"query": QUERY, "delay": DELAY}))
    recorded = record(call, client, max_time=30)
    assert [json.loads(event.data)["chunk"] for event in recorded.events] == list(QUERY)
    assert recorded.broken is None
    return recorded


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_with_our_field_nginx_passes_a_real_stream_on(
    proxy: str, server: Watched, client: OpenStream, version: str
) -> None:
    for _ in range(_ATTEMPTS):
        recorded = through(proxy, server.backend.name, f"by-{version}", client)
        classification = classify_stream(recorded.times, delay=DELAY)
        if classification.kind is StreamKind.REAL:
            return
    raise AssertionError(classification.evidence)


def test_an_nginx_that_does_not_heed_it_is_found_to_buffer(
    proxy: str, server: Watched, client: OpenStream
) -> None:
    recorded = through(proxy, server.backend.name, "deaf", client)
    classification = classify_stream(recorded.times, delay=DELAY)
    assert classification.kind is StreamKind.BUFFERED, classification.evidence
    assert classify_stream(recorded.times).kind is StreamKind.BUFFERED


@pytest.mark.soak(seconds=12)
def test_a_client_that_leaves_nginx_ends_the_stream_behind_it(proxy: str, server: Watched) -> None:
    query = f"left through nginx {server.backend.name}" * 20
    call = stream_call(
        f"{proxy}/{server.backend.name}/by-1.1/stream_echo", json.dumps({"query": query, "delay": DELAY})
    )
    recorded = record(call, CLIENTS["socket"], max_time=0.35)
    assert 1 <= len(recorded.events) < 10
    made = len(server.made(query))
    assert not eventually(lambda: len(server.made(query)) > made + 3, 1.5)
