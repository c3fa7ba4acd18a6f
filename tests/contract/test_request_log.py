"""The line of a request: its fields, what is escaped, and how long it may be."""

import json
import re
from pathlib import Path

import pytest

from servers.contract.log_writer import BLOCK, LogWriter
from servers.contract.problems import Problem
from servers.contract.request import FileEntry
from servers.contract.request_log import RequestLog, RequestRecord
from servers.contract.responses import Response, problem_response

README = (Path(__file__).parent.parent.parent / "servers" / "README.md").read_text("utf-8")
PEER = ("127.0.0.1", 4711)
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
SHA256 = "0123456789abcdef" * 4
HOSTILE = '\x00\x07\x1b[2J\n\r\x7f\x9b\u0085\u2028\u202e\U000e0001"\\ ü\udcff'


class _Lines(LogWriter):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__(None)
        self.lines: list[str] = []

    def write(self, text: str) -> None:
        assert text.endswith("\n")
        assert text.count("\n") == 1
        self.lines.append(text.removesuffix("\n"))


class _Log:
    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.writer = _Lines()
        self.log = RequestLog(quiet=quiet, as_json=as_json, writer=self.writer)

    def line(self, record: RequestRecord) -> str:
        record.end()
        return self.writer.lines.pop()


def _file(name: str | None, size: int = 5) -> FileEntry:
    return FileEntry(0, "f", name, None, (), size, SHA256, True)


def _stored(*names: str | None) -> Response:
    return Response(200, (), stored=tuple(map(_file, names)))


def test_a_line_has_all_fields_in_their_order() -> None:
    log = _Log()
    record = log.log.record(PEER)
    record.begin("PUT", "/upload/a.txt?token=secret")
    record.token = "ci"
    record.respond(_stored("a.txt"))
    record.received, record.sent = 5, 703
    assert re.fullmatch(
        rf"{TIME} 127\.0\.0\.1:4711 PUT /upload/a\.txt 200 - received=5 sent=703 ms=\d+\.\d token=ci "
        rf'file="a\.txt" size=5 sha256={SHA256}',
        log.line(record),
    )


def test_json_has_the_same_fields_under_the_documented_keys() -> None:
    log = _Log(as_json=True)
    record = log.log.record(PEER)
    record.begin("PUT", "/upload/a.txt?token=secret")
    record.token = "ci"
    record.respond(_stored("a.txt", None))
    record.received, record.sent = 5, 703
    members = json.loads(log.line(record))
    assert re.fullmatch(TIME, members.pop("time"))
    assert members.pop("milliseconds") >= 0
    assert members == {
        "peer": "127.0.0.1:4711",
        "method": "PUT",
        "target": "/upload/a.txt",
        "status": 200,
        "code": None,
        "received": 5,
        "sent": 703,
        "token": "ci",
        "files": [
            {"name": "a.txt", "size": 5, "sha256": SHA256},
            {"name": None, "size": 5, "sha256": SHA256},
        ],
    }
    for key in ("time", "milliseconds", *members, "more_files", "lost", "level", "logger", "message"):
        assert f"`{key}`" in README


def test_what_is_not_known_is_a_dash_or_null() -> None:
    for as_json in (False, True):
        log = _Log(as_json=as_json)
        record = log.log.record(None)
        record.begin()
        line = log.line(record)
        if as_json:
            members = json.loads(line)
            assert [members[key] for key in ("method", "target", "status", "code", "token")] == [None] * 5
            assert members["peer"] == "-"
        else:
            assert re.fullmatch(rf"{TIME} - - - - - received=0 sent=0 ms=\d+\.\d", line)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (("127.0.0.1", 1), "127.0.0.1:1"),
        (("::1", 1, 0, 0), "[::1]:1"),
        (("fe80::1%eth0", 1, 0, 3), "[fe80::1%eth0]:1"),
        (("127.0.0.1", "1"), "127.0.0.1:1"),
        ("", "-"),
        (b"", "-"),
        (None, "-"),
    ],
)
def test_the_peer_is_an_address_with_its_port(address: object, shown: str) -> None:
    assert _Log().log.record(address).peer == shown


@pytest.mark.parametrize("code", ["request_line", "uri_too_long", "unsupported_version"])
def test_of_a_refused_request_line_nothing_is_shown(code: str) -> None:
    log = _Log()
    record = log.log.record(PEER)
    record.begin("GET", "/what a server made of it")
    record.respond(problem_response(Problem(code, "because")))
    assert re.search(rf" - - \d+ {code} ", log.line(record))


def test_a_problem_is_shown_with_its_code_and_the_last_response_counts() -> None:
    log = _Log()
    record = log.log.record(PEER)
    record.begin("GET", "/")
    record.respond(_stored("a"))
    record.respond(problem_response(Problem("not_found", "because")))
    assert " GET / 404 not_found " in log.line(record)


def test_a_record_is_empty_after_its_end_and_is_written_once() -> None:
    log = _Log()
    record = log.log.record(PEER)
    record.end()
    record.begin("GET", "/a")
    record.respond(_stored("a"))
    record.received = record.sent = 1
    record.token = "ci"
    assert "file=" in log.line(record)
    record.end()
    assert log.writer.lines == []
    record.begin()
    assert re.search(r" - - - - received=0 sent=0 ms=0\.\d$", log.line(record))


def test_the_time_counts_from_the_first_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 101.5, 203.0, 300.0, 304.0])
    monkeypatch.setattr("servers.contract.request_log.time.monotonic", lambda: next(now))
    log = _Log()
    record = log.log.record(PEER)
    record.begin()
    record.begin("GET", "/")
    assert log.line(record).endswith(" ms=1500.0")
    record.begin("GET", "/", 200.0)
    assert log.line(record).endswith(" ms=3000.0")
    record.begin()
    record.begin("GET", "/", 302.0)
    assert log.line(record).endswith(" ms=2000.0")


def test_quiet_writes_nothing() -> None:
    log = _Log(quiet=True)
    record = log.log.record(PEER)
    record.begin("GET", "/")
    record.end()
    assert log.writer.lines == []


@pytest.mark.parametrize("as_json", [False, True])
def test_a_line_is_visible_ascii_and_blanks_whatever_was_sent(as_json: bool) -> None:
    """No client can end the line and begin another, or control the terminal on which the log is read."""
    log = _Log(as_json=as_json)
    record = log.log.record(PEER)
    record.begin(HOSTILE, "/" + HOSTILE)
    record.respond(_stored(HOSTILE))
    line = log.line(record)
    assert re.fullmatch("[ -~]+", line)
    if as_json:
        assert json.loads(line)["files"][0]["name"] == HOSTILE
    else:
        assert len(line.split(" file=")[0].split(" ")) == 9
        name = line.partition(" file=")[2].partition(" size=")[0]
        assert json.loads(name) == HOSTILE


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("name", ["a", "\x7f" * 300, "\U0001f600" * 300, '"' * 5000, "n" * 600])
@pytest.mark.parametrize("target", ["/", "/" + '"' * 9000, "/" + "\xff" * 9000])
def test_a_line_fits_into_a_pipe_as_a_whole(target: str, name: str, as_json: bool) -> None:
    log = _Log(as_json=as_json)
    record = log.log.record(("ffff:" * 7 + "ffff%interface-name", 65535))
    record.begin("M" * 9000, target)
    record.respond(_stored(*[name] * 1000))
    record.received = record.sent = 10**18
    line = log.line(record)
    assert len(line) + 1 <= BLOCK
    assert len(line) > BLOCK - 1000
    if as_json:
        members = json.loads(line)
        assert len(members["files"]) + members["more_files"] == 1000
        assert members["files"][0]["sha256"] == SHA256
    else:
        shown = line.count(f" sha256={SHA256}")
        assert line.endswith(f" more_files={1000 - shown}")
        assert shown > 0


def test_a_name_of_common_length_is_whole() -> None:
    log = _Log()
    for name in ("n" * 255, "ü" * 99):
        record = log.log.record(PEER)
        record.begin("POST", "/upload/")
        record.respond(_stored(name))
        assert f" file={json.dumps(name)} " in log.line(record)
