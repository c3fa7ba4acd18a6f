"""The recorded requests in `sample_files/requests`: found by name, title or rule, and loaded to be sent.

`sample_files/README.md` describes the files. In a checkout they are a folder, in an installation a package;
both lie beside the package of this module. Without them there are no cases, and nothing else changes.
"""

import json
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from .message import Message, Piece

LOG = logging.getLogger("wireproof.web")
SAMPLE_FILES = Path(__file__).resolve().parents[2] / "sample_files"

_REQUEST_LINE = re.compile(rb"([A-Z]+) [!-~]+ HTTP/1\.[01]\r\n")
_RULE = re.compile(r"[A-Z][0-9]+")
_OCTETS = bytes(range(256))
_END_OF_HEAD = b"\r\n\r\n"
# The pauses of compare: so that a server reads the pieces one by one; for a 1xx that is to come or must not.
_SPLIT_SECONDS = 0.05
_CONTINUE_SECONDS = 5.0
_NO_CONTINUE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded request, without its bytes. `size` is in bytes."""

    name: str
    title: str
    rules: tuple[str, ...]
    size: int
    path: Path

    def describe(self) -> dict[str, Any]:
        """Its line in the list of the page."""
        return {"name": self.name, "title": self.title, "rules": list(self.rules), "size": self.size}


def find(query: str) -> list[Recorded]:
    """The cases with every word of `query`, sorted by name; all cases for an empty query.

    A word like `M62` is a rule that the case has. Any other word is a part of its name or title, in any case.
    """
    words = query.split()
    return [case for case in index().values() if all(_has(case, word) for word in words)]


def count() -> int:
    """How many recorded requests there are."""
    return len(index())


def message_of(name: str) -> Message | None:
    """The bytes of a case and how they are sent, or None if no case has this name. Raises OSError."""
    case = index().get(name)
    if case is None:
        return None
    data = json.loads(case.path.read_text("utf-8"))
    request = _bytes_of(case.path, data)
    expected = data["expect"] if isinstance(data["expect"], list) else [data["expect"]]
    pieces = _pieces(request, data.get("splits", []), expected[0].get("continues"))
    before = tuple(_storing(file) for file in data.get("store", []))
    return Message(methods_in(request, len(expected)), tuple(pieces), verbatim=True, before=before)


def methods_in(request: bytes, responses: int = 1) -> tuple[str, ...]:
    """The method of the request, or of each in a pipeline: the response to HEAD has no body.

    An empty line before a request is ignored (RFC 9112 2.2).
    """
    first = request.removeprefix(b"\r\n").partition(b" ")[0]
    found = [first, *_REQUEST_LINE.findall(request)[1:], *[b"GET"] * responses]
    return tuple(method.decode("latin-1") for method in found[:responses])


@cache
def index() -> dict[str, Recorded]:
    """The cases by name, in the order of the names. Reading them takes half a second, once a process."""
    paths = sorted(SAMPLE_FILES.glob("requests/*/*.json"), key=lambda path: path.stem)
    return {case.name: case for case in map(_read, paths) if case is not None}


def _read(path: Path) -> Recorded | None:
    """A case without its bytes, or None for a file that cannot be used."""
    try:
        data = json.loads(path.read_text("utf-8"))
        request = path.with_suffix(".http")
        size = len(_bytes_of(path, data)) if "request" in data else request.stat().st_size
        return Recorded(path.stem, str(data["title"]), tuple(map(str, data["rules"])), size, path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        LOG.warning("%s is not a recorded request: %s", path, error)
        return None


def _has(case: Recorded, word: str) -> bool:
    if _RULE.fullmatch(word):
        return word in case.rules
    return word.lower() in case.name.lower() or word.lower() in case.title.lower()


def _bytes_of(path: Path, data: dict[str, Any]) -> bytes:
    return _made(data["request"]) if "request" in data else path.with_suffix(".http").read_bytes()


def _made(recipe: Any, copy: int | None = None) -> bytes:
    """The bytes of the recipe of a large request. Raises ValueError."""
    match recipe:
        case str():
            return (recipe if copy is None else recipe.replace("{n}", str(copy))).encode("iso-8859-1")
        case list():
            return b"".join(_made(item, copy) for item in recipe)
        case {"repeat": repeated, "times": int(times)}:
            if "{n}" in repr(repeated):
                return b"".join(_made(repeated, number) for number in range(times))
            return _made(repeated) * times
        case {"octets": int(octets)}:
            return (_OCTETS * (octets // len(_OCTETS) + 1))[:octets]
        case _:
            raise ValueError(f"{recipe!r} is not a recipe")


def _pieces(request: bytes, splits: Sequence[int], continues: int | None) -> Iterator[Piece]:
    """The request in the pieces that its file asks for: its head first, or as its `splits` say."""
    pause = 0.0
    if continues is not None:
        splits = [request.index(_END_OF_HEAD) + len(_END_OF_HEAD)]
        pause = _CONTINUE_SECONDS if continues else _NO_CONTINUE_SECONDS
    elif splits:
        pause = _SPLIT_SECONDS
    edges = [0, *splits, len(request)]
    for start, end in pairwise(edges):
        if start < end:
            yield Piece(request[start:end], pause if start else 0.0)


def _storing(name: str) -> Message:
    """The upload of a sample file that a case needs in the store. Raises OSError."""
    content = (SAMPLE_FILES / name).read_bytes()
    head = f"PUT /upload/{name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
    return Message(("PUT",), (Piece(head.encode("ascii") + content),))
