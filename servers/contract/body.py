"""Builders for bodies of every kind, fed with the decoded bytes as they arrive (contract section 3).

What becomes a file goes to `RequestFiles`. Everything else is held in memory: it is small, and no builder
waits for the disk because of it.
"""

import codecs
import hashlib
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from ..storage.base import StoredFile
from .charsets import FormEncoding, codec_of
from .form import FormBuilder
from .json_reader import read_json
from .limits import Limits
from .parsers import Parsers
from .problems import Problem
from .request import FileEntry, FormField, Kind, MediaType, ParsedBody, RequestHead
from .request_files import Data, RequestFiles


class BodyBuilder(Protocol):
    """Builds one body. The result does not depend on how the bytes were split into reads (M89)."""

    def feed(self, data: Data, /) -> None:
        """Add the next bytes (at least one). Raises Problem, or OSError from the store."""

    def end(self) -> None:
        """The body is complete, after at least one byte. Raises Problem, or OSError from the store."""

    def body(self) -> ParsedBody:
        """The parsed body. Call it after `end`, when all files are written."""


def is_coded(head: RequestHead) -> bool:
    """Whether Content-Encoding names a coding other than identity. Such a body is not decoded (B44)."""
    value = head.field("content-encoding")
    if value is None:
        return False
    return any(coding.strip(" \t").lower() not in ("", "identity") for coding in value.split(","))


def body_builder(
    head: RequestHead, media_type: MediaType | None, parsers: Parsers, files: RequestFiles, limits: Limits
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
                rule="B44",
                field="content-encoding",
            )
        return OpaqueBuilder(head, media_type, files)
    if media_type is None:
        return TextBuilder(head, None, files, limits)
    if media_type.is_form_data:
        return MultipartBuilder(media_type, parsers, files, limits)
    if media_type.is_json:
        return JsonBuilder(media_type, limits, chunked=head.chunked)
    if media_type.is_urlencoded:
        return UrlencodedBuilder(media_type, parsers, limits)
    if media_type.is_text:
        return _text_builder(head, media_type, files, limits)
    return OpaqueBuilder(head, media_type, files)


def _text_builder(
    head: RequestHead, media_type: MediaType, files: RequestFiles, limits: Limits
) -> BodyBuilder:
    charset = media_type.parameter("charset")
    if not charset:
        return TextBuilder(head, media_type, files, limits)
    codec = codec_of(charset)
    if codec is None:
        return OpaqueBuilder(head, media_type, files)
    return TextBuilder(head, media_type, files, limits, codec)


class _SmallBody:
    """Base of the kinds that are small: the body is held in memory and hashed at the end."""

    def __init__(self, kind: Kind, media_type: MediaType, limit: int, rule: str) -> None:
        """`rule` sets the limit."""
        self._rule = rule
        self._kind = kind
        self._media_type = media_type
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: Data, /) -> None:
        if len(self._held) + len(data) > self._limit:
            what, fault = (
                f"a {self._kind} body may have at most {self._limit} bytes",
                range(self._limit, self._limit + 1),
            )
            raise Problem("body_too_large", what, rule=self._rule, fault=fault)
        self._held += data

    def _measure(self) -> tuple[int, str]:
        return len(self._held), hashlib.sha256(self._held).hexdigest()


class JsonBuilder(_SmallBody):
    """Kind `json`: at most `max_json` bytes."""

    def __init__(self, media_type: MediaType, limits: Limits, *, chunked: bool = False) -> None:
        super().__init__("json", media_type, limits.max_json, "B43" if chunked else "B41")
        self._max_depth = limits.max_json_depth
        self._value: Any = None

    def end(self) -> None:
        self._value = read_json(bytes(self._held), self._max_depth)

    def body(self) -> ParsedBody:
        size, sha256 = self._measure()
        return ParsedBody("json", self._media_type, size, sha256, json=self._value)


class UrlencodedBuilder(_SmallBody):
    """Kind `form`: at most `max_form` bytes and `max_parts` pairs (U15)."""

    def __init__(self, media_type: MediaType, parsers: Parsers, limits: Limits) -> None:
        super().__init__("form", media_type, limits.max_form, "U15")
        self._parsers = parsers
        self._max_pairs = limits.max_parts
        self._form: tuple[FormField, ...] = ()

    def end(self) -> None:
        # WHATWG defines no charset parameter. ISO-8859-1 is the only one that is followed (C11, U7).
        codec = codec_of(self._media_type.parameter("charset") or "utf-8")
        encoding: FormEncoding = "iso-8859-1" if codec == "iso-8859-1" else "utf-8"
        self._check_count()
        try:
            pairs = self._parsers.urlencoded(bytes(self._held), encoding)
        except UnicodeDecodeError:
            raise self._undecodable() from None
        self._form = tuple(FormField(index, name, value) for index, (name, value) in enumerate(pairs))

    def body(self) -> ParsedBody:
        size, sha256 = self._measure()
        return ParsedBody("form", self._media_type, size, sha256, form=self._form)

    def _undecodable(self) -> Problem:
        """For a body that is not UTF-8. Many clients give this type to any file, so the detail helps (U9)."""
        offset = 0
        pair = b""
        for pair in bytes(self._held).split(b"&"):
            try:
                self._parsers.urlencoded(pair, "utf-8")
            except UnicodeDecodeError:
                break
            offset += len(pair) + len(b"&")
        what = f"the pair at byte {offset} of the body is not UTF-8; to send a file, use `curl -T`"
        what += " or the Content-Type application/octet-stream"
        rule = "U7" if _is_utf8(pair) else "U9"
        return Problem("form_not_utf8", what, rule=rule, fault=range(offset, offset + len(pair)))

    def _check_count(self) -> None:
        # Count before decoding: to decode 1 MiB of `a&` takes half a second. Empty pieces do not count (U3).
        pieces = bytes(self._held).split(b"&")
        if len(pieces) - pieces.count(b"") > self._max_pairs:
            raise Problem("too_many_parts", f"more than {self._max_pairs} pairs", rule="U15")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class MultipartBuilder:
    """Kind `multipart`: parsed while it arrives."""

    def __init__(self, media_type: MediaType, parsers: Parsers, files: RequestFiles, limits: Limits) -> None:
        self._media_type = media_type
        self._parser = parsers.multipart(media_type, limits)
        self._form = FormBuilder(files, limits)
        self._size = 0

    def feed(self, data: Data, /) -> None:
        self._size += len(data)
        self._form.feed(self._parser.feed(data))

    def end(self) -> None:
        self._form.feed(self._parser.finish())

    def body(self) -> ParsedBody:
        form, files = tuple(self._form.form), tuple(self._form.files)
        return ParsedBody("multipart", self._media_type, self._size, form=form, files=files)


class OpaqueBuilder:
    """Kind `bytes`: stored as one file without a name if the route stores files, else only hashed."""

    def __init__(
        self,
        head: RequestHead,
        media_type: MediaType | None,
        files: RequestFiles,
        *,
        filename: str | None = None,
    ) -> None:
        self._content_type = head.field("content-type")
        self._media_type = media_type
        self._filename = filename
        self._stored = files.are_stored
        self._file = files.new_file()

    def feed(self, data: Data, /) -> None:
        self._file.write(data)

    def end(self) -> None:
        self._file.end()

    def body(self) -> ParsedBody:
        whole = self._file.stored()
        files = (self._entry(whole),) if self._stored else ()
        return ParsedBody("bytes", self._media_type, whole.size, whole.sha256, files=files)

    def _entry(self, whole: StoredFile) -> FileEntry:
        content_type = self._content_type or None
        return FileEntry(0, None, self._filename, content_type, (), whole.size, whole.sha256, True)


class SpoolBuilder:
    """A body that is taken as it is, whatever its type says: for a route that passes it on."""

    def __init__(self, files: RequestFiles) -> None:
        self._files = files
        self._file = files.new_file()

    def feed(self, data: Data, /) -> None:
        self._file.write(data)

    def end(self) -> None:
        self._file.end()

    def body(self) -> ParsedBody:
        whole = self._file.stored()
        return ParsedBody("bytes", None, whole.size, whole.sha256, content=self._files.spool)


class TextBuilder:
    """Kind `text`, of any size. A body that does not decode is `bytes` if it declares no charset (C7, C12).

    Without a Content-Type, NUL means bytes too. A text of at most `max_text` bytes is held, because the
    result has it. All other bytes go to an OpaqueBuilder, which stores them if the route stores files.
    """

    def __init__(
        self,
        head: RequestHead,
        media_type: MediaType | None,
        files: RequestFiles,
        limits: Limits,
        declared: str | None = None,
    ) -> None:
        """`declared` is the codec of the charset that the Content-Type names, if it names one."""
        self._new_file = partial(OpaqueBuilder, head, media_type, files)
        self._file: OpaqueBuilder | None = None
        self._is_text = True
        self._check = _TextCheck(declared or "utf-8", refuse_nul=media_type is None)
        self._media_type = media_type
        self._limit = limits.max_text
        self._declared = declared
        self._held = bytearray()

    def feed(self, data: Data, /) -> None:
        self._judge(data)
        if self._file is None and (not self._is_text or len(self._held) + len(data) > self._limit):
            self._file = self._begin_file()
        if self._file is None:
            self._held += data
        else:
            self._file.feed(data)

    def end(self) -> None:
        self._judge(b"", final=True)
        if self._file is None and not self._is_text:
            self._file = self._begin_file()
        if self._file is not None:
            self._file.end()

    def body(self) -> ParsedBody:
        if self._file is None:
            sha256 = hashlib.sha256(self._held).hexdigest()
            text = self._held.decode(self._declared or "utf-8")
            return ParsedBody("text", self._media_type, len(self._held), sha256, text=text)
        body = self._file.body()
        return replace(body, kind="text") if self._is_text else body

    def _judge(self, data: Data, *, final: bool = False) -> None:
        fault = self._check.feed(data, final=final) if self._is_text else None
        if fault is None:
            return
        if self._declared is not None:
            what = f"byte {fault} of the body does not decode as {self._declared}"
            raise Problem("text_encoding", what, rule="C12", fault=range(fault, fault + 1))
        self._is_text = False

    def _begin_file(self) -> OpaqueBuilder:
        file = self._new_file()
        file.feed(self._held)
        self._held.clear()
        return file


class _TextCheck:
    """Checks piece by piece whether bytes decode with `codec`."""

    def __init__(self, codec: str, *, refuse_nul: bool) -> None:
        self._decoder = codecs.getincrementaldecoder(codec)("strict")
        self._refuse_nul = refuse_nul
        self._size = 0

    def feed(self, data: Data, *, final: bool = False) -> int | None:
        """The offset of the first byte that does not decode, or of the piece with NUL, or None."""
        self._size += len(data)
        try:
            text = self._decoder.decode(bytes(data), final)
        except UnicodeDecodeError as error:
            # `error.object` begins with the bytes that the decoder had kept of the last piece.
            return self._size - len(error.object) + error.start
        return self._size - len(data) if self._refuse_nul and "\0" in text else None
