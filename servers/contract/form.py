"""Builds fields and files from the events of a multipart parser, and keeps the limits on them."""

import hashlib
from collections.abc import Iterable

from ..storage.base import FileWriter, StoredFile, Upload
from .limits import Limits
from .problems import Problem
from .request import FileEntry, FormField, PartData, PartEnd, PartEvent, PartHead

CHARSETS = ("utf-8", "us-ascii", "iso-8859-1")
"""The charsets in which text is decoded (C12, M76)."""


class HashingWriter:
    """A FileWriter that only hashes and counts: for routes that do not store files."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self._hash.update(data)
        self._size += len(data)

    def close(self) -> StoredFile:
        return StoredFile(self._hash.hexdigest(), self._size)

    def discard(self) -> None:
        """Does nothing: no bytes are kept."""


class FormBuilder:
    """Takes the events PartHead, PartData and PartEnd in order, and collects `form` and `files`.

    Files are written to `upload` piece by piece; if it is None they are only hashed. Raises Problem
    `too_many_parts` (M86), `field_too_large` (M87), `field_encoding` (M76, M78) or `part_charset` (M77), and
    OSError from the store.
    """

    def __init__(self, upload: Upload | None, limits: Limits) -> None:
        self.form: list[FormField] = []
        self.files: list[FileEntry] = []
        self._upload = upload
        self._limits = limits
        self._text_left = limits.max_field_text
        self._count = 0
        self._part: _TextPart | _FilePart | _UntypedPart | None = None

    def feed(self, events: Iterable[PartEvent]) -> None:
        for event in events:
            if isinstance(event, PartData):
                self._write(event.data)
            elif isinstance(event, PartHead):
                self._begin(event)
            else:
                self._end(event)

    def _begin(self, head: PartHead) -> None:
        if self._count == self._limits.max_parts:
            raise Problem("too_many_parts", f"the body has more than {self._limits.max_parts} parts")
        index = self._count
        self._count += 1
        if head.filename is None and head.content_type is None:
            self._part = _UntypedPart(index, head, self._text_left)
        elif head.filename is None and head.media_type is not None and _is_text_field(head):
            self._part = _TextPart(index, head, self._text_left, _part_charset(head))
        else:
            self._part = self._file_part(index, head)

    def _file_part(self, index: int, head: PartHead) -> "_FilePart":
        writer = self._upload.new_file() if self._upload else HashingWriter()
        return _FilePart(index, head, writer, stored=self._upload is not None)

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        part = self._part
        assert part is not None, "data before a header block"
        if not part.feed(data):
            # It has more bytes than a text field may hold and is not UTF-8, so it is a file (M78).
            assert isinstance(part, _UntypedPart)
            self._part = self._as_file(part)
            self._part.feed(data)

    def _end(self, _event: PartEnd) -> None:
        part, self._part = self._part, None
        assert part is not None, "the end of a part without its header block"
        if isinstance(part, _UntypedPart) and not part.is_utf8():
            part = self._as_file(part)
        if isinstance(part, _FilePart):
            self.files.append(part.entry())
        else:
            self._text_left -= len(part.held)
            self.form.append(part.field())

    def _as_file(self, part: "_UntypedPart") -> "_FilePart":
        file_part = self._file_part(part.index, part.head)
        file_part.feed(part.held)
        return file_part


def _is_text_field(head: PartHead) -> bool:
    media_type = head.media_type
    return media_type is not None and (media_type.is_text or media_type.is_json or media_type.is_urlencoded)


def _part_charset(head: PartHead) -> str:
    assert head.media_type is not None
    charset = (head.media_type.parameter("charset") or "utf-8").lower()
    if charset not in CHARSETS:
        raise Problem("part_charset", f"the field {head.name!a} has the unknown charset {charset!a}")
    return charset


class _TextPart:
    """A part with a text type and no file name: always a field (M81)."""

    def __init__(self, index: int, head: PartHead, room: int, charset: str) -> None:
        self.index = index
        self.head = head
        self.held = bytearray()
        self._room = room
        self._charset = charset

    def feed(self, data: bytes | bytearray | memoryview) -> bool:
        if len(self.held) + len(data) > self._room:
            raise _too_large(self.head, self._room)
        self.held += data
        return True

    def field(self) -> FormField:
        try:
            value = self.held.decode(self._charset)
        except UnicodeDecodeError as error:
            detail = f"byte {error.start} of the field {self.head.name!a} is not {self._charset}"
            raise Problem("field_encoding", detail) from None
        return FormField(self.index, self.head.name, value, self.head.headers)


class _UntypedPart(_TextPart):
    """A part with neither file name nor Content-Type: a field if its bytes are UTF-8, else a file (M78).

    At most `room` bytes are held. A longer part is classified by exactly its first `room` bytes, whatever
    the size of the pieces: UTF-8 is a field that is too large, other bytes are a file.
    """

    def __init__(self, index: int, head: PartHead, room: int) -> None:
        super().__init__(index, head, room, "utf-8")

    def feed(self, data: bytes | bytearray | memoryview) -> bool:
        room = self._room - len(self.held)
        if len(data) <= room:
            self.held += data
            return True
        prefix = bytes(self.held) + bytes(data[:room])
        if _is_utf8(prefix, complete=False):
            raise _too_large(self.head, self._room)
        return False

    def is_utf8(self) -> bool:
        return _is_utf8(self.held, complete=True)


class _FilePart:
    """A part that is a file: its bytes go to the writer."""

    def __init__(self, index: int, head: PartHead, writer: FileWriter, *, stored: bool) -> None:
        self._index = index
        self._head = head
        self._writer = writer
        self._stored = stored

    def feed(self, data: bytes | bytearray | memoryview) -> bool:
        self._writer.write(data)
        return True

    def entry(self) -> FileEntry:
        file = self._writer.close()
        head = self._head
        return FileEntry(
            self._index,
            head.name,
            head.filename,
            head.content_type,
            head.headers,
            file.size,
            file.sha256,
            self._stored,
        )


def _is_utf8(data: bytes | bytearray, *, complete: bool) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        # The bytes that follow may complete a sequence that is incomplete at the very end.
        return not complete and error.reason == "unexpected end of data"
    return True


def _too_large(head: PartHead, room: int) -> Problem:
    return Problem(
        "field_too_large", f"the field {head.name!a} is larger than the {room} bytes left for text"
    )
