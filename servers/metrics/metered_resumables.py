"""Uploads in pieces of a store that is measured: how long their operations take, and which fail."""

from ..storage.base import StoredFile
from ..storage.resumable import Known, Resumables, ResumableUpload
from .measuring import Note, measured


class MeteredResumables:
    """See `resumable.Resumables`."""

    def __init__(self, resumables: Resumables, note: Note) -> None:
        self._resumables = resumables
        self._note = note

    def create(self, known: Known) -> "MeteredResumable":
        return MeteredResumable(measured(self._note, "begin", self._resumables.create, known), self._note)

    def take_over(self, upload_id: str) -> "MeteredResumable | None":
        upload = measured(self._note, "take_over", self._resumables.take_over, upload_id)
        return None if upload is None else MeteredResumable(upload, self._note)

    def remove_older(self, seconds: float) -> int:
        return measured(self._note, "expire", self._resumables.remove_older, seconds)


class MeteredResumable(ResumableUpload):
    """See `resumable.ResumableUpload`."""

    def __init__(self, upload: ResumableUpload, note: Note) -> None:
        self._upload = upload
        self._note = note
        self.id = upload.id
        self._learn()

    def append(self, data: bytes | bytearray | memoryview, /) -> None:
        try:
            measured(self._note, "append", self._upload.append, data)
        finally:
            self._learn()

    def sync(self) -> None:
        measured(self._note, "sync", self._upload.sync)

    def set_length(self, length: int) -> None:
        self._upload.set_length(length)
        self._learn()

    def finish(self) -> StoredFile:
        try:
            return measured(self._note, "finish", self._upload.finish)
        finally:
            self._learn()

    def remove(self) -> None:
        measured(self._note, "remove", self._upload.remove)

    def close(self) -> None:
        self._upload.close()

    def _learn(self) -> None:
        upload = self._upload
        self.known, self.offset, self.touched = upload.known, upload.offset, upload.touched
