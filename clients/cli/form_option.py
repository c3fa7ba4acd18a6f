"""Parses curl's -F: `name=value`, `name=@path`, `name=<path`, with `;type=`, `;filename=` and `;headers=`.

    form   = name "=" [ "@" / "<" ] word *( ";" attribute "=" word )
    word   = DQUOTE *( "\\" DQUOTE / "\\\\" / any ) DQUOTE / *( any but ";" )

An unknown attribute is an error (curl warns and drops it): quote a value that contains a semicolon.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..http1.errors import UsageError
from ..http1.sources import Source, open_path

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"[ \t]*', re.DOTALL)
_UNQUOTED = re.compile("[^;]*")
_ATTRIBUTE = re.compile(r"[ \t]*([A-Za-z-]+)=")


@dataclass(slots=True)
class FormItem:
    """One -F. `kind` is `value`, `file` (@) or `text` (<: the content of a file as a text field)."""

    name: str
    kind: str
    content: str
    content_type: str | None = None
    filename: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def as_file(self, standard_input: Callable[[], Source]) -> tuple[str, tuple[Any, ...]]:
        """An entry of requests' `files`: without a file name it becomes a text field there.

        Raises UsageError when the file cannot be read.
        """
        filename = self.filename
        content: Any = self.content
        if self.kind != "value":
            content = standard_input() if self.content == "-" else open_path(Path(self.content))
            if self.kind == "file" and filename is None:
                filename = Path(self.content).name
        return self.name, (filename, content, self.content_type, self.headers)


def parse_form(text: str) -> FormItem:
    """Read the value of one -F. Raises UsageError, with what is wrong."""
    name, equals, rest = text.partition("=")
    if not equals:
        raise UsageError(f"-F {text!r}: expected name=value or name=@path")
    kind = {"@": "file", "<": "text"}.get(rest[:1], "value")
    content, position = _word(rest, 0 if kind == "value" else 1, text)
    item = FormItem(name, kind, content)
    while position < len(rest):
        position = _read_attribute(item, rest, position + 1, text)
    if kind != "value" and not item.content:
        raise UsageError(f"-F {text!r}: the path is empty")
    return item


def _read_attribute(item: FormItem, rest: str, position: int, text: str) -> int:
    matched = _ATTRIBUTE.match(rest, position)
    if matched is None:
        raise UsageError(f"-F {text!r}: {rest[position:]!r} is not an attribute; quote a value with a ;")
    value, position = _word(rest, matched.end(), text)
    match matched[1]:
        case "type":
            item.content_type = value
        case "filename":
            item.filename = value
        case "headers":
            field_name, colon, field_value = value.partition(":")
            if not colon:
                raise UsageError(f'-F {text!r}: expected headers="Name: value", not {value!r}')
            item.headers[field_name.strip(" \t")] = field_value.strip(" \t")
        case attribute if item.content_type is not None:
            item.content_type += f"; {attribute}={value}"  # ;type=text/plain;charset=utf-8
        case attribute:
            raise UsageError(f"-F {text!r}: unknown attribute {attribute!r}; quote a value with a ;")
    return position


def _word(rest: str, position: int, text: str) -> tuple[str, int]:
    """A word, quoted or up to the next semicolon, and where it ends."""
    if not rest.startswith('"', position):
        matched = _UNQUOTED.match(rest, position)
        assert matched is not None  # it also matches an empty string
        return matched[0], matched.end()
    quoted = _QUOTED.match(rest, position)
    if quoted is None or rest[quoted.end() : quoted.end() + 1] not in ("", ";"):
        raise UsageError(f"-F {text!r}: a quoted word ends with a quote and is followed by ; or nothing")
    return re.sub(r'\\(["\\])', r"\1", quoted[1]), quoted.end()
