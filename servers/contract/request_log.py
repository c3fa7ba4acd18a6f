"""The log of requests: one line for each, with the same fields on every backend.

    2026-11-30T09:15:02.417Z 127.0.0.1:45906 GET /files/ 404 not_found received=0 sent=157 ms=0.3

A line has at most 4,096 bytes, all of them visible ASCII or blanks. It holds no query and no header field,
because these may be secrets (contract section 8). servers/README.md explains the fields.
"""

import re
import time
from functools import lru_cache
from json import JSONEncoder
from typing import Any

from .capture import Capture
from .log_writer import BLOCK, STDERR, LogWriter
from .metrics import Metrics
from .request import FileEntry
from .responses import Response

_MOST_METHOD = 32
_MOST_TARGET = 1024
_MOST_NAME = 600  # bytes of a file name, escapes included
_CUT_NAME = 48  # characters that are left of a longer one; an escape has at most 12 bytes
_ROOM_FOR_MORE = 32  # bytes kept for the number of files that are left out
_ENCODER = JSONEncoder(separators=(",", ":"))
_NOT_VISIBLE = re.compile("[^!-~]")
# Of a target in absolute-form only the path is shown, as for any other request (RFC 9112 3.2.2).
_ORIGIN = re.compile("[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")
# In these cases the request line was refused, so nothing of it can be relied on.
_NO_REQUEST_LINE = frozenset({"request_line", "uri_too_long", "unsupported_version"})


class RequestRecord:
    """What the log says of one request. A backend fills it in and calls `end`, which writes the line.

    `received` and `sent` are the sizes of the two bodies in bytes, without chunked coding, as far as they
    were read and sent. After `end` the record is empty, so a connection needs one record for all its
    requests. `end` writes nothing unless `begin` was called before. `token` is the name of the token.
    `route` is the name of the route, for the metrics.

    `capture` is the history's part in this connection, or None: it learns of the response and of the end.
    """

    __slots__ = (
        *("_begun", "_log", "capture", "code", "files", "method", "peer", "received", "route", "sent"),
        *("status", "target", "token"),
    )

    def __init__(self, log: "RequestLog", peer: Any, capture: Capture | None = None) -> None:
        """`peer` is the address of the client as `socket.getpeername` returns it, or None."""
        self._log = log
        self.capture = capture
        self.peer = _peer(peer)
        self._clear()

    def _clear(self) -> None:
        self._begun = 0.0
        self.method: str | None = None
        self.target: str | None = None
        self.status: int | None = None
        self.code: str | None = None
        self.received = self.sent = 0
        self.files: tuple[FileEntry, ...] = ()
        self.token: str | None = None
        self.route: str | None = None

    def begin(self, method: str | None = None, target: str | None = None, since: float = 0.0) -> None:
        """The request has begun, or more of it is known. The method and the target of the last call count.

        The time counts from `since`, on the clock `time.monotonic`, or else from the first call.
        """
        self._begun = since or self._begun or time.monotonic()
        self.method, self.target = method, target

    def respond(self, response: Response) -> None:
        """The response is known. The last one counts, if an earlier one was not sent."""
        self.status, self.code, self.files = response.status, response.code, response.stored
        if self.code in _NO_REQUEST_LINE:
            self.method = self.target = None
        if self.capture is not None:
            self.capture.respond(response)

    def end(self) -> None:
        """The response is sent, or the connection is gone."""
        if self._begun:
            milliseconds = (time.monotonic() - self._begun) * 1000
            self._log.write(self, milliseconds)
            if self._log.metrics is not None:
                self._log.metrics.request_ended(self, milliseconds / 1000)
            if self.capture is not None:
                self.capture.end(self, milliseconds)
            self._clear()


class RequestLog:
    """Writes a line for each request. With `quiet` it writes none, with `as_json` each line is an object.

    The `metrics`, if there are any, count each request.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        as_json: bool = False,
        writer: LogWriter = STDERR,
        metrics: Metrics | None = None,
    ) -> None:
        self.metrics = metrics
        self._quiet = quiet
        self._line = _json_line if as_json else _text_line
        self._writer = writer

    def record(self, peer: Any, capture: Capture | None = None) -> RequestRecord:
        """An empty record for the requests of this client, see `RequestRecord`."""
        return RequestRecord(self, peer, capture)

    def write(self, record: RequestRecord, milliseconds: float) -> None:
        """Write the line. Never waits and never raises."""
        if not self._quiet:
            self._writer.write(self._line(record, milliseconds) + "\n")


def encode(value: Any) -> str:
    """JSON in visible ASCII and blanks. All else is escaped, so that it cannot control a terminal."""
    return _ENCODER.encode(value).replace("\x7f", "\\u007f")


def timestamp() -> str:
    """The time now in UTC, as RFC 3339 writes it, with milliseconds."""
    now = time.time()
    return f"{_second(int(now))}.{int(now % 1 * 1000):03}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _text_line(record: RequestRecord, milliseconds: float) -> str:
    line = (
        f"{timestamp()} {record.peer} {_method(record) or '-'} {_target(record) or '-'}"
        f" {record.status or '-'} {record.code or '-'}"
        f" received={record.received} sent={record.sent} ms={milliseconds:.1f}"
    )
    if record.token is not None:
        line += f" token={record.token}"
    if record.files:
        entries, left_out = _fitting(record.files, " file={} size={} sha256={}", BLOCK - len(line))
        line += "".join(entries) + (f" more_files={left_out}" if left_out else "")
    return line


def _json_line(record: RequestRecord, milliseconds: float) -> str:
    fields = {
        "time": timestamp(),
        "peer": record.peer,
        "method": _method(record),
        "target": _target(record),
        "status": record.status,
        "code": record.code,
        "received": record.received,
        "sent": record.sent,
        "milliseconds": round(milliseconds, 1),
        "token": record.token,
    }
    line = encode(fields)[:-1] + ',"files":['
    entries, left_out = _fitting(record.files, '{{"name":{},"size":{},"sha256":"{}"}}', BLOCK - len(line))
    return line + ",".join(entries) + (f'],"more_files":{left_out}}}' if left_out else "]}")


def _fitting(files: tuple[FileEntry, ...], form: str, room: int) -> tuple[list[str], int]:
    """The entries for which a line has room, each written by `form`, and the number of the other files."""
    entries: list[str] = []
    room -= _ROOM_FOR_MORE
    for file in files:
        entry = form.format(_name(file.filename), file.size, file.sha256)
        room -= len(entry) + 1
        if room < 0:
            break
        entries.append(entry)
    return entries, len(files) - len(entries)


def _name(name: str | None) -> str:
    quoted = encode(name)
    if name is not None and len(quoted) > _MOST_NAME:
        return _name(name[:_CUT_NAME] + "...")
    return quoted


def _method(record: RequestRecord) -> str | None:
    return record.method and _visible(record.method, _MOST_METHOD)


def _target(record: RequestRecord) -> str | None:
    if record.target is None:
        return None
    path = _ORIGIN.sub("", record.target, count=1) if record.target[:1] != "/" else record.target
    return _visible(path.partition("?")[0], _MOST_TARGET) or "/"


def _visible(text: str, most: int) -> str:
    """The text with all but visible ASCII percent-encoded; a long one is cut."""
    if _NOT_VISIBLE.search(text):
        text = _NOT_VISIBLE.sub(lambda match: f"%{ord(match[0]):02X}", text)
    return text if len(text) <= most else text[:most] + "..."


def _peer(address: Any) -> str:
    if not isinstance(address, tuple):
        return "-"  # a Unix socket: its clients have no address
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


QUIET = RequestLog(quiet=True)
"""A log that writes nothing."""
