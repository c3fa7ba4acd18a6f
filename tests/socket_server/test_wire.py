"""`--wire` shows what each byte is, and why the request is complete."""

import itertools
import re
import time
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from rich.console import Console

from clients.http1.exchange import exchange
from clients.launch import RunningBackend, start
from servers.contract.responses import Response
from servers.sansio.stream import Role
from servers.socket_server.observer import Observer
from tests.patience import eventually
from tests.socket_server.client import Client, get, request

Show = Callable[[bytes], list[tuple[str, str]]]

_HEAD = b"Host: localhost:8000\r\nUser-Agent: wireproof\r\n"
_LINE = re.compile(r" *([0-9]+) (.{13})│ ?(.*)")


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBackend]:
    store = tmp_path_factory.mktemp("wire")
    with start("socket", store=store, env={"COLUMNS": "160"}, flags=["--wire"]) as backend:
        yield backend


@pytest.fixture
def show(observed: RunningBackend) -> Show:
    """Sends a request, and returns the lines shown for it as (label, text)."""

    def send(request: bytes) -> list[tuple[str, str]]:
        before = observed.log().count(" closed ")
        exchange(observed.host, observed.port, [request])
        deadline = time.monotonic() + 5
        while observed.log().count(" closed ") == before and time.monotonic() < deadline:
            time.sleep(0.01)
        rows = [_LINE.fullmatch(line) for line in observed.log().splitlines()]
        found = [(int(row[1]), row[2].strip(), row[3]) for row in rows if row]
        last = max(number for number, _, _ in found)
        return [(label, text) for number, label, text in found if number == last]

    return send


def test_a_form_is_shown_part_by_part_and_ends_by_its_content_length(show: Show) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n\x00\x01\xff\r\n--b--\r\n\r\n'
    )
    rows = show(
        b"POST /upload/ HTTP/1.1\r\n%sContent-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (_HEAD, len(body), body)
    )
    assert ("request line", "POST /upload/ HTTP/1.1␍␊") in rows
    assert ("field", "User-Agent: wireproof␍␊") in rows
    assert ("end of head", "␍␊") in rows
    assert ("delimiter", "--b␍␊") in rows
    assert ("part header", 'Content-Disposition: form-data; name="f"; filename="x"␍␊') in rows
    assert ("part data", f"{'00 01 ff':<47}  ...") in rows
    assert ("close delim.", "--b--") in rows
    assert "".join(text for label, text in rows if label == "epilogue") == "␍␊␍␊"
    complete = dict(rows)["complete"]
    assert complete == f"all {len(body)} bytes that Content-Length announces are here (RFC 9112 6.2)"
    assert [label for label, _ in rows].index("epilogue") < [label for label, _ in rows].index("complete")


def test_a_chunked_body_is_shown_chunk_by_chunk_and_ends_by_the_last_chunk(show: Show) -> None:
    rows = show(
        b"POST /x HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nX-T: 1\r\n\r\n" % _HEAD
    )
    labels = [label for label, _ in rows]
    assert ("chunk size", "2;a=b␍␊") in rows
    assert ("body", "hi") in rows
    assert ("end of chunk", "␍␊") in rows
    assert ("trailer", "X-T: 1␍␊") in rows
    assert ("end of chunks", "␍␊") in rows
    assert labels.index("chunk size") < labels.index("body") < labels.index("trailer")
    assert dict(rows)["complete"].startswith("the chunk of size 0 and the empty line behind it came: 2 bytes")


def test_a_request_without_framing_is_complete_with_its_head(show: Show) -> None:
    rows = show(b"GET /x HTTP/1.1\r\n%s\r\n" % _HEAD)
    assert dict(rows)["complete"].startswith("neither Content-Length nor Transfer-Encoding")


def test_a_refusal_is_shown_with_its_code_and_claims_no_end(show: Show) -> None:
    rows = show(b"POST /x HTTP/1.1\r\n%sContent-Length: 9\r\n\r\nshort" % _HEAD)
    assert dict(rows)["refused"].startswith("400 body_truncated: ")
    assert "complete" not in dict(rows)
    assert ("response", "HTTP/1.1 400 Bad Request") in rows


def test_a_long_body_is_shortened_and_says_by_how_much(show: Show) -> None:
    rows = show(b"POST /x HTTP/1.1\r\n%sContent-Length: 5000\r\n\r\n%s" % (_HEAD, b"x" * 5000))
    assert ("", "… 3,976 more bytes of it") in rows


def _shown(*parts: bytes, width: int = 160) -> list[tuple[str, str]]:
    """What an observer shows of a body that arrives in these parts, as (label, text)."""
    written = StringIO()
    observer = Observer(Console(width=width, file=written), 1, "peer")
    for part in parts:
        observer.trace(Role.BODY, part)
    observer.closed()
    rows = [_LINE.fullmatch(line) for line in written.getvalue().splitlines()]
    return [(row[2].strip(), row[3]) for row in rows if row][1:-1]


@pytest.mark.parametrize("cuts", [[0], [0, 1, 70], [0, 10, 4000], list(range(0, 4096, 100))], ids=len)
def test_of_bytes_that_are_no_text_the_first_and_the_last_rows_are_shown(cuts: list[int]) -> None:
    body = bytes(range(256)) * 16
    rows = _shown(*(body[start:end] for start, end in itertools.pairwise([*cuts, len(body)])))
    octets = bytes.fromhex("".join(text[:47] for label, text in rows if label == "body"))
    assert octets == body[:64] + body[-16:]
    assert rows[-2:] == [
        ("", "… 4,016 bytes are left out here"),
        ("body", f"{body[-16:].hex(' ')}  ................"),
    ]


@pytest.mark.parametrize("size", [1, 64, 65, 80])
def test_nothing_is_left_out_of_five_rows(size: int) -> None:
    body = bytes(range(128, 128 + size))
    rows = _shown(body)
    assert {label for label, _ in rows} == {"body"}
    assert bytes.fromhex("".join(text[:47] for _, text in rows)) == body


def test_on_a_narrow_terminal_rows_are_shorter() -> None:
    rows = _shown(bytes(4096), width=80)
    assert len(rows) == 6
    assert rows[-2] == ("", f"… {4096 - 5 * 12:,} bytes are left out here")


@pytest.mark.parametrize("size", [1500, 4096])
def test_a_response_of_text_is_shown_whole_up_to_4_kib(size: int) -> None:
    written = StringIO()
    observer = Observer(Console(width=160, file=written), 1, "peer")
    response = Response(200, (), b"x" * size)
    observer.responded(response, b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", None, keep_alive=True)
    assert written.getvalue().count("x") == size
    assert "more bytes" not in written.getvalue()
    assert not [line for line in written.getvalue().splitlines() if line.rstrip().endswith("│")]


def test_control_characters_of_a_request_never_reach_the_terminal(
    show: Show, observed: RunningBackend
) -> None:
    show(b"POST /x HTTP/1.1\r\n%sContent-Length: 8\r\n\r\n\x1b[2J\x9b31m" % _HEAD)
    show(b"GET /\x1b]0;owned\x07 HTTP/1.1\r\n%s\r\n" % _HEAD)
    assert "\x1b" not in observed.log()
    assert "\x9b" not in observed.log()


def test_the_reads_and_the_100_are_shown_where_they_happen(observed: RunningBackend) -> None:
    head = request("POST", "/x", "Expect: 100-continue", length=5)
    with Client(observed.port) as client:
        client.send(head)
        while not client.continues:
            assert not client.is_silent(5)
        client.send(b"hello").response()
        client.end()
        assert eventually(lambda: " closed " in observed.log().rpartition(" connected ")[2])
    rows = [_LINE.fullmatch(line) for line in observed.log().rpartition(" connected ")[2].splitlines()]
    shown = [(row[2].strip(), row[3].strip()) for row in rows if row]
    steps = [
        ("", f"── read 1: {len(head)} bytes"),
        ("end of head", "␍␊"),
        ("sent", "HTTP/1.1 100 Continue: the client waits for it before it sends the body"),
        ("", "── read 2: 5 bytes"),
        ("body", "hello"),
        ("response", "HTTP/1.1 200 OK"),
        ("", "── the client has shut its write side"),
        ("closed", "after 3 reads"),
    ]
    assert [row for row in shown if row in steps] == steps


def test_on_a_terminal_the_colour_also_says_what_bytes_are() -> None:
    written = StringIO()
    console = Console(force_terminal=True, color_system="standard", no_color=False, width=100, file=written)
    observer = Observer(console, 1, "127.0.0.1 port 1")
    observer.trace(Role.REQUEST_LINE, b"GET / HTTP/1.1\r\n")
    observer.trace(Role.FIELD, b"Host: h\r\n")
    observer.trace(Role.CHUNK_SIZE, b"5\r\n")
    observer.trace(Role.BODY, b"hello")
    observer.trace(Role.DELIMITER, b"--b\r\n")
    found = re.findall("(\x1b\\[[0-9;]+m)(GET|Host: h|5|hello|--b)", written.getvalue())
    styles = {text: style for style, text in found}
    assert styles.keys() == {"GET", "Host: h", "5", "hello", "--b"}
    assert len(set(styles.values())) == 5


def test_a_stream_that_cannot_show_every_character_ends_nothing() -> None:
    """Such characters are escaped."""
    with start("socket", flags=["--wire"], env={"PYTHONIOENCODING": "latin-1"}) as backend:
        for path in ("/1", "/2"):
            with Client(backend.port) as client:
                assert client.send(get(path)).response().json()["path"] == path
        assert "\\u2502 GET /2 HTTP/1.1" in backend.log()
        assert "Traceback" not in backend.log()
