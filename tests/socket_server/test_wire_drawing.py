"""How `--wire` draws: reads, budgets of data, terminals, responses, JSON."""

import itertools
import json
import re
from collections.abc import Iterator
from io import StringIO
from threading import Semaphore, Thread

import pytest
from rich.console import Console

from servers.contract.responses import Event, EventStream, Response
from servers.sansio.stream import Role
from servers.socket_server.observer import Observer
from servers.socket_server.responses import pieces_of
from servers.socket_server.wire.folded_json import folded_json
from servers.socket_server.wire.screen import Screen
from tests.socket_server.observed import Connection, Row, rows_of

_HEAD = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
_POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"


def _body_rows(*parts: bytes, width: int = 160) -> list[Row]:
    """The rows of a body that the parser reports in these parts, all of one read."""
    connection = Connection(width)
    connection.observer.read(b"".join(parts))
    for part in parts:
        connection.observer.trace(Role.BODY, part)
    return connection.rows()[1:]


@pytest.mark.parametrize("cuts", [[0], [0, 1, 70], [0, 10, 4000], list(range(0, 4096, 100))], ids=len)
def test_of_bytes_that_are_no_text_the_first_and_the_last_rows_are_shown(cuts: list[int]) -> None:
    body = bytes(range(256)) * 16
    rows = _body_rows(*(body[start:end] for start, end in itertools.pairwise([*cuts, len(body)])))
    octets = bytes.fromhex("".join(row.text[:47] for row in rows if row.label == "body"))
    assert octets == body[:64] + body[-16:]
    assert rows[-2:] == [
        Row("", "… 4,016 more bytes"),
        Row("body", f"{body[-16:].hex(' ')}  ................"),
    ]


@pytest.mark.parametrize("size", [1, 64, 65, 80])
def test_nothing_is_left_out_of_five_rows(size: int) -> None:
    body = bytes(range(128, 128 + size))
    rows = _body_rows(body)
    assert {row.label for row in rows} == {"body"}
    assert bytes.fromhex("".join(row.text[:47] for row in rows)) == body


def test_on_a_narrow_terminal_rows_are_shorter() -> None:
    rows = _body_rows(bytes(4096), width=80)
    assert len(rows) == 6
    assert rows[-2] == Row("", f"… {4096 - 5 * 12:,} more bytes")


def test_a_read_is_shown_at_the_byte_with_which_it_begins() -> None:
    connection = Connection()
    connection.receive(b"GET / HT", b"TP/1.1\r\nHost: h\r\n", b"\r\n")
    assert connection.rows()[:8] == [
        Row("", "── 0.250 s  read 1: 8 bytes"),
        Row("request line", "GET / HT"),
        Row("", "── 0.500 s  read 2: 17 bytes"),
        Row("request line", "TP/1.1␍␊"),
        Row("field", "Host: h␍␊"),
        Row("", "── 0.750 s  read 3: 2 bytes"),
        Row("end of head", "␍␊"),
    ]


def test_many_reads_inside_of_one_line_are_one_row() -> None:
    connection = Connection()
    connection.receive(*(bytes([octet]) for octet in b"GET / HTTP/1.1\r\n"), b"Host: h\r\n\r\n")
    assert connection.rows()[:4] == [
        Row("", "── 0.250 s  read 1: 1 byte"),
        Row("", "── 4.000 s  reads 2 to 16, since 0.500 s: 15 bytes"),
        Row("request line", "GET / HTTP/1.1␍␊"),
        Row("", "── 4.250 s  read 17: 11 bytes"),
    ]


@pytest.mark.parametrize("count", [0, 1, 3, 9])
def test_the_reads_of_a_body_are_shown_until_enough_is_shown_and_then_counted(count: int) -> None:
    connection = Connection()
    connection.receive(_POST, *[b"x" * 10] * count)
    rows = connection.rows()
    assert [row.text for row in rows if row.label == "body"] == ["x" * 10] * min(count, 8)
    left_out = [row.text for row in rows if row.text.startswith("… ")]
    assert left_out == (["… 10 more bytes"] if count == 9 else [])


def test_all_reads_behind_the_first_byte_that_is_left_out_are_counted() -> None:
    connection = Connection()
    connection.receive(_POST, b"x" * 1030, *[b"x" * 10] * 20)
    marks = [row.text for row in connection.rows() if "read" in row.text]
    assert marks == [
        f"── 0.250 s  read 1: {len(_POST)} bytes",
        "── 0.500 s  read 2: 1,030 bytes",
        "… 206 more bytes, 20 more reads, until 5.500 s",
    ]


def test_the_end_of_the_client_is_shown_behind_its_bytes() -> None:
    connection = Connection()
    connection.receive(b"GET / HT", b"")
    assert connection.rows() == [
        Row("", "── 0.250 s  read 1: 8 bytes"),
        Row("not read", "GET / HT"),
        Row("", "── 0.500 s  the client has shut its write side"),
    ]


def test_a_long_line_is_cut() -> None:
    connection = Connection(2000)
    connection.receive(b"GET / HTTP/1.1\r\nX: %s\r\nHost: h\r\n\r\n" % (b"y" * 3000))
    rows = connection.rows()
    assert Row("field", "X: " + "y" * 1021) in rows
    assert Row("", "… 1,981 bytes more in this line") in rows


def test_on_a_terminal_the_counter_of_bytes_is_updated_in_place() -> None:
    connection = Connection(80, terminal=True)
    connection.receive(_POST, b"x" * 2000, *[b"x" * 1000] * 5)
    written = connection.written.getvalue()
    last_line = written.rpartition("\n")[2]
    counters = re.findall(r"… ([\d,]+) more bytes", last_line)
    assert counters == ["976", "1,976", "2,976", "3,976", "4,976", "5,976"]
    assert last_line.count("\r\x1b[2K") == 5
    connection.observer.closed()
    written = connection.written.getvalue()
    assert written.count("5,976") == 2
    assert re.search(r"5,976[^\n]*\r\x1b\[2K[^\n]*5,976[^\n]*\n", written)


def test_a_counter_is_not_drawn_more_often_than_anyone_can_see() -> None:
    connection = Connection(80, terminal=True)
    connection.receive(_POST, b"x" * 2000)
    connection.receive(*[b"x" * 1000] * 100, seconds=0.001)
    last_line = connection.written.getvalue().rpartition("\n")[2]
    assert 2 <= len(re.findall("more bytes", last_line)) <= 5


def test_on_a_terminal_bytes_that_wait_for_more_are_counted() -> None:
    connection = Connection(80, terminal=True)
    connection.receive(b"GET / HT")
    assert "8 bytes wait for more, since 0.250 s" in connection.written.getvalue()
    connection.receive(b"TP/1.1\r\n")
    assert connection.written.getvalue().count("wait for more") == 1


def test_without_a_terminal_there_is_no_counter() -> None:
    connection = Connection(80)
    connection.receive(_POST, b"x" * 2000, b"x" * 1000, b"GET")
    assert "more bytes" not in connection.written.getvalue()
    assert "\x1b" not in connection.written.getvalue()


def test_on_a_terminal_the_colour_also_says_what_bytes_are() -> None:
    connection = Connection(100, terminal=True)
    connection.observer.read(b"GET / HTTP/1.1\r\nHost: h\r\n5\r\nhello")
    connection.observer.trace(Role.REQUEST_LINE, b"GET / HTTP/1.1\r\n")
    connection.observer.trace(Role.FIELD, b"Host: h\r\n")
    connection.observer.trace(Role.CHUNK_SIZE, b"5\r\n")
    connection.observer.trace(Role.BODY, b"hello")
    connection.observer.waiting()
    found = re.findall("(\x1b\\[[0-9;]+m)(GET|Host: h|5|hello)", connection.written.getvalue())
    styles = {text: style for style, text in found}
    assert styles.keys() == {"GET", "Host: h", "5", "hello"}
    assert len(set(styles.values())) == 4


def _answer(response: Response, head: bytes = _HEAD) -> list[Row]:
    """The rows of a response that is sent to its end; each piece takes a second."""
    connection = Connection()
    connection.observer.responded(response, head, None, keep_alive=True)
    for piece in pieces_of(response, head, chunked=True):
        connection.observer.sending(piece)
        connection.now += 1
    connection.observer.sending(None)
    return connection.rows()


@pytest.mark.parametrize("size", [1500, 4096])
def test_a_response_of_text_is_shown_whole_up_to_4_kib(size: int) -> None:
    rows = _answer(Response(200, (), b"x" * size))
    assert sum(row.text.count("x") for row in rows) == size
    assert not [row for row in rows if "more bytes" in row.text or not row.text]


def test_a_response_has_the_times_at_which_it_begins_and_ends() -> None:
    rows = _answer(Response(200, (), b"hello"))
    assert rows == [
        Row("", "── 0.000 s  the response begins"),
        Row("response", "HTTP/1.1 200 OK"),
        Row("response", "A: b"),
        Row("resp. body", "hello"),
        Row("", "── 1.000 s  the response ends: 30 bytes sent; the connection stays open"),
    ]


def _events() -> Iterator[Event]:
    yield Event(b"data: 1\n\n", 0.5)
    yield Event(b"data: %s\n\n" % (b"2" * 2000), 0.5)


def test_each_event_of_a_stream_has_its_time_and_a_long_one_is_cut() -> None:
    rows = _answer(Response(200, (), EventStream(event for event in _events())))
    chunks = [row.text for row in rows if row.label == "chunk"]
    assert chunks[0] == "1.000 s  9␍␊data: 1␊␊␍␊"
    assert chunks[1] == "2.000 s  7d8␍␊data:"
    assert sum(set(row.text) == {"2"} for row in rows) > 5
    assert chunks[2] == "3.000 s  0␍␊␍␊"
    assert "… 991 more bytes of this chunk" in [row.text for row in rows]


def test_a_response_that_is_not_sent_to_its_end_says_so() -> None:
    connection = Connection()
    response = Response(200, (), EventStream(event for event in _events()))
    connection.observer.responded(response, _HEAD, None, keep_alive=True)
    connection.observer.sending(Event(_HEAD))
    connection.observer.sending(Event(b"9\r\ndata: 1\n\n\r\n"))
    rows = connection.rows()
    assert rows[-1] == Row("", f"── 0.000 s  the response is cut off after {len(_HEAD) + 14} bytes")


def test_json_that_fits_into_a_row_is_one_row() -> None:
    assert folded_json(b'{"a":[1,2,null],"b":"x"}', 80) == ['{"a": [1, 2, null], "b": "x"}']


def test_long_strings_lists_and_objects_are_cut_with_a_count() -> None:
    value = {
        "text": "é" * 5000,
        "list": list(range(1000)),
        "object": {f"key {number}": number for number in range(100)},
    }
    rows = folded_json(json.dumps(value).encode(), 100)
    assert rows[1] == f'  "text": "{"é" * 40}" … 4,960 more,'
    assert rows[2] == '  "list": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … 990 more],'
    assert rows[-3].strip() == "… 76 more"
    assert len(rows) < 12


@pytest.mark.parametrize("columns", [40, 61, 121])
def test_no_row_of_json_is_wider_than_the_console(columns: int) -> None:
    value = {
        "sha256": "0123456789abcdef" * 4,
        "nested": [
            {"href": "/files/" + "f" * 64, "size": 12345, "headers": [{"name": "n", "value": "v" * 70}]}
        ]
        * 9,
        "small": [True, None, 1.5, ""],
    }
    rows = folded_json(json.dumps(value).encode(), columns)
    assert max(len(row) for row in rows) <= columns
    assert rows[0] == "{"
    assert rows[-1] == "}"


def test_what_is_no_json_is_shown_as_it_is() -> None:
    headers = (("Content-Type", "application/json"),)
    assert Row("resp. body", "no json") in _answer(Response(200, headers, b"no json"))


def test_a_large_json_response_has_at_most_60_rows() -> None:
    inner = {f"member {number}": {"a": "x" * 60, "b": "y" * 60} for number in range(24)}
    body = json.dumps({f"outer {number}": inner for number in range(5)}).encode()
    rows = _answer(Response(200, (("Content-Type", "application/json"),), body))
    assert len(rows) < 70
    assert any(re.fullmatch(r"… \d+ more rows", row.text) for row in rows)


def test_threads_may_report_while_reads_come() -> None:
    """A thread that parses reports bytes, and the loop receives ahead: all rows are there, in order."""
    written = StringIO()
    observer = Observer(Screen(Console(width=100, file=written)), 1, "peer")
    data = b"x" * 10
    count = 300
    arrived = Semaphore(0)

    def parse() -> None:
        for _ in range(count):
            arrived.acquire()
            observer.trace(Role.BODY, data)

    thread = Thread(target=parse)
    thread.start()
    for _ in range(count):
        observer.read(data)
        arrived.release()
    thread.join()
    observer.closed()
    text = written.getvalue()
    shown = sum(row.text.count("x") for row in rows_of(text) if row.label == "body")
    hidden = sum(int(number.replace(",", "")) for number in re.findall(r"… ([\d,]+) more bytes", text))
    assert shown + hidden == count * len(data)
    assert f"after {count} reads" in text
