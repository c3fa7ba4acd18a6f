"""A stream is read in a thread of its own, as it comes or only at its end."""

from collections.abc import Mapping

import pytest

from clients.launch import RunningBackend
from clients.sse.streaming_response import OpenStream
from clients.stream import CLIENTS, stream_call
from clients.streamlit_tabs.reading import Reading, text_of
from tests.patience import eventually


@pytest.mark.parametrize("opener", CLIENTS.values(), ids=CLIENTS)
def test_events_can_be_taken_while_the_stream_is_read(
    backends: Mapping[str, RunningBackend], opener: OpenStream
) -> None:
    call = stream_call(f"{backends['socket'].url}/stream_echo", '{"query": "abc", "delay": 0.5}')
    reading, whole = Reading(call, opener, whole=False), Reading(call, opener, whole=True)
    assert eventually(reading.take)
    assert not reading.ended
    assert not whole.take()
    assert eventually(lambda: reading.take() and "".join(reading.pieces) == "abc")
    assert eventually(lambda: whole.take() and "".join(whole.pieces) == "abc")
    assert eventually(lambda: reading.ended and whole.ended)
    assert whole.times[0] >= reading.times[1]
    assert reading.recording is not None
    assert reading.error == ""


def test_a_server_that_is_absent_gives_a_sentence() -> None:
    reading = Reading(stream_call("http://127.0.0.1:1/stream_echo", "{}"), CLIENTS["socket"], whole=False)
    assert eventually(lambda: reading.ended)
    assert reading.recording is None
    assert "127.0.0.1:1" in reading.error


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ('{"chunk": "e"}', "e"),
        ('{"choices": [{"delta": {"content": "word "}}]}', "word "),
        ('{"choices": [{"delta": {"role": "assistant"}}]}', ""),
        ('{"choices": []}', ""),
        ('{"choices": [1]}', ""),
        ("[DONE]", ""),
        ("[1]", ""),
        ('{"chunk": 1}', ""),
    ],
)
def test_the_text_of_an_event_is_that_of_an_echo_or_of_a_chat(data: str, text: str) -> None:
    assert text_of(data) == text
