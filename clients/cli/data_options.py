"""The body that -d and its variants, --json or -T make, as in curl. With -G the data are the query instead.

    --data-urlencode = content / "=" content / name "=" content / "@" path / name "@" path

The content is encoded, the name is not. A `=` anywhere comes before an `@`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..http1.body import FORM_TYPE, SingleBody
from ..http1.encode import as_utf8
from ..http1.errors import UsageError
from ..http1.sources import BytesSource, Source, StreamSource, open_path

DATA_KINDS = ("data", "data_raw", "data_binary", "data_urlencode")
"""The options whose values are joined with &, in the order of the command line."""

_LINE_ENDS = b"\r\n\0"


class StandardInput:
    """Gives standard input once, as a stream."""

    def __init__(self) -> None:
        self.used = False

    def __call__(self) -> Source:
        if self.used:
            raise UsageError("standard input can be read only once")
        if sys.stdin is None:  # <&-
            raise UsageError("standard input is closed")
        self.used = True
        return StreamSource(sys.stdin.buffer)


def body_from(given: dict[str, Any], standard_input: StandardInput) -> SingleBody | None:
    """The body, or None. `order` in `given` has the names of the options in the order of the command line."""
    kinds = list(
        dict.fromkeys(kind for kind in given["order"] if kind in (*DATA_KINDS, "json", "upload_file"))
    )
    if not kinds:
        return None
    if len(kinds) > 1 and not set(kinds) <= set(DATA_KINDS):
        flags = " and ".join("--" + kind.replace("_", "-") for kind in kinds)
        raise UsageError(f"{flags} do not go together")
    if kinds == ["upload_file"]:
        return SingleBody(_file_source(given["upload_file"], standard_input))
    if kinds == ["json"]:
        sources = [_source("data_binary", text, standard_input) for text in given["json"]]
        return SingleBody(_joined(sources, b""), "application/json")
    return SingleBody(_joined(list(_data(given, standard_input)), b"&"), FORM_TYPE)


def url_with_data(given: dict[str, Any], standard_input: StandardInput) -> str:
    """The URL with the data of -G at the end of its query."""
    url, mark, fragment = str(given["url"]).partition("#")
    try:
        query = _content(_joined(list(_data(given, standard_input)), b"&")).decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError("-G: the data are not UTF-8; --data-urlencode sends any bytes") from None
    joint = "" if not query or url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return url + joint + query + mark + fragment


def _data(given: dict[str, Any], standard_input: StandardInput) -> Iterator[Source]:
    """The source of each -d, --data-raw, --data-binary and --data-urlencode, in their order."""
    values = {kind: iter(given[kind]) for kind in DATA_KINDS}
    for kind in given["order"]:
        if kind in values:
            yield _source(kind, next(values[kind]), standard_input)


def _source(kind: str, text: str, standard_input: StandardInput) -> Source:
    if kind == "data_urlencode":
        return BytesSource(_urlencoded(text, standard_input))
    if kind == "data_raw" or not text.startswith("@"):
        return BytesSource(as_utf8(text))
    source = _file_source(text[1:], standard_input)
    return source if kind == "data_binary" else BytesSource(_content(source).translate(None, _LINE_ENDS))


def _urlencoded(text: str, standard_input: StandardInput) -> bytes:
    name, mark, value = text.partition("=" if "=" in text else "@")
    if mark == "@":
        content = _content(_file_source(value, standard_input))
    else:
        content = as_utf8(value if mark else text)
    encoded = as_utf8(quote(content, safe="").replace("%20", "+"))
    return as_utf8(name) + b"=" + encoded if mark and name else encoded


def _joined(sources: list[Source], separator: bytes) -> Source:
    """The sources as one body. A single one is streamed."""
    return sources[0] if len(sources) == 1 else BytesSource(separator.join(map(_content, sources)))


def _content(source: Source) -> bytes:
    return b"".join(bytes(block) for block in source.blocks())


def _file_source(path: str, standard_input: StandardInput) -> Source:
    return standard_input() if path == "-" else open_path(Path(path))
