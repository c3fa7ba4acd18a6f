"""Builders for bodies of every kind, fed with the decoded bytes as they arrive (contract section 3)."""

import codecs
import hashlib
from typing import Protocol

from ..storage.base import FileWriter, StoredFile, Upload
from .form import CHARSETS, FormBuilder, HashingWriter
from .json_reader import read_json
from .limits import Limits
from .parsers import Parsers
from .problems import Problem
from .request import FileEntry, FormField, Kind, MediaType, ParsedBody, RequestHead

Data = bytes | bytearray | memoryview


class BodyBuilder(Protocol):
    """Builds one body. The result does not depend on how the bytes were split into reads (M89)."""

    def feed(self, data: Data, /) -> None:
        """Add the next bytes (at least one). Raises Problem, or OSError from the store."""

    def finish(self) -> ParsedBody:
        """The parsed body. Call it after the last of at least one byte. Raises Problem or OSError."""


def is_coded(head: RequestHead) -> bool:
    """Whether Content-Encoding names a coding other than identity. Such a body is not decoded (B44)."""
    value = head.field("content-encoding") or ""
    return any(coding.strip(" \t").lower() not in ("", "identity") for coding in value.split(","))


def body_builder(
    head: RequestHead, media_type: MediaType | None, parsers: Parsers, upload: Upload | None, limits: Limits
) -> BodyBuilder:
    """The builder for the body of a request with this head: step 9 of contract section 4.

    Call it only if the body has at least one byte. Raises Problem `unsupported_content_encoding`,
    `boundary_missing` or `boundary_invalid`.
    """
    if is_coded(head):
        if media_type and media_type.is_form_data:
            raise Problem(
                "unsupported_content_encoding",
                "a multipart/form-data body must come without a Content-Encoding",
                headers=(("Accept-Encoding", "identity"),),
            )
        return OpaqueBuilder(head, media_type, upload)
    if media_type is None:
        return TextOrBytesBuilder(head, None, upload, limits)
    if media_type.is_form_data:
        return MultipartBuilder(media_type, parsers, upload, limits)
    if media_type.is_json:
        return JsonBuilder(media_type, limits)
    if media_type.is_urlencoded:
        return UrlencodedBuilder(media_type, parsers, limits)
    if media_type.is_text:
        return _text_builder(head, media_type, upload, limits)
    return OpaqueBuilder(head, media_type, upload)


def _text_builder(
    head: RequestHead, media_type: MediaType, upload: Upload | None, limits: Limits
) -> BodyBuilder:
    charset = media_type.parameter("charset")
    if charset is None:
        return TextOrBytesBuilder(head, media_type, upload, limits)
    if charset.lower() in CHARSETS:
        return DeclaredTextBuilder(media_type, charset.lower(), limits)
    return OpaqueBuilder(head, media_type, upload)


class _SmallBody:
    """Base of the kinds that are small: the body is held in memory and hashed at the end."""

    def __init__(self, kind: Kind, media_type: MediaType, limit: int) -> None:
        self._kind = kind
        self._media_type = media_type
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: Data, /) -> None:
        if len(self._held) + len(data) > self._limit:
            raise Problem("body_too_large", f"a {self._kind} body may have at most {self._limit} bytes")
        self._held += data

    def _measure(self) -> tuple[int, str]:
        return len(self._held), hashlib.sha256(self._held).hexdigest()


class JsonBuilder(_SmallBody):
    """Kind `json`: at most `max_json` bytes."""

    def __init__(self, media_type: MediaType, limits: Limits) -> None:
        super().__init__("json", media_type, limits.max_json)
        self._max_depth = limits.max_json_depth

    def finish(self) -> ParsedBody:
        value = read_json(bytes(self._held), self._max_depth)
        size, sha256 = self._measure()
        return ParsedBody("json", self._media_type, size, sha256, json=value)


class UrlencodedBuilder(_SmallBody):
    """Kind `form`: at most `max_form` bytes and `max_parts` pairs (U15)."""

    def __init__(self, media_type: MediaType, parsers: Parsers, limits: Limits) -> None:
        super().__init__("form", media_type, limits.max_form)
        self._parsers = parsers
        self._max_pairs = limits.max_parts

    def finish(self) -> ParsedBody:
        # WHATWG defines no charset parameter. ISO-8859-1 is the only one that is followed (C11, U7).
        charset = (self._media_type.parameter("charset") or "").lower()
        self._check_count()
        pairs = self._parsers.urlencoded(
            bytes(self._held), "iso-8859-1" if charset == "iso-8859-1" else "utf-8"
        )
        form = tuple(FormField(index, name, value) for index, (name, value) in enumerate(pairs))
        size, sha256 = self._measure()
        return ParsedBody("form", self._media_type, size, sha256, form=form)

    def _check_count(self) -> None:
        # Count before decoding: to decode 1 MiB of `a&` takes half a second. Empty pieces do not count (U3).
        pieces = bytes(self._held).split(b"&")
        if len(pieces) - pieces.count(b"") > self._max_pairs:
            raise Problem("too_many_parts", f"more than {self._max_pairs} pairs")


class MultipartBuilder:
    """Kind `multipart`: parsed while it arrives. Files are written to the store piece by piece."""

    def __init__(
        self, media_type: MediaType, parsers: Parsers, upload: Upload | None, limits: Limits
    ) -> None:
        self._media_type = media_type
        self._parser = parsers.multipart(media_type, limits)
        self._form = FormBuilder(upload, limits)
        self._size = 0

    def feed(self, data: Data, /) -> None:
        self._size += len(data)
        self._form.feed(self._parser.feed(data))

    def finish(self) -> ParsedBody:
        self._form.feed(self._parser.finish())
        form, files = tuple(self._form.form), tuple(self._form.files)
        return ParsedBody("multipart", self._media_type, self._size, form=form, files=files)


class DeclaredTextBuilder:
    """Kind `text` with a declared charset: of any size, and it must decode (C12)."""

    def __init__(self, media_type: MediaType, charset: str, limits: Limits) -> None:
        self._media_type = media_type
        self._text = _TextProbe(charset, limits.max_text)
        self._measure = HashingWriter()
        self._charset = charset

    def feed(self, data: Data, /) -> None:
        self._measure.write(data)
        self._check(self._text.feed(data))

    def finish(self) -> ParsedBody:
        self._check(self._text.end())
        whole = self._measure.close()
        return ParsedBody("text", self._media_type, whole.size, whole.sha256, text=self._text.value())

    def _check(self, decodes: bool) -> None:
        if not decodes:
            raise Problem("text_encoding", f"the body does not decode in its charset {self._charset}")


class OpaqueBuilder:
    """Kind `bytes`: stored as one file without a name if the route stores files, else only hashed."""

    def __init__(
        self,
        head: RequestHead,
        media_type: MediaType | None,
        upload: Upload | None,
        *,
        filename: str | None = None,
    ) -> None:
        self._content_type = head.field("content-type")
        self._media_type = media_type
        self._filename = filename
        self._stored = upload is not None
        self._writer: FileWriter = upload.new_file() if upload else HashingWriter()

    def feed(self, data: Data, /) -> None:
        self._writer.write(data)

    def finish(self) -> ParsedBody:
        whole = self._writer.close()
        files = (self._entry(whole),) if self._stored else ()
        return ParsedBody("bytes", self._media_type, whole.size, whole.sha256, files=files)

    def _entry(self, whole: StoredFile) -> FileEntry:
        content_type = self._content_type or None
        return FileEntry(0, None, self._filename, content_type, (), whole.size, whole.sha256, True)


class TextOrBytesBuilder(OpaqueBuilder):
    """Text if the whole body decodes as UTF-8, else bytes (C7, C12). Without a type, NUL means bytes too.

    Only the end of the body decides. Until then the bytes are stored, and discarded if they are text.
    """

    def __init__(
        self, head: RequestHead, media_type: MediaType | None, upload: Upload | None, limits: Limits
    ) -> None:
        super().__init__(head, media_type, upload)
        self._text: _TextProbe | None = _TextProbe("utf-8", limits.max_text, refuse_nul=media_type is None)

    def feed(self, data: Data, /) -> None:
        super().feed(data)
        if self._text and not self._text.feed(data):
            self._text = None

    def finish(self) -> ParsedBody:
        if self._text is None or not self._text.end():
            return super().finish()
        whole = self._writer.close()
        self._writer.discard()
        return ParsedBody("text", self._media_type, whole.size, whole.sha256, text=self._text.value())


class _TextProbe:
    """Checks whether bytes decode in `charset`, and keeps the text if it has at most `limit` bytes."""

    def __init__(self, charset: str, limit: int, *, refuse_nul: bool = False) -> None:
        self._decoder = codecs.getincrementaldecoder(charset)("strict")
        self._limit = limit
        self._refuse_nul = refuse_nul
        self._size = 0
        self._pieces: list[str] = []

    def feed(self, data: Data) -> bool:
        self._size += len(data)
        try:
            piece = self._decoder.decode(bytes(data))
        except UnicodeDecodeError:
            return False
        if self._size <= self._limit:
            self._pieces.append(piece)
        else:
            self._pieces.clear()
        return not (self._refuse_nul and "\0" in piece)

    def end(self) -> bool:
        try:
            self._decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return True

    def value(self) -> str | None:
        return "".join(self._pieces) if self._size <= self._limit else None
