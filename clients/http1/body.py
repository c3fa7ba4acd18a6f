"""Makes the body of a request from `data`, `json` and `files` as requests does, and says what was sent of it.

The rules are those of requests: `files` replace `json`, and `json` counts only without `data`. A mapping or
a list as `data` becomes a form, str and bytes are sent as they are, and any other iterable is streamed.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, TypeAlias

from .digest import Block, Digest
from .encode import json_bytes, pairs_of, urlencode, values_of
from .errors import UsageError
from .multipart_body import MultipartBody, Part, SentPart
from .sources import BytesSource, Source, source_of

FORM_TYPE = "application/x-www-form-urlencoded"


class EmptyFraming(enum.Enum):
    """How the head says that a body has no bytes. requests has three ways."""

    LENGTH = enum.auto()  # Content-Length: 0
    CHUNKED = enum.auto()  # a stream of no or unknown length
    CHUNKED_FIRST = enum.auto()  # a form whose values are all None: Transfer-Encoding right after Host


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was sent, before chunked coding: the body's size, and its SHA-256 or that of every part."""

    size: int
    sha256: str | None
    parts: tuple[SentPart, ...] = ()


class SingleBody:
    """One source is the whole body."""

    def __init__(
        self,
        source: Source,
        content_type: str | None = None,
        when_empty: EmptyFraming = EmptyFraming.LENGTH,
    ) -> None:
        self._source = source
        self.content_type = content_type
        self.when_empty = when_empty
        self.receipt: Receipt | None = None

    @property
    def length(self) -> int | None:
        """The size in bytes, None when it is not known."""
        return self._source.length

    def blocks(self) -> Iterator[Block]:
        """The body's bytes."""
        self.receipt = None
        with Digest() as digest:
            for block in self._source.blocks():
                digest.update(block)
                yield block
            self.receipt = Receipt(digest.size, digest.hexdigest())


class FormDataBody(MultipartBody):
    """A multipart body, with its receipt."""

    when_empty = EmptyFraming.LENGTH  # never used: the last delimiter is always there
    receipt: Receipt | None = None

    def blocks(self) -> Iterator[Block]:
        """The body's bytes."""
        self.receipt = None
        size = 0
        for block in super().blocks():
            size += len(block)
            yield block
        self.receipt = Receipt(size, None, tuple(self.sent))


Body: TypeAlias = SingleBody | FormDataBody
"""What a request sends. `receipt` is None until `blocks` has been read to its end."""


def choose_body(data: Any, json: Any, files: Any, boundary: str | None = None) -> Body | None:
    """The body for what a call gives, or None. Raises UsageError for what does not go together."""
    if isinstance(data, (SingleBody, FormDataBody)):
        return data
    data = data or None  # as in requests, where a stream that says that it is empty is not a body either
    streamed = _is_streamed(data)
    if files:
        if streamed or isinstance(data, (str, bytes)):
            raise UsageError("files go together with form data only, not with another body")
        return FormDataBody(parts_of(data or (), files), boundary)
    if streamed:
        return SingleBody(source_of(data), when_empty=EmptyFraming.CHUNKED)
    if not data:
        return None if json is None else SingleBody(BytesSource(json_bytes(json)), "application/json")
    if isinstance(data, (str, bytes)):
        return SingleBody(source_of(data))
    form = urlencode(data).encode("ascii")
    return SingleBody(BytesSource(form), FORM_TYPE, EmptyFraming.CHUNKED_FIRST)


def parts_of(data: Any, files: Any) -> Iterator[Part]:
    """The parts for requests' `data` and `files`: first the fields, then the files."""
    for name, value in pairs_of(data):
        for item in values_of(value):
            yield Part(_text(name), source_of(item if isinstance(item, bytes) else str(item)))
    for name, given in pairs_of(files):
        part = _file_part(_text(name), given)
        if part is not None:
            yield part


def _file_part(name: str, given: Any) -> Part | None:
    """A part from `content` or `(filename, content[, type[, headers]])`; None for no content."""
    if isinstance(given, (tuple, list)):
        if not 2 <= len(given) <= 4:
            raise UsageError(f"a file is (filename, content[, type[, headers]]), not {len(given)} values")
        filename, content, content_type, headers = (*given, None, None)[:4]
    else:
        filename, content, content_type, headers = _guess_filename(given) or name, given, None, None
    if content is None:
        return None
    return Part(
        name,
        source_of(content),
        None if filename is None else _text(filename),
        content_type,
        tuple(_further_fields(headers or {})),
    )


def _further_fields(headers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A part's own fields, without empty ones and the three that urllib3 sets itself."""
    for name, value in headers.items():
        if value and name not in ("Content-Disposition", "Content-Type", "Content-Location"):
            yield name, str(value)


def _guess_filename(content: Any) -> str | None:
    """The name of an open file without its folders; names like `<stdin>` do not count."""
    name = getattr(content, "name", None)
    if isinstance(name, bytes):
        name = name.decode("utf-8")
    if not isinstance(name, str) or not name or name.startswith("<") or name.endswith(">"):
        return None
    return PurePath(name).name


def _text(name: Any) -> str:
    if isinstance(name, bytes):
        return name.decode("utf-8")
    if not isinstance(name, str):
        raise UsageError(f"the name of a field or file is str or bytes, not {name!r}")
    return name


def _is_streamed(data: Any) -> bool:
    """Whether `data` is neither text, bytes nor pairs, but an iterable or a file object."""
    if data is None or isinstance(data, (str, bytes, list, tuple, Mapping)):
        return False
    return isinstance(data, Iterable) or hasattr(data, "read")
