"""A body that is appended to an upload that comes in pieces: what its protocols have in common.

A protocol (`routes/tus.py`, `routes/resumable_draft.py`) derives from `Appending` and has its own `open`
and `answer`, which are not implemented here. `Exchange` calls it:

    __init__    the head is checked; nothing waits for the disk
    begin       the upload is created or taken over, and its offset is checked
    write       the bytes are appended while they come
    finish      the offset is durable; a complete upload is published; the response
    abort       the request has failed: what came before stays, so that the client can go on from there

With `checked` the body is kept apart until it is complete and its digests are right. Then it is appended.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..storage.resumable import ResumableUpload, TakenOver
from .interim import Fields
from .problems import Problem
from .request import ParsedBody, ParsedRequest, RequestHead
from .request_files import Data, RequestFiles
from .responses import Response
from .route import Context
from .spool import Spool

_BLOCK = 128 * 1024  # what a thread has freed it may keep, and there are many threads
# How many bytes come between two tellings of the offset. Each waits for an fsync.
_PROGRESS = 32 * 1024 * 1024


class Appending:
    """What one request does with one upload; see the module. Only one thread may use it at a time."""

    def __init__(
        self, head: RequestHead, context: Context, *, checked: bool = False, ignored: bool = False
    ) -> None:
        """`ignored`: a body has no meaning, and is dropped (RFC 9110 9.3.2, 9.3.5)."""
        self.head = head
        self.context = context
        self.interim: Fields | None = None
        self.was_told = False
        self._ignored = ignored
        self._since_told = 0
        self._upload: ResumableUpload | None = None
        self._spool = Spool(context.store.scratch) if checked else None
        self._broken = False

    @property
    def has_begun(self) -> bool:
        """Whether `abort` may wait for the disk."""
        return self._upload is not None or (self._spool is not None and self._spool.on_disk)

    @property
    def has_upload(self) -> bool:
        """Whether `begin` has opened the upload, and nobody has closed it yet."""
        return self._upload is not None

    @property
    def keeps_rest(self) -> bool:
        """Whether bytes that have come are appended although the request has failed."""
        return self._upload is not None and self._spool is None and not self._broken

    @property
    def upload(self) -> ResumableUpload:
        """The upload, which `begin` has opened."""
        assert self._upload is not None, "begin was not called"
        return self._upload

    def open(self) -> ResumableUpload:
        """Create the upload, or take it over. Raises Problem and OSError."""
        raise NotImplementedError

    def check_open(self) -> None:
        """Compare the request with the upload, before its body is appended. Raises Problem."""

    def check_whole(self) -> None:
        """The whole body has come, and is not appended yet if it is `checked`. Raises Problem."""

    def answer(self, request: ParsedRequest) -> Response:
        """The response, when the whole body has been appended. Raises Problem and OSError."""
        raise NotImplementedError

    def appended(self) -> None:
        """Some bytes have been appended. Raises Problem and OSError."""

    def too_long(self, length: int) -> Problem:
        """The problem of a request with bytes behind the end of its upload. May raise TakenOver, OSError."""
        return too_long(length)

    @property
    def progress_is_due(self) -> bool:
        """Whether many bytes have come since this was true."""
        if self._since_told < _PROGRESS:
            return False
        self._since_told = 0
        return True

    def take_interim(self) -> Fields | None:
        """The fields of a 104 that is to be sent now, once. Whoever takes it sends it."""
        given, self.interim = self.interim, None
        self.was_told = self.was_told or given is not None
        return given

    def remove(self) -> None:
        """Remove the upload of a request that has failed. Never raises."""
        self._broken = True
        with suppress(OSError, TakenOver):
            self.upload.remove()

    def begin(self) -> None:
        """Open the upload, once. Raises Problem and OSError."""
        if self._upload is None and not self._broken:
            self._broken = True  # unless it succeeds: nothing is appended to an upload that was not checked
            self._upload = self.open()
            with self._in_turn():
                self.check_open()
                self._require_room()
            self._broken = False

    def takes(self, size: int) -> bool:
        """Whether `write` takes so many more bytes, as far as is known without the disk."""
        if self._upload is None or self._spool is not None:
            return True  # a body that is checked first is appended when it is complete
        end, length = self._upload.offset + size, self._upload.known.length
        return end <= self.context.limits.max_body and (length is None or end <= length)

    def write(self, data: Data) -> None:
        """The next bytes of the body. Raises Problem and OSError."""
        if self._broken or self._ignored:
            return
        self.begin()
        try:
            if self._spool is None:
                self._append(data)
            else:
                self._spool.write(data)
        except BaseException:
            self._broken = True
            raise

    def finish(self, request: ParsedRequest) -> Response:
        """The response. Raises Problem and OSError."""
        self.begin()
        self.check_whole()
        with self._in_turn():
            if self._spool is not None:
                for offset in range(0, self._spool.size, _BLOCK):
                    self._append(self._spool.read(offset, _BLOCK))
            response = self.answer(request)
        self.close()
        return response

    def abort(self) -> None:
        """The request has failed. What it has appended stays. Never raises."""
        if self.keeps_rest:
            with suppress(OSError, TakenOver):
                self.upload.sync()
        self.close()

    def close(self) -> None:
        """Leave the upload to other requests. Never raises. May be called twice."""
        if self._spool is not None:
            with suppress(OSError):
                self._spool.close()
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.close()

    def _append(self, data: Data) -> None:
        upload = self.upload
        length, most = upload.known.length, self.context.limits.max_body
        if length is not None and upload.offset + len(data) > length:
            with self._in_turn():
                raise self.too_long(length)
        if upload.offset + len(data) > most:
            raise Problem("body_too_large", f"an upload may have at most {most} bytes", rule="P3")
        with self._in_turn():
            upload.append(data)
            self._since_told += len(data)
            self.appended()

    def _require_room(self) -> None:
        if self.context.store.keeps_free:
            self.context.store.require_room(self.head.content_length or 0)

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        try:
            yield
        except TakenOver:
            what = "another request has taken over this upload, or has removed it: ask for its offset"
            raise Problem("upload_taken_over", what, rule="P9") from None


class AppendBuilder:
    """A body that is appended as it comes, whatever its type says."""

    def __init__(self, files: RequestFiles) -> None:
        self._file = files.new_file()
        self._size = 0

    def feed(self, data: Data, /) -> None:
        self._size += len(data)
        self._file.write(data)

    def end(self) -> None:
        self._file.end()

    def body(self) -> ParsedBody:
        return ParsedBody("bytes" if self._size else "none", None, self._size)


def too_long(length: int) -> Problem:
    """For a request with bytes behind the end of its upload."""
    what = f"the upload has {length} bytes, and more were sent"
    return Problem("upload_length", what, rule="P7", field="upload-length")
