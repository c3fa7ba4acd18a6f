"""The third tab: one stream read twice, as it comes and only at its end, drawn while it is read."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import click
import streamlit as st

from ..cli.output import refusal
from ..sse.classification import StreamKind, classify_stream
from ..sse.stream_recording import StreamRecording
from ..stream import CLIENTS, stream_call
from .forwarding import origin_of
from .plain_text import plain
from .reading import Reading

_ROUTES = {"An echo, letter by letter": "/stream_echo", "A chat, word by word": "/v1/chat/completions"}
_READINGS = {"Read as it comes": False, "Read to its end first": True}
_MAX_CHARACTERS = 200
_LOOK_SECONDS = 0.03
_CHART_PIXELS = 220


def streams_tab(servers: Mapping[str, str]) -> None:
    """Draw the tab. A press of the button reads a stream twice at the same time."""
    st.markdown(
        "A server sends its answer in pieces. A client that reads each piece as it comes sees a **real** "
        "stream. A client that reads to the end first sees a **pseudo-stream**: the same bytes, all at once."
    )
    left, middle, right = st.columns(3)
    route = _ROUTES[left.radio("Stream", list(_ROUTES), key="stream_kind")]
    opener = CLIENTS[left.radio("Read with", list(CLIENTS), key="stream_client", horizontal=True)]
    text = middle.text_input("Text", "echo this", max_chars=_MAX_CHARACTERS, key="stream_text")
    delay = right.slider("Seconds between two events", 0.0, 1.0, 0.3, 0.1, key="stream_delay")
    server = middle.selectbox("Server", list(servers), key="stream_server")
    if not st.button("Read the stream twice", type="primary", key="read", disabled=server is None):
        return
    assert server is not None
    call = stream_call(origin_of(servers[server]) + route, json.dumps(request_body(route, text, delay)))
    views = []
    for (heading, whole), column in zip(_READINGS.items(), st.columns(2), strict=True):
        with column:
            views.append(View(heading, Reading(call, opener, whole=whole)))
    _draw_all(views)
    for view in views:
        view.finish(delay)


def request_body(route: str, text: str, delay: float) -> dict[str, Any]:
    """What to ask for at this route; `delay` is the pause after each event, in seconds."""
    if route == "/stream_echo":
        return {"query": text, "delay": delay}
    messages = [{"role": "user", "content": text}]
    return {"model": "echo", "messages": messages, "stream": True, "delay": delay}


class View:
    """One column: the text that has come, a point for each event, and the verdict."""

    def __init__(self, heading: str, reading: Reading) -> None:
        st.subheader(heading)
        self.reading = reading
        self._text, self._chart, self._end = st.empty(), st.empty(), st.container()
        self._text.code("(nothing yet)", language=None)

    def draw(self) -> None:
        """Draw what is new."""
        if not self.reading.take():
            return
        self._text.code("".join(self.reading.pieces) or " ", language=None)
        self._chart.vega_lite_chart(_chart(self.reading.times))

    def finish(self, delay: float) -> None:
        """Say what the stream was, or why there was none."""
        with self._end:
            _show_end(self.reading, delay)


def _chart(times: Sequence[float]) -> dict[str, Any]:
    """A point for each event: real streams are a diagonal, and events that came together are a column.

    It is a chart of Vega-Lite.
    """
    points = [{"event": number, "seconds": at} for number, at in enumerate(times, 1)]
    seconds = {"domain": [0, max(1.0, 1.05 * times[-1])]}
    events = {"domain": [0, len(times) + 1]}
    return {
        "data": {"values": points},
        "mark": {"type": "circle", "size": 80},
        "height": _CHART_PIXELS,
        "encoding": {
            "x": _axis("seconds", seconds, title="seconds since the request"),
            "y": _axis("event", events, axis={"tickMinStep": 1}),
        },
    }


def _axis(field: str, scale: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "scale": scale, **others}


def _draw_all(views: Sequence[View]) -> None:
    while not all(view.reading.ended for view in views):
        for view in views:
            view.draw()
        time.sleep(_LOOK_SECONDS)


def _show_end(reading: Reading, delay: float) -> None:
    recording = reading.recording
    if recording is None:
        st.error(plain(reading.error))
    elif not 200 <= recording.response.status < 300:
        st.warning(plain(click.unstyle(refusal(recording.response))))
    elif not recording.is_event_stream:
        kind = recording.response.header("content-type") or "no type"
        st.warning(plain(f"This is not a stream, but one answer with {kind}."))
    else:
        _show_verdict(recording, delay)


def _show_verdict(recording: StreamRecording, delay: float) -> None:
    if recording.broken is not None:
        st.error(plain(str(recording.broken)))
    found = classify_stream(recording.times, delay=delay, read_whole=recording.read_whole)
    show = st.success if found.kind is StreamKind.REAL else st.warning
    show(f"Verdict: {found.kind}")
    span = f"{recording.first_byte:.3f} s to {recording.last_byte:.3f} s"
    for sentence in (*found.evidence, f"on the wire: {span}, in {recording.reads} reads"):
        st.caption(sentence)
