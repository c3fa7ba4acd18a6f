"""The parts of Werkzeug and gunicorn that our code depends on. When a test here fails, read the source of the
new version first, and then adapt `flask_reading` and `flask_server`."""

import inspect
import io
from importlib.metadata import version

import pytest
from gunicorn.arbiter import Arbiter
from gunicorn.http.message import Request
from gunicorn.http.parser import Parser
from gunicorn.http.unreader import Unreader
from gunicorn.workers import gthread
from werkzeug.datastructures import Headers
from werkzeug.sansio import multipart
from werkzeug.sansio.multipart import MultipartDecoder, State
from werkzeug.serving import DechunkedInput


def test_werkzeug_is_the_pinned_minor_version() -> None:
    assert version("werkzeug").split(".")[:2] == ["3", "1"]


def test_decoder_has_the_attributes_that_are_used() -> None:
    decoder = MultipartDecoder(b"b")
    assert type(decoder.buffer) is bytearray
    assert decoder.state is State.PREAMBLE
    assert decoder.preamble_re.search(b"--b\r\n") and decoder.boundary_re.search(b"\r\n--b\r\n")
    assert {state.name for state in State} == {
        "PREAMBLE", "PART", "DATA", "DATA_START", "EPILOGUE", "COMPLETE"
    }  # fmt: skip
    assert multipart.BLANK_LINE_RE.search(b"\r\n\r\n")


def test_decoder_calls_the_hook_for_the_headers_and_requires_a_disposition() -> None:
    asked = []

    class Hooked(MultipartDecoder):
        def _parse_headers(self, data: bytes | bytearray) -> Headers:
            asked.append(bytes(data))
            return Headers([("content-disposition", "form-data")])

    decoder = Hooked(b"b")
    decoder.receive_data(b"--b\r\nX: y\r\nZ: w\r\n\r\nv\r\n--b--")
    assert isinstance(decoder.next_event(), multipart.Preamble)
    assert isinstance(decoder.next_event(), multipart.Field)
    assert asked == [b"X: y\r\nZ: w"]
    assert decoder.next_event() == multipart.Data(b"v", more_data=False)
    assert decoder.state is State.EPILOGUE


def test_decoder_leaves_the_second_crlf_of_a_blank_line_in_its_buffer() -> None:
    decoder = MultipartDecoder(b"b")
    decoder.receive_data(b"--b\r\nContent-Disposition: form-data\r\n\r\nv")
    decoder.next_event()
    decoder.next_event()
    assert decoder.state is State.DATA_START
    assert bytes(decoder.buffer) == b"\r\nv"


def test_dev_server_decodes_chunks_from_a_buffered_reader() -> None:
    raw = io.BufferedReader(io.BytesIO(b""))
    assert DechunkedInput(raw)._rfile is raw


@pytest.mark.parametrize(
    "owner, name, parameters",
    [
        (gthread.TConn, "__init__", ["self", "cfg", "sock", "client", "server"]),
        (gthread.TConn, "close", ["self", "graceful"]),
        (gthread.ThreadWorker, "accept", ["self", "listener"]),
        (gthread.ThreadWorker, "enqueue_req", ["self", "conn"]),
        (gthread.ThreadWorker, "handle", ["self", "conn"]),
        (gthread.ThreadWorker, "set_accept_enabled", ["self", "enabled"]),
        (gthread.ThreadWorker, "murder_pending", ["self"]),
        (gthread.ThreadWorker, "handle_error", ["self", "req", "client", "addr", "exc"]),
        (Arbiter, "handle_term", ["self"]),
        (Parser, "__init__", ["self", "cfg", "source", "source_addr"]),
        (Request, "parse", ["self", "unreader"]),
        (Request, "set_body_reader", ["self"]),
        (Request, "should_close", ["self"]),
        (Unreader, "take_buffered", ["self"]),
        (Unreader, "unread", ["self", "data"]),
    ],
)
def test_gunicorn_has_the_methods_that_are_overridden(owner: type, name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


def test_gunicorn_puts_deferred_connections_back() -> None:
    assert "_DEFER" in inspect.getsource(gthread.ThreadWorker.finish_request)
    assert "data_ready" in inspect.getsource(gthread.ThreadWorker.handle)
