"""An upload server for tests: what came is there as objects, with the bytes of the wire."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

from .http1.response_parser import Response, ResponseError, read_responses
from .http1.sent_request import Sent, requests_in
from .real_clients.recorder import Conversation, Recorder

_POLL_SECONDS = 0.02
_SHOWN_BYTES = 2000
_VISIBLE = {0x09: "\\t", 0x0A: "\\n\n", 0x0D: "\\r"}


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file as the server read it. `part` is the name of its field, None for a body that is one file."""

    part: str | None
    filename: str | None
    content_type: str | None
    size: int
    sha256: str
    url: str

    @property
    def data(self) -> bytes:
        """Its bytes, as they were stored. Raises OSError when the server is gone."""
        with urlopen(self.url, timeout=10) as response:
            content: bytes = response.read()
        return content


class Named(Mapping[str, Any]):
    """Values by their names, in order. Of equal names `[name]` gives the first, `all(name)` all."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        self.pairs = tuple(pairs)

    def __getitem__(self, name: str) -> Any:
        values = self.all(name)
        if not values:
            raise KeyError(f"{name!r} is not among {', '.join(map(repr, self)) or 'none'}")
        return values[0]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.pairs))

    def __len__(self) -> int:
        return len(dict(self.pairs))

    def all(self, name: str) -> list[Any]:
        """Every value of this name."""
        return [value for each, value in self.pairs if each == name]


@dataclass(frozen=True, slots=True)
class Upload:
    """One request to the server, and its answer. `wire` has all bytes of the request.

    `form` and `files` are empty when the request was refused; `problem` then has the members of the refusal.
    """

    method: str
    target: str
    wire: bytes
    status: int
    form: Named
    files: Named
    problem: Mapping[str, Any]

    def __str__(self) -> str:
        head = f"{self.method} {self.target}: {self.status}, {len(self.wire):,} bytes"
        return head + "\n" + "".join(f"    {line}\n" for line in _shown(self.wire).splitlines())


class UploadServer:
    """A running server. `url` is where to upload; `uploads` are the requests that it has answered so far."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.url = f"{recorder.url}/upload/"

    @property
    def uploads(self) -> list[Upload]:
        """All requests with a whole answer, in the order of their connections."""
        conversations, origin = self._recorder.so_far(), self._recorder.url
        return [upload for each in conversations for upload in _uploads_of(each, origin)]

    def wait_for(self, count: int, seconds: float = 10.0) -> list[Upload]:
        """The uploads, once there are `count` of them. Raises AssertionError after `seconds`."""
        deadline = time.monotonic() + seconds
        while len(found := self.uploads) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{count} uploads were expected. {_told(found)}")
            time.sleep(_POLL_SECONDS)
        return found

    def file(self, part: str | None = None, **wanted: Any) -> ReceivedFile:
        """The only file that came with this `part`, `filename`, `size`, `sha256` or `content_type`.

        Raises AssertionError, which shows the bytes of all uploads, if there is none or more than one.
        """
        wanted = ({} if part is None else {"part": part}) | wanted
        uploads = self.uploads
        files: Iterator[ReceivedFile] = (file for upload in uploads for _, file in upload.files.pairs)
        found = [
            file for file in files if all(getattr(file, name) == value for name, value in wanted.items())
        ]
        if len(found) == 1:
            return found[0]
        like = " and ".join(f"{name}={value!r}" for name, value in wanted.items()) or "any"
        what = f"{len(found) or 'no'} files with {like}, but one was expected"
        raise AssertionError(f"{what}. {_told(uploads)}")


def _told(uploads: Sequence[Upload]) -> str:
    if not uploads:
        return "Nothing came."
    return f"{len(uploads)} came:\n" + "\n".join(map(str, uploads))


def _uploads_of(conversation: Conversation, origin: str) -> Iterator[Upload]:
    """The requests of one connection that have an answer. One that nobody can read takes all the rest."""
    sent = bytes(conversation.sent)
    requests = list(_readable(sent))
    methods = tuple(request.method.encode() for request in requests) or (b"POST",)
    try:
        responses = read_responses(bytes(conversation.received), methods, ended=False).complete
    except ResponseError:
        return
    rest = sent[sum(len(request.wire) for request in requests) :]
    if rest:
        requests.append(Sent(rest.partition(b"\r\n")[0].decode("latin-1"), (), b"", rest))
    for request, response in zip(requests, responses, strict=False):
        yield _upload(request, response, origin)


def _readable(sent: bytes) -> Iterator[Sent]:
    try:
        yield from requests_in(sent)
    except ValueError:
        return


def _upload(request: Sent, response: Response, origin: str) -> Upload:
    result = response.json_object() or {}
    accepted = 200 <= response.status < 300
    form = result.get("form", []) if accepted else []
    files = result.get("files", []) if accepted else []
    method, _, target = request.line.partition(" ")
    return Upload(
        method,
        target.rpartition(" ")[0] or target,
        request.wire,
        response.status,
        Named([(field["name"], field["value"]) for field in form]),
        Named([(file["name"] or "", _file(file, origin)) for file in files]),
        {} if accepted else result,
    )


def _file(entry: Mapping[str, Any], origin: str) -> ReceivedFile:
    return ReceivedFile(
        entry["name"],
        entry["filename"],
        entry["content_type"],
        entry["size"],
        entry["sha256"],
        origin + str(entry.get("href", "")),
    )


def _shown(wire: bytes) -> str:
    """The bytes as text, a line for each line; control bytes and others than ASCII are escaped."""
    text = "".join(
        chr(byte) if 0x20 <= byte < 0x7F else _VISIBLE.get(byte, f"\\x{byte:02x}")
        for byte in wire[:_SHOWN_BYTES]
    )
    more = len(wire) - _SHOWN_BYTES
    return text + (f"\n... {more:,} more bytes" if more > 0 else "")
