"""Makes the requests of any Flask application strict and exact: `app.request_class = StrictRequest`.

What changes for the application:

- `request.form` and `request.files` have what was sent, byte for byte, or the request is refused. Werkzeug's
  own request gives an empty form for a broken body, loses backslashes of file names, and may add bytes.
- `request.get_json()` refuses what parsers read differently: keys that are there twice, NaN, broken UTF-8.
- `request.get_data()` and `request.stream` refuse a body that ends too early.
- A refusal is an exception of Werkzeug (`BadRequest`, `RequestEntityTooLarge`), so error handlers for its
  status apply. Without one the response is `application/problem+json` (RFC 9457).
- A part without a file name is a file without a name when its bytes are no text.

As with Werkzeug's own request, a file of more than 500 kB is streamed to disk, and `MAX_CONTENT_LENGTH`,
`MAX_FORM_MEMORY_SIZE` and `MAX_FORM_PARTS` are the limits.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, Any

from flask import Request
from flask import Response as FlaskResponse
from werkzeug.datastructures import FileStorage, Headers
from werkzeug.exceptions import HTTPException, default_exceptions
from werkzeug.utils import cached_property

from ..contract.body import UrlencodedBuilder
from ..contract.form import FormBuilder
from ..contract.json_reader import read_json
from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import FileEntry, FormField, MediaType
from ..contract.request_files import Data, RequestFiles
from ..contract.responses import problem_response
from ..flask_reading import WerkzeugParsers
from ..flask_reading.framing import read_framing
from ..storage.base import StoredFile
from .body_input import BodyInput

_PARSERS = WerkzeugParsers()
_READ_BYTES = 64 * 1024
_UNLIMITED = 1 << 62
_DEFAULTS = Limits()

NewStream = Callable[[], IO[bytes]]


class StrictRequest(Request):
    """A request whose body is read strictly and exactly, or refused with a problem of the contract.

    Its attributes raise a subclass of `werkzeug.exceptions.HTTPException` with the status of the problem.
    """

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body. Reading it raises when the body ends before its announced end."""
        if self.shallow:
            raise RuntimeError("This request does not read its body: it is shallow.")
        with _refusing():
            lengths, codings = (
                [self.environ[key]] if self.environ.get(key) else []
                for key in ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING")
            )
            framing = read_framing(lengths, codings, http_1_0=False)
            limit = self._limits.max_body
            if (framing.content_length or 0) > limit:
                what = f"a body may have at most {limit} bytes"
                raise Problem("body_too_large", what, rule="B41", field="content-length")
            has_type = "CONTENT_TYPE" in self.environ
            return io.BufferedReader(_Body(BodyInput(self.environ, framing, self._limits, has_type=has_type)))

    def _load_form_data(self) -> None:
        if "form" in self.__dict__:
            return
        stream = self._get_stream_for_parsing()
        form: list[tuple[str, str]] = []
        files: list[tuple[str, FileStorage]] = []
        with _refusing():
            media_type = _PARSERS.content_type(self.content_type) if self.content_type else None
            if media_type is not None and media_type.is_form_data:
                form, files = self._read_multipart(stream, media_type)
            elif media_type is not None and media_type.is_urlencoded:
                form = self._read_urlencoded(stream, media_type)
        # These are cached properties: the values in the dictionary hide them.
        storage = self.parameter_storage_class
        self.__dict__.update(stream=stream, form=storage(form), files=storage(files))

    def _read_multipart(
        self, stream: IO[bytes], media_type: MediaType
    ) -> tuple[list[tuple[str, str]], list[tuple[str, FileStorage]]]:
        data = stream.read(_READ_BYTES)
        if not data:
            return [], []  # a body without a byte is an empty form
        if (self.headers.get("Content-Encoding") or "identity").strip().lower() != "identity":
            what = "a form must come without a Content-Encoding"
            raise Problem("unsupported_content_encoding", what, rule="B44", field="content-encoding")
        spooled = _SpooledFiles(lambda: self._get_file_stream(self.content_length, None))
        builder = FormBuilder(spooled, self._limits)
        parser = _PARSERS.multipart(media_type, self._limits)
        try:
            while data:
                builder.feed(parser.feed(data))
                data = stream.read(_READ_BYTES)
            builder.feed(parser.finish())
        except BaseException:
            spooled.close()
            raise
        files = [_storage(*pair) for pair in zip(builder.files, spooled.streams, strict=True)]
        return [_pair(field) for field in builder.form], [(file.name or "", file) for file in files]

    def _read_urlencoded(self, stream: IO[bytes], media_type: MediaType) -> list[tuple[str, str]]:
        builder = UrlencodedBuilder(media_type, _PARSERS, self._limits)
        while data := stream.read(_READ_BYTES):
            builder.feed(data)
        builder.end()
        return [_pair(field) for field in builder.body().form]

    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False) -> Any:
        """The body. Refused `as_text` when it is not UTF-8: Werkzeug would replace the bytes."""
        data: bytes = super().get_data(cache, parse_form_data=parse_form_data)
        if not as_text:
            return data
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            what, fault = (
                f"byte {error.start} of the body does not decode as utf-8",
                range(error.start, error.end),
            )
            raise refusal(Problem("text_encoding", what, rule="C12", fault=fault)) from None

    @property
    def json_module(self) -> Any:
        """What `get_json` reads with."""
        return _StrictJson

    @json_module.setter
    def json_module(self, _given: Any) -> None:
        """Flask sets the JSON provider of the application, which is not strict."""

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Refuse what is not valid JSON."""
        if isinstance(e, _InvalidJson):
            raise refusal(e.problem) from None
        return super().on_json_loading_failed(e)

    @property
    def _limits(self) -> Limits:
        """The limits of the application. None means none, as for Werkzeug."""
        return replace(
            _DEFAULTS,
            max_body=_or_unlimited(self.max_content_length),
            max_form=_or_unlimited(self.max_content_length),
            max_field_text=_or_unlimited(self.max_form_memory_size),
            max_parts=_or_unlimited(self.max_form_parts),
        )


def refusal(problem: Problem) -> HTTPException:
    """The exception of Werkzeug for the status of a problem; its response is the problem as JSON."""
    shown = problem_response(problem)
    assert isinstance(shown.body, bytes)
    response = FlaskResponse(shown.body, shown.status, list(shown.headers))
    kind = default_exceptions.get(shown.status, HTTPException)
    error = kind(problem.detail, response)
    error.code = shown.status
    return error


@contextmanager
def _refusing() -> Iterator[None]:
    """Raises a Problem as an exception that Flask answers."""
    try:
        yield
    except Problem as problem:
        raise refusal(problem) from None


def _or_unlimited(limit: int | None) -> int:
    return _UNLIMITED if limit is None else limit


def _pair(field: FormField) -> tuple[str, str]:
    return field.name, field.value


def _storage(entry: FileEntry, stream: IO[bytes]) -> FileStorage:
    headers = Headers([(name, value) for name, value in entry.headers])
    storage = FileStorage(stream, "", entry.name, entry.content_type, headers=headers)
    storage.filename = entry.filename  # given as None, Werkzeug would guess one from the stream
    return storage


class _Body(io.RawIOBase):
    """The pieces of a body as a file. Reading raises what Flask answers."""

    def __init__(self, body: BodyInput) -> None:
        self._pieces = iter(body)
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        with _refusing():
            if not self._piece:
                self._piece = memoryview(next(self._pieces, b""))
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._piece))
        target[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count


class _SpooledFiles(RequestFiles):
    """The files of a form, each in a stream of its own that is made when its first byte comes."""

    def __init__(self, new_stream: NewStream) -> None:
        super().__init__(None)
        self.streams: list[IO[bytes]] = []
        self._new_stream = new_stream

    def new_writer(self) -> _SpooledWriter:
        self.streams.append(self._new_stream())
        return _SpooledWriter(self.streams[-1])

    def close(self) -> None:
        """Close all streams, which removes what is on disk."""
        for stream in self.streams:
            stream.close()


class _SpooledWriter:
    """Writes one file."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._size = 0

    def write(self, data: Data, /) -> None:
        self._stream.write(data)
        self._size += len(data)

    def close(self) -> StoredFile:
        """The file is complete, and can be read from its start. Its hash is not computed."""
        self._stream.seek(0)
        return StoredFile("", self._size)


class _InvalidJson(ValueError):
    """What `get_json(silent=True)` may hide."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class _StrictJson:
    """The part of a JSON module that `get_json` uses."""

    @staticmethod
    def loads(data: bytes) -> Any:
        """The value of a JSON text. Raises ValueError."""
        try:
            return read_json(data, _DEFAULTS.max_json_depth)
        except Problem as problem:
            raise _InvalidJson(problem) from None
