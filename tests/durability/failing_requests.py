"""Makes the N-th request of a kind fail between a server and its object store.

`FailingRequests` is a proxy in the process of the test. It has the methods of `FailingCalls`, so the torture
loop can use it. The errors stand for ways to fail:

    ECONNRESET   the connection ends before the store has seen the request
    ETIMEDOUT    the connection ends after the store has done it: only the response is lost
    EBUSY        503 SlowDown, and the store has not seen the request
    EACCES       403 AccessDenied, which is not tried again
"""

import errno
import http.client
import threading
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, urlsplit

KINDS: Final = (
    *("put", "copy", "begin", "part", "complete", "head", "get", "list", "uploads", "abort", "delete"),
)
WAYS: Final = (errno.ECONNRESET, errno.ETIMEDOUT, errno.EBUSY, errno.EACCES)
_HOP: Final = {"connection", "keep-alive", "transfer-encoding", "content-length"}
_REFUSALS: Final = {errno.EBUSY: (503, b"SlowDown"), errno.EACCES: (403, b"AccessDenied")}


class FailingRequests:
    """A proxy before the object store at `endpoint`. `pid` is the process that the torture loop looks at."""

    environment: Mapping[str, str] = {}

    def __init__(self, endpoint: str) -> None:
        self.pid = 0
        self.seen: Counter[str] = Counter()
        self._store = urlsplit(endpoint).netloc
        self._lock = threading.Lock()
        self._armed = ("", 0, 0)
        self._calls = 0
        self._failed = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Proxied)
        self._server.daemon_threads = True
        self._server.proxy = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """Where a server finds it."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Accept no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def arm(self, kind: str, number_of_error: int, nth: int) -> None:
        """From now on, count the requests of this kind, and make the `nth` one fail."""
        with self._lock:
            self._armed, self._calls, self._failed = (kind, number_of_error, nth), 0, False

    def disarm(self) -> bool:
        """Let everything succeed again. Returns whether a request has failed."""
        with self._lock:
            self._armed = ("", 0, 0)
            return self._failed

    def forget_synced(self) -> None:
        """Nothing is synced here."""

    def synced(self) -> dict[int, bool]:
        """Nothing is synced here."""
        return {}

    def way(self, kind: str) -> int:
        """How this request fails: an error, or 0 if it succeeds."""
        with self._lock:
            self.seen[kind] += 1
            armed, number, nth = self._armed
            if kind != armed:
                return 0
            self._calls += 1
            self._failed = self._failed or self._calls == nth
            return number if self._calls == nth else 0

    def forward(self, method: str, target: str, fields: Mapping[str, str], body: bytes) -> "_Answer":
        """Let the store respond."""
        connection = http.client.HTTPConnection(self._store, timeout=60)
        try:
            connection.request(method, target, body, dict(fields))
            response = connection.getresponse()
            return _Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()


class _Answer:
    def __init__(self, status: int, fields: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.fields = fields
        self.body = body


class _Proxied(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the server under test was killed, or has closed a connection that failed
            self.close_connection = True

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_"):
            return self._respond
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Be quiet."""

    def _respond(self) -> None:
        proxy: FailingRequests = self.server.proxy  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        way = proxy.way(self._kind())
        if way == errno.ECONNRESET:
            self.close_connection = True
            return
        if way in _REFUSALS:
            status, code = _REFUSALS[way]
            answer = _Answer(status, [], b"<Error><Code>%b</Code></Error>" % code)
        else:
            answer = proxy.forward(self.command, self.path, dict(self.headers.items()), body)
        if way == errno.ETIMEDOUT:
            self.close_connection = True
            return
        self._send(answer)

    def _send(self, answer: _Answer) -> None:
        self.send_response_only(answer.status)
        sent = dict(answer.fields)
        for name, value in sent.items():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        size = sent.get("Content-Length", "0") if self.command == "HEAD" else str(len(answer.body))
        self.send_header("Content-Length", size)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _kind(self) -> str:
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if self.command == "PUT":
            return "part" if "partNumber" in query else "copy" if self.headers["x-amz-copy-source"] else "put"
        if self.command == "POST":
            return "begin" if "uploads" in query else "complete"
        if self.command == "DELETE":
            return "abort" if "uploadId" in query else "delete"
        if self.command == "GET":
            return "uploads" if "uploads" in query else "list" if "list-type" in query else "get"
        return self.command.lower()
