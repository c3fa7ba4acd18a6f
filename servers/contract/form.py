"""Builds fields and files from the events of a multipart parser, and keeps the limits on them."""

from collections.abc import Iterable

from .charsets import codec_of
from .limits import Limits
from .problems import Problem
from .quoted_printable import QuotedPrintableCheck
from .request import FileEntry, FormField, PartData, PartEvent, PartHead
from .request_files import RequestFile, RequestFiles


class FormBuilder:
    """Takes the events PartHead, PartData and PartEnd in order, and collects `form` and `files`.

    The bytes of files go to `files` piece by piece. Raises Problem `too_many_parts` (M86), `field_too_large`
    (M87) or `part_transfer_encoding` (M75), and OSError from the store.
    """

    def __init__(self, files: RequestFiles, limits: Limits) -> None:
        self.form: list[FormField] = []
        self._files = files
        self._file_parts: list[_FilePart] = []
        self._limits = limits
        self._text_left = limits.max_field_text
        self._count = 0
        self._part: _TextPart | _FilePart | None = None
        self._quoted_printable: QuotedPrintableCheck | None = None

    @property
    def files(self) -> list[FileEntry]:
        """The files of all parts that have ended. They must be written."""
        return [part.entry() for part in self._file_parts]

    def feed(self, events: Iterable[PartEvent]) -> None:
        for event in events:
            if isinstance(event, PartHead):
                self._begin(event)
                continue
            part = self._part
            assert part is not None, "an event of a part without its header block"
            try:
                if isinstance(event, PartData):
                    self._write(part, event.data)
                else:
                    self._end(part)
            except Problem as problem:
                raise problem.at(f"part {part.index} ({part.head.name!a})") from None

    def _begin(self, head: PartHead) -> None:
        if self._count == self._limits.max_parts:
            what = f"the body has more than {self._limits.max_parts} parts"
            raise Problem("too_many_parts", what, rule="M86")
        index = self._count
        self._count += 1
        codec = _text_codec(head)
        if codec is None:
            self._part = self._file_part(index, head)
        else:
            self._part = _TextPart(index, head, self._text_left, codec)
        self._quoted_printable = QuotedPrintableCheck() if head.quoted_printable else None

    def _file_part(self, index: int, head: PartHead) -> "_FilePart":
        return _FilePart(index, head, self._files.new_file(), stored=self._files.are_stored)

    def _write(self, part: "_TextPart | _FilePart", data: bytes | bytearray | memoryview) -> None:
        if self._quoted_printable is not None:
            self._quoted_printable.feed(data)
        if isinstance(part, _TextPart) and not part.has_room(data):
            # It has more bytes than text may have, and they do not decode.
            self._part = part = self._as_file(part)
        part.feed(data)

    def _end(self, part: "_TextPart | _FilePart") -> None:
        self._part = None
        if self._quoted_printable is not None:
            self._quoted_printable.finish()
        if isinstance(part, _TextPart):
            field = part.field()
            if field is not None:
                self._text_left -= len(part.held)
                self.form.append(field)
                return
            part = self._as_file(part)
        part.file.end()
        self._file_parts.append(part)

    def _as_file(self, part: "_TextPart") -> "_FilePart":
        file_part = self._file_part(part.index, part.head)
        file_part.feed(part.held)
        return file_part


def _text_codec(head: PartHead) -> str | None:
    """The codec of a part that may be a field (M81), or None for a part that is a file.

    A part that names a charset which is not known is a file, so that nobody has to guess (M77).
    """
    if head.filename is not None:
        return None
    if head.content_type is None:
        return "utf-8"
    media_type = head.media_type
    if media_type is None:
        return None
    if media_type.is_json:
        return "utf-8"  # JSON has no charset parameter (C10)
    if media_type.is_text or media_type.is_urlencoded:
        return codec_of(media_type.parameter("charset") or "utf-8")
    return None


class _TextPart:
    """A part that is a field if its bytes decode, else a file (M76, M78).

    At most `room` bytes are held. A longer part is classified by exactly its first `room` bytes, whatever
    the size of the pieces: text is a field that is too large, other bytes are a file.
    """

    def __init__(self, index: int, head: PartHead, room: int, codec: str) -> None:
        self.index = index
        self.head = head
        self.held = bytearray()
        self._room = room
        self._codec = codec

    def has_room(self, data: bytes | bytearray | memoryview) -> bool:
        """False if it is a file. Raises Problem `field_too_large`."""
        room = self._room - len(self.held)
        if len(data) <= room:
            return True
        try:
            (self.held + data[:room]).decode(self._codec)
        except UnicodeDecodeError as error:
            # The bytes that follow may complete a sequence that is incomplete at the very end.
            if error.reason != "unexpected end of data":
                return False
        what = f"the field is larger than the {self._room} bytes left for text"
        raise Problem("field_too_large", what, rule="M87")

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        self.held += data

    def field(self) -> FormField | None:
        """The field, or None if the bytes do not decode."""
        try:
            value = self.held.decode(self._codec)
        except UnicodeDecodeError:
            return None
        return FormField(self.index, self.head.name, value, self.head.headers)


class _FilePart:
    """A part that is a file."""

    def __init__(self, index: int, head: PartHead, file: RequestFile, *, stored: bool) -> None:
        self.index = index
        self.head = head
        self.file = file
        self._stored = stored

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        self.file.write(data)

    def entry(self) -> FileEntry:
        file = self.file.stored()
        head = self.head
        return FileEntry(
            self.index,
            head.name,
            head.filename,
            head.content_type,
            head.headers,
            file.size,
            file.sha256,
            self._stored,
        )
