"""The upload of one file, from its creation or from where an earlier process stopped, to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..http1.errors import UploadFailed
from ..http1.response_parser import Response
from .choice import Choice
from .kept_transfers import KeptTransfer
from .protocol import Limits, Upload
from .requester import Gone
from .retries import Retries
from .sent_file import SentFile

OnPosition = Callable[[int], object]
"""Gets the offset up to which a file is sent; it may be less than before, when some of it was lost."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that the server has: the URL of the upload, its last response, and where it went on first.

    `resumed_at` is 0 for an upload that an earlier process had not begun.
    """

    file: SentFile
    url: str
    response: Response
    resumed_at: int


class FileUpload:
    """Uploads `file`. `kept` has the URL of its upload as long as it is not complete.

    `most_bytes` is the largest piece to send in one request, None for no limit.
    """

    def __init__(
        self,
        file: SentFile,
        choice: Choice,
        kept: KeptTransfer,
        retries: Retries,
        on_position: OnPosition,
        most_bytes: int | None = None,
    ) -> None:
        self._file = file
        self._protocol = choice.protocol
        self._limits = choice.limits
        self._kept = kept
        self._retries = retries
        self._on_position = on_position
        self._most_bytes = most_bytes
        self._furthest = 0
        self._resumed_at: int | None = None

    def run(self) -> Uploaded:
        """Upload the file. Raises ClientError: when it cannot be sent, or too many tries have failed."""
        self._check_size(self._limits)
        upload = self._retries.until_done(self._to_the_end)
        self._kept.forget()
        return Uploaded(self._file, upload.url, upload.response, self._resumed_at or 0)

    def _to_the_end(self) -> Upload:
        """One try: find out how far the upload is, and send the rest of it."""
        try:
            upload = self._begin()
            while not upload.complete:
                upload = self._append(upload)
        except Gone:
            self._kept.forget()  # it expired, or the server has lost it: the next try makes another one
            self._resumed_at = 0
            self._on_position(0)
            raise
        self._on_position(self._file.size)
        return upload

    def _begin(self) -> Upload:
        if self._kept.value is None:
            upload = self._protocol.create(self._file)
            self._check_size(upload.limits)
            if not upload.complete:
                self._kept.keep(upload.url)
        else:
            upload = self._protocol.find(self._kept.value, self._file)
        if self._resumed_at is None:
            self._resumed_at = upload.offset
        self._reached(upload.offset)
        return upload

    def _append(self, upload: Upload) -> Upload:
        self._file.check_unchanged()
        self._file.catch_up(upload.offset)
        position = upload.offset

        def on_block(size: int) -> None:
            nonlocal position
            position += size
            self._on_position(position)

        answered = self._protocol.append(upload, self._end_of_piece(upload), self._file, on_block)
        if answered.offset <= upload.offset and not answered.complete:
            raise UploadFailed("the server took no byte of a piece, and it did not refuse it")
        self._reached(answered.offset)
        return answered

    def _end_of_piece(self, upload: Upload) -> int:
        """The offset before which the next request ends."""
        size = self._file.size
        largest = Limits(max_append=self._most_bytes).narrowed(self._limits).narrowed(upload.limits)
        return size if largest.max_append is None else min(size, upload.offset + largest.max_append)

    def _check_size(self, limits: Limits) -> None:
        if limits.max_size is not None and self._file.size > limits.max_size:
            raise UploadFailed(f"it has {self._file.size} bytes, and the server takes {limits.max_size}")

    def _reached(self, offset: int) -> None:
        """The server has so many bytes."""
        if offset > self._furthest:
            self._furthest = offset
            self._retries.got_further()
        self._on_position(offset)
