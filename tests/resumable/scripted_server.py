"""A small server of both protocols, in memory, which fails on demand.

It does what the clients need and no more, and it notes each request. `/tus` and `/draft` make uploads.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_READ_BYTES = 65536
_HOST = "127.0.0.1"


@dataclass(slots=True)
class ServedUpload:
    """An upload: its bytes so far, the fields that made it, and whether the client has completed it.

    A request waits for `turn`, because an earlier one may not have read yet what was sent before the cut.
    """

    length: int
    fields: dict[str, str]
    data: bytearray = field(default_factory=bytearray)
    complete: bool = False
    turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def metadata(self) -> dict[str, str]:
        """The pairs of Upload-Metadata."""
        pairs = (pair.split(" ") for pair in self.fields["upload-metadata"].split(","))
        return {key: base64.b64decode(value).decode() for key, value in pairs}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response instead of the proper one."""

    status: int
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Cut:
    """Take so many bytes of the body, and reset the connection; None: take all, and send no response."""

    after: int | None = None


Fault = Answer | Cut


@dataclass(slots=True)
class ScriptedServer:
    """`faults` are consumed by the next requests of their method. `asked` are method, path and offset."""

    port: int = 0
    uploads: dict[str, ServedUpload] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    always: dict[str, Fault] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    fields: list[dict[str, str]] = field(default_factory=list)
    options: tuple[tuple[str, str], ...] = ()
    limit: str | None = None
    location: Callable[[str], str] = lambda path: path
    final_fields: Callable[[ServedUpload], tuple[tuple[str, str], ...]] = lambda upload: ()
    before_answer: Callable[[], object] = lambda: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Without a final slash."""
        return f"http://{_HOST}:{self.port}"

    def methods(self) -> list[str]:
        """The methods of all requests so far."""
        return [each.partition(" ")[0] for each in self.asked]

    def data(self) -> list[bytes]:
        """The bytes of all uploads, in the order in which they were made."""
        return [bytes(upload.data) for upload in self.uploads.values()]

    def fault(self, method: str) -> Fault | None:
        """What is to go wrong with the next request of a method."""
        waiting = self.faults.get(method)
        return waiting.pop(0) if waiting else self.always.get(method)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scripted: ScriptedServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
        pass

    def handle_one_request(self) -> None:
        """Read a request, and do what the script or the protocol says."""
        self.raw_requestline = self.rfile.readline(65537)
        whole = bool(self.raw_requestline) and self.parse_request()
        self.close_connection = True  # a connection of its own for each request
        if not whole:
            return
        scripted = self.scripted
        fields = {name.lower(): value for name, value in self.headers.items()}
        with scripted.lock:
            scripted.asked.append(f"{self.command} {self.path} {fields.get('upload-offset', '-')}")
            scripted.fields.append(fields)
            fault = scripted.fault(self.command)
        if isinstance(fault, Answer):
            self._answer(fault)
            return
        try:
            answer = self._proper(fields, fault)
        except ConnectionError:
            return
        if fault is None and answer is not None:
            self._answer(answer)

    def _proper(self, fields: dict[str, str], cut: Cut | None) -> Answer | None:
        upload = self.scripted.uploads.get(self.path)
        if self.command == "OPTIONS":
            return Answer(204, self.scripted.options or self._options())
        if self.command == "POST":
            return self._create(fields)
        if upload is None:
            return Answer(404)
        with upload.turn:
            return self._of_upload(upload, fields, cut)

    def _of_upload(self, upload: ServedUpload, fields: dict[str, str], cut: Cut | None) -> Answer:
        if self.command == "HEAD":
            return Answer(200, (*self._state(upload), *self._final(upload)))
        if int(fields["upload-offset"]) != len(upload.data):
            return Answer(409, self._state(upload))
        self._take(upload, int(fields["content-length"]), cut)
        if fields.get("upload-complete") == "?1":
            upload.complete = True
        return Answer(204, (*self._state(upload), *self._final(upload)))

    def _options(self) -> tuple[tuple[str, str], ...]:
        if self.path.startswith("/draft"):
            limits = (("Upload-Limit", self.scripted.limit),) if self.scripted.limit else ()
            return (("Accept-Patch", "application/partial-upload"), *limits)
        return (("Tus-Version", "1.0.0"), ("Tus-Extension", "creation,termination"))

    def _create(self, fields: dict[str, str]) -> Answer:
        scripted = self.scripted
        with scripted.lock:
            path = f"{self.path}/{len(scripted.uploads)}"
            upload = scripted.uploads[path] = ServedUpload(int(fields["upload-length"]), fields)
        if fields.get("upload-complete") == "?1":
            upload.complete = True
            return Answer(200, (("Upload-Complete", "?1"), *self._final(upload)))
        limits = (("Upload-Limit", scripted.limit),) if scripted.limit else ()
        return Answer(201, (("Location", scripted.location(path)), *limits))

    def _take(self, upload: ServedUpload, length: int, cut: Cut | None) -> None:
        left = length if cut is None or cut.after is None else min(length, cut.after)
        while left:
            data = self.rfile.read1(min(left, _READ_BYTES))
            if not data:
                raise ConnectionAbortedError
            upload.data += data
            left -= len(data)
        if cut is not None and cut.after is not None:
            raise ConnectionAbortedError

    def _state(self, upload: ServedUpload) -> tuple[tuple[str, str], ...]:
        complete = (("Upload-Complete", f"?{int(upload.complete)}"),)
        return (
            ("Upload-Offset", str(len(upload.data))),
            *(complete if self.path.startswith("/draft") else ()),
        )

    def _final(self, upload: ServedUpload) -> tuple[tuple[str, str], ...]:
        done = upload.complete or (self.path.startswith("/tus") and len(upload.data) == upload.length)
        return self.scripted.final_fields(upload) if done else ()

    def _answer(self, answer: Answer) -> None:
        self.scripted.before_answer()
        head = f"HTTP/1.1 {answer.status} Status\r\nConnection: close\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in answer.fields)
        if answer.status != 204:
            head += f"Content-Length: {len(answer.body)}\r\n"
        self.wfile.write(head.encode() + b"\r\n" + answer.body)


def repr_digest(upload: ServedUpload) -> tuple[tuple[str, str], ...]:
    """Repr-Digest with the SHA-256 of the upload (RFC 9530, section 3)."""
    digest = base64.b64encode(hashlib.sha256(upload.data).digest()).decode()
    return (("Repr-Digest", f"sha-512=:AAAA:, sha-256=:{digest}:"),)


def problem(status: int, code: str, *fields: tuple[str, str]) -> Answer:
    """A refusal as our servers word it."""
    body = json.dumps({"code": code, "title": "Title", "detail": "detail"}).encode()
    return Answer(status, (("Content-Type", "application/problem+json"), *fields), body)


@contextmanager
def scripted() -> Iterator[ScriptedServer]:
    """A running server."""
    server = ScriptedServer()
    with running(type("Handler", (_Handler,), {"scripted": server})) as server.port:
        yield server


@contextmanager
def running(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """A server whose requests this class handles. Gives its port."""
    with ThreadingHTTPServer((_HOST, 0), handler) as serving:
        serving.daemon_threads = True
        thread = threading.Thread(target=serving.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield serving.server_port
        finally:
            serving.shutdown()
            thread.join()
