"""`--wire` on a running server: what each byte is, why a request is complete or refused, and the times."""

import re
import time
from collections.abc import Iterator

import pytest

from tests.patience import eventually
from tests.socket_server.client import Client, request
from tests.socket_server.observed import Row, Watched, rows_of, watched

_HEAD = b"Host: localhost:8000\r\nUser-Agent: wireproof\r\n"
_MARK = "── T  "


@pytest.fixture(scope="module")
def wire() -> Iterator[Watched]:
    with watched() as server:
        yield server


def _post(body: bytes, content_type: bytes, path: bytes = b"/upload/") -> bytes:
    lines = b"POST %s HTTP/1.1\r\n%sContent-Type: %s\r\n" % (path, _HEAD, content_type)
    return b"%sContent-Length: %d\r\n\r\n%s" % (lines, len(body), body)


def _form(*files: bytes) -> bytes:
    disposition = b'Content-Disposition: form-data; name="f"; filename="x"'
    parts = b"".join(b"--b\r\n%s\r\n\r\n%s\r\n" % (disposition, file) for file in files)
    return parts + b"--b--\r\n"


def _chunked(chunks: list[bytes], content_type: bytes = b"multipart/form-data; boundary=b") -> bytes:
    coded = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])
    lines = b"POST /upload/ HTTP/1.1\r\n%sContent-Type: %s\r\n" % (_HEAD, content_type)
    return b"%sTransfer-Encoding: chunked\r\n\r\n%s" % (lines, coded)


def _pairs(rows: list[Row]) -> list[tuple[str, str]]:
    return [(row.label, row.text) for row in rows]


def _labels(rows: list[Row]) -> list[str]:
    return [row.label for row in rows]


def test_a_form_is_shown_part_by_part_and_ends_by_its_content_length(wire: Watched) -> None:
    body = _form(b"\x00\x01\xff") + b"\r\n"
    rows = wire.show(_post(body, b"multipart/form-data; boundary=b"))
    pairs = _pairs(rows)
    assert ("request line", "POST /upload/ HTTP/1.1␍␊") in pairs
    assert ("field", "User-Agent: wireproof␍␊") in pairs
    assert ("end of head", "␍␊") in pairs
    assert ("delimiter", "--b␍␊") in pairs
    assert ("part header", 'Content-Disposition: form-data; name="f"; filename="x"␍␊') in pairs
    assert ("part data", f"{'00 01 ff':<47}  ...") in pairs
    assert ("close delim.", "␍␊--b--") in pairs
    assert "".join(row.text for row in rows if row.label == "epilogue") == "␍␊␍␊"
    complete = dict(pairs)["complete"]
    assert complete == f"all {len(body)} bytes that Content-Length announces are here (RFC 9112 6.2)"
    assert _labels(rows).index("epilogue") < _labels(rows).index("complete")


def test_a_chunked_body_is_shown_chunk_by_chunk_and_ends_by_the_last_chunk(wire: Watched) -> None:
    rows = wire.show(
        b"POST /x HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nX-T: 1\r\n\r\n" % _HEAD
    )
    shown = [(label, text) for label, text in _pairs(rows) if label not in ("", "field", "response")]
    assert shown[2:8] == [
        ("end of head", "␍␊"),
        ("chunk size", "2;a=b␍␊"),
        ("body", "hi"),
        ("end of chunk", "␍␊"),
        ("last chunk", "0␍␊"),
        ("trailer", "X-T: 1␍␊"),
    ]
    assert shown[8] == ("end of body", "␍␊")
    assert shown[9][1].startswith("the chunk of size 0 and the empty line behind it came: 2 bytes")


def test_a_chunked_form_is_shown_in_the_order_of_its_bytes(wire: Watched) -> None:
    form = _form(b"ab")
    cut = form.index(b"ab") + 1
    rows = wire.show(_chunked([form[:cut], form[cut:]]))
    labels = [row.label for row in rows if row.label not in ("", "field", "response")]
    assert labels[3:13] == [
        "chunk size",
        "delimiter",
        *("part header", "part header"),
        "part data",
        "end of chunk",
        "chunk size",
        "part data",
        "close delim.",
        "epilogue",
    ]
    assert labels[13:16] == ["end of chunk", "last chunk", "end of body"]


def test_a_request_without_framing_is_complete_with_its_head(wire: Watched) -> None:
    rows = wire.show(b"GET /x HTTP/1.1\r\n%s\r\n" % _HEAD)
    assert dict(_pairs(rows))["complete"].startswith("neither Content-Length nor Transfer-Encoding")


def test_a_refusal_is_shown_with_its_code_and_claims_no_end(wire: Watched) -> None:
    rows = wire.show(b"POST /x HTTP/1.1\r\n%sContent-Length: 9\r\n\r\nshort" % _HEAD)
    assert dict(_pairs(rows))["refused"].startswith("400 body_truncated: ")
    assert "complete" not in _labels(rows)
    assert Row("response", "HTTP/1.1 400 Bad Request") in rows
    assert not [row for row in rows if row.at_fault]


def test_a_part_header_that_is_refused_is_shown_and_marked_before_the_reason(wire: Watched) -> None:
    body = b"--b\r\nContent-Disposition: form-data; name=f\r\nX bad\r\n\r\n12\r\n--b--\r\n"
    rows = wire.show(_post(body, b"multipart/form-data; boundary=b"))
    begin = _labels(rows).index("delimiter")
    assert rows[begin : begin + 6] == [
        Row("delimiter", "--b␍␊"),
        Row("undecided", "Content-Disposition: form-data; name=f␍␊"),
        Row("at fault", "X bad␍␊", True),
        Row("not read", "␍␊"),
        Row("not read", "12␍␊"),
        Row("not read", "--b--␍␊"),
    ]
    assert rows[begin + 6].label == "refused"


def test_a_line_that_is_refused_keeps_its_label_and_is_marked(wire: Watched) -> None:
    rows = wire.show(b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n")
    assert [row for row in rows if row.at_fault] == [Row("request line", "GET /a b HTTP/1.1␍␊", True)]
    assert Row("not read", "Host: h␍␊") in rows


@pytest.mark.parametrize(
    ("first", "hint"),
    [
        (bytes.fromhex("160301020001000a01fc0303") + b"\n", "this looks like TLS: use http://"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "this is HTTP/2 with prior knowledge: use HTTP/1.1"),
    ],
)
def test_the_bytes_of_another_protocol_are_named(wire: Watched, first: bytes, hint: str) -> None:
    rows = wire.show(first)
    hints = [row.text for row in rows if row.label == "hint"]
    assert len(hints) == 1
    assert hints[0].startswith(hint)
    assert _labels(rows).index("hint") < _labels(rows).index("refused")


def test_tls_is_named_before_the_server_gives_up(wire: Watched) -> None:
    """Without a line feed among its bytes the server waits for the rest of the request line."""
    with Client(wire.port) as client:
        client.send(bytes.fromhex("16030100050100000101"))
        assert eventually(lambda: " hint " in wire.text.rpartition(" connected ")[2])
    wire.last()


@pytest.mark.parametrize("size", [20_000_000, 50_000])
def test_of_a_large_part_the_beginning_is_shown_and_the_rest_is_counted_in_one_row(
    wire: Watched, size: int
) -> None:
    body = _form(b"\xff" * size, b"\xfe" * 200)
    rows = wire.show(_post(body, b"multipart/form-data; boundary=b"))
    request_rows = rows[: _labels(rows).index("complete")]
    assert len(request_rows) < 40
    counted = [row for row in request_rows if row.text.startswith("… ")]
    assert len(counted) == 2
    assert counted[0].text.startswith(f"… {size - 80:,} more bytes")
    assert counted[1].text == f"… {200 - 80} more bytes"
    if size > 1_000_000:
        assert re.search(r", \d+ more reads, until \d+\.\d{3} s$", counted[0].text)


def test_the_chunks_of_a_large_part_are_counted_with_its_bytes(wire: Watched) -> None:
    form = _form(b"\xff" * 300_000)
    rows = wire.show(_chunked([form[start : start + 1000] for start in range(0, len(form), 1000)]))
    request_rows = rows[: _labels(rows).index("complete")]
    assert len(request_rows) < 40
    (counted,) = (row.text for row in request_rows if row.text.startswith("… "))
    assert counted.startswith("… 299,920 more bytes, 300 more chunks")


@pytest.mark.parametrize("end", [b"zz\r\n", b"X"])
def test_faulty_framing_is_shown_although_the_chunks_before_it_are_only_counted(
    wire: Watched, end: bytes
) -> None:
    chunks = b"".join(b"1\r\nx\r\n" for _ in range(500))
    chunks = chunks.removesuffix(b"\r\n") if end == b"X" else chunks
    rows = wire.show(b"POST /x HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n%s%s" % (_HEAD, chunks, end))
    label = "end of chunk" if end == b"X" else "chunk size"
    (faulty,) = (number for number, row in enumerate(rows) if row.at_fault)
    assert rows[faulty].label == label
    assert rows[faulty - 1].text.startswith("… 492 more bytes, ")


def test_many_small_chunks_are_counted_after_the_first_ones(wire: Watched) -> None:
    rows = wire.show(_chunked([b"x"] * 500, b"text/plain"))
    assert _labels(rows).count("body") == 8
    assert "… 492 more bytes, 491 more chunks" in [row.text for row in rows]


def test_a_long_text_is_shortened_and_says_by_how_much(wire: Watched) -> None:
    rows = wire.show(b"POST /x HTTP/1.1\r\n%sContent-Length: 5000\r\n\r\n%s" % (_HEAD, b"x" * 5000))
    assert "… 3,976 more bytes" in [row.text for row in rows]


def test_a_json_response_is_folded(wire: Watched) -> None:
    rows = wire.show(b"GET /x HTTP/1.1\r\n%sX-Long: %s\r\n\r\n" % (_HEAD, b"y" * 500))
    begin = _labels(rows).index("resp. body")
    assert re.fullmatch(r"\([\d,]+ bytes of JSON, shown folded\)", rows[begin].text)
    texts = [row.text for row in rows[begin:]]
    assert f'    {{"name": "x-long", "value": "{"y" * 40}" … 460 more}}' in texts
    assert '  "args": [], "auth": null,' in texts
    assert len(texts) < 25


def test_the_times_of_reads_and_response_are_shown_and_the_end_is_not_a_read(wire: Watched) -> None:
    rows = wire.show(b"GET /x HTTP/1.1\r\n", _HEAD + b"\r\n")
    marks = [row.untimed for row in rows if row.text.startswith("── ")]
    assert [re.sub(r"[\d,]+ bytes", "N bytes", mark) for mark in marks if "read" in mark] == [
        f"{_MARK}read {number}: N bytes" for number in range(1, len(marks) - 2)
    ]
    assert f"{_MARK}the response begins" in marks
    assert f"{_MARK}the client has shut its write side" in marks
    assert any(re.fullmatch(rf"{_MARK}the response ends: \d+ bytes sent; .*", mark) for mark in marks)
    times = [float(row.text.split()[1]) for row in rows if row.text.startswith("── ")]
    assert times == sorted(times)
    reads = len(marks) - 3
    assert rows[-1].untimed == f"T, after {reads} read{'s' * (reads > 1)}"


def test_each_chunk_of_a_stream_is_shown_with_its_time(wire: Watched) -> None:
    delay = 0.1
    rows = wire.show(_post(b'{"query":"abc","delay":%.1f}' % delay, b"application/json", b"/stream_echo"))
    chunks = [row.text.split("  ", 1) for row in rows if row.label == "chunk"]
    assert [text for _, text in chunks] == [
        *(f'16␍␊data: {{"chunk": "{letter}"}}␊␊␍␊' for letter in "abc"),
        "0␍␊␍␊",
    ]
    times = [float(seconds.removesuffix(" s")) for seconds, _ in chunks]
    assert times[1] - times[0] >= 0.9 * delay
    assert times[2] - times[1] >= 0.9 * delay


def test_a_stream_that_the_client_leaves_is_shown_as_cut_off(wire: Watched) -> None:
    body = b'{"query":"abcdef","delay":0.2}'
    with Client(wire.port) as client:
        client.send(_post(body, b"application/json", b"/stream_echo"))
        while b'chunk"' not in client.received:
            assert not client.is_silent(5)
    rows = wire.last()
    assert rows[-2].untimed.startswith(f"{_MARK}the response is cut off after ")


def test_what_comes_behind_a_refusal_is_counted(wire: Watched) -> None:
    with Client(wire.port) as client:
        client.send(b"POST /x HTTP/1.1\r\n%sContent-Length: x\r\n\r\n" % _HEAD)
        assert client.response().status == 400
        client.send(b"y" * 5000).end()
        client.until_closed()
    assert wire.last()[-1].text.endswith("after 1 read; 5,000 more bytes came and were dropped")


def test_control_characters_of_a_request_never_reach_the_terminal(wire: Watched) -> None:
    wire.show(b"POST /x HTTP/1.1\r\n%sContent-Length: 8\r\n\r\n\x1b[2J\x9b31m" % _HEAD)
    wire.show(b"GET /\x1b]0;owned\x07 HTTP/1.1\r\n%s\r\n" % _HEAD)
    wire.show(b"POST /upload/%%C2%%9B31m HTTP/1.1\r\n%s\r\n" % _HEAD)  # the reason names the path
    assert "\x1b" not in wire.text
    assert "\x9b" not in wire.text


def test_the_reads_and_the_100_are_shown_where_they_happen(wire: Watched) -> None:
    head = request("POST", "/x", "Expect: 100-continue", length=5)
    with Client(wire.port) as client:
        client.send(head)
        while not client.continues:
            assert not client.is_silent(5)
        client.send(b"hello").response()
        client.end()
        client.until_closed()
    steps = [
        ("", f"{_MARK}read 1: {len(head)} bytes"),
        ("end of head", "␍␊"),
        ("sent", "HTTP/1.1 100 Continue: the client waits for it before it sends the body"),
        ("", f"{_MARK}read 2: 5 bytes"),
        ("body", "hello"),
        ("", f"{_MARK}the response begins"),
        ("response", "HTTP/1.1 200 OK"),
        ("", f"{_MARK}the client has shut its write side"),
        ("closed", "T, after 2 reads"),
    ]
    assert [row for row in ((row.label, row.untimed) for row in wire.last()) if row in steps] == steps


def test_two_connections_at_once_keep_their_own_rows(wire: Watched) -> None:
    before = wire.text.count(" connected ")
    with Client(wire.port) as first, Client(wire.port) as second:
        first.send(b"GET /first HTTP/1.1\r\n")
        second.send(b"GET /second HTTP/1.1\r\n%s\r\n" % _HEAD).response()
        first.send(b"%s\r\n" % _HEAD).response()
    assert eventually(lambda: wire.text.count(" closed ") == before + 2)
    for number, path in ((before + 1, "/first"), (before + 2, "/second")):
        lines = [row.text for row in rows_of(wire.text, number) if row.label == "request line"]
        assert lines == [f"GET {path} HTTP/1.1␍␊"]


def test_a_slow_store_does_not_change_the_order(wire: Watched) -> None:
    """A request that comes while the one before is published is shown after its response."""
    form = _post(_form(b"abc"), b"multipart/form-data; boundary=b")
    with Client(wire.port) as client:
        client.send(form)
        time.sleep(0.01)
        client.send(b"GET /x HTTP/1.1\r\n%s\r\n" % _HEAD)
        client.responses(2)
        client.end()
        client.until_closed()
    labels = _labels(wire.last())
    assert labels.count("request line") == 2
    second = len(labels) - 1 - labels[::-1].index("request line")
    assert "close delim." not in labels[second:]
    assert labels.index("response") < second
