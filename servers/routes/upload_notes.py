"""What is noted of an upload that comes in pieces, and how the file that it becomes is described."""

import json
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Self

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import FileEntry, ParsedBody, ParsedRequest
from ..contract.route import Context
from ..storage.base import StoredFile
from ..storage.resumable import ResumableUpload


@dataclass(frozen=True, slots=True)
class Notes:
    """The name and the type of the file, if they are known, and tus's Upload-Metadata as it was sent."""

    filename: str | None = None
    content_type: str | None = None
    metadata: str | None = None

    def as_text(self) -> str:
        """What a store keeps of it."""
        return json.dumps([self.filename, self.content_type, self.metadata])

    @classmethod
    def of(cls, upload: ResumableUpload) -> Self:
        """The notes of an upload."""
        return cls(*json.loads(upload.known.notes))


def take_over(context: Context, upload_id: str) -> ResumableUpload:
    """The upload with this name. Raises Problem `not_found`, also if it is too old, and OSError."""
    upload = context.store.resumables.take_over(upload_id)
    if upload is None:
        raise not_there()
    if upload.age > context.limits.resume_timeout:
        upload.close()
        raise not_there()
    return upload


def not_there() -> Problem:
    """For an upload that has expired, was removed or never was there."""
    return Problem("not_found", "there is no such upload, or it has expired", rule="P10", field="target")


def expiry(upload: ResumableUpload, limits: Limits) -> str:
    """When the upload expires if nobody continues it, as an HTTP date (RFC 9110 5.6.7)."""
    return formatdate(upload.touched + limits.resume_timeout, usegmt=True)


def file_of(upload: ResumableUpload, stored: StoredFile) -> FileEntry:
    """The file that an upload has become."""
    notes = Notes.of(upload)
    return FileEntry(0, None, notes.filename, notes.content_type, (), stored.size, stored.sha256, True)


def with_file(request: ParsedRequest, upload: ResumableUpload) -> ParsedRequest:
    """The request as if its body had been the whole upload; without a body while it is not complete."""
    stored = upload.known.stored
    if stored is None:
        return replace(request, body=ParsedBody())
    file = file_of(upload, stored)
    body = ParsedBody("bytes", request.body.media_type, stored.size, stored.sha256, files=(file,))
    return replace(request, body=body)
