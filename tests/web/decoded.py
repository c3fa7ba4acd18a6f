"""Decodes the bytes of a span as its `how` says, to compare them with the result, by none of our parsers."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

_STEP = re.compile(r'\.?([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]+)\]|\[("(?:[^"\\]|\\.)*")\]')
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_NAME_ESCAPE = re.compile(rb'\\(["\\])')
_SLASHES = re.compile("^/+")
_FIELD_VALUE = re.compile(r"headers\[\d+\]\.value")


def value_at(result: Any, path: str) -> Any:
    """The value at a path such as `form[0].headers[1].name`. Raises KeyError or IndexError."""
    position = 0
    while position < len(path):
        step = _STEP.match(path, position)
        assert step is not None, path
        name, index, quoted = step.groups()
        result = result[int(index)] if index else result[json.loads(quoted) if quoted else name]
        position = step.end()
    return result


def decoded(how: str, pieces: list[bytes], path: str, result: Any) -> list[Any]:
    """What these bytes may mean. There are several answers where a charset is not told by the span."""
    if how == "also" or _FIELD_VALUE.fullmatch(path):
        # An empty value of a repeated field has no bytes, but its comma is in the result (H20).
        sent = value_at(result, path)
        return [sent if _elements(sent) == _elements(one) else one for one in _joined(pieces)]
    if how == "json key":
        return [value_at(result, path)] if all(_last_key(path) == json.loads(one) for one in pieces) else []
    first, *others = (list(_DECODERS[how](piece)) for piece in pieces)
    return [value for value in first if all(value in other for other in others)]


def _joined(pieces: list[bytes]) -> list[Any]:
    """The values of repeated fields are joined (H20, H21). An empty one has no span, but its comma counts."""
    found: list[Any] = [hashlib.sha256(b"".join(pieces)).hexdigest()]
    for separator in (b",", b"; ", b""):
        for text in _texts(separator.join(pieces)):
            found += [text, *([int(text)] if text.isascii() and text.isdigit() else [])]
    return found


def _elements(value: Any) -> list[str]:
    return [element for element in str(value).split(",") if element]


def _last_key(path: str) -> str:
    steps = list(_STEP.finditer(path))
    name, _, quoted = steps[-1].groups()
    return json.loads(quoted) if quoted else name


def _texts(data: bytes) -> Iterator[str]:
    for codec in ("utf-8", "iso-8859-1"):
        try:
            yield data.decode(codec)
        except UnicodeDecodeError:
            continue


def _path(data: bytes) -> Iterator[str]:
    kept = re.sub(rb"%(2[Ff])", rb"%25\1", data)
    yield _SLASHES.sub("/", unquote_to_bytes(kept).decode("utf-8"))


def _quoted(data: bytes) -> Iterator[str]:
    inner = _ESCAPE.sub(rb"\1", data[1:-1]) if data.startswith(b'"') else data
    yield inner.decode("iso-8859-1")


def _name(data: bytes) -> Iterator[str]:
    inner = _NAME_ESCAPE.sub(rb"\1", data[1:-1]) if data.startswith(b'"') else data
    return (text.replace("%22", '"') for text in _texts(inner))


def _extended(data: bytes) -> Iterator[str]:
    inner = data[1:-1] if data.startswith(b'"') else data
    return _texts(unquote_to_bytes(_NAME_ESCAPE.sub(rb"\1", inner).split(b"'", 2)[2]))


def _basic(data: bytes) -> Iterator[dict[str, str]]:
    for text in _texts(base64.b64decode(data)):
        username, _, password = text.partition(":")
        yield {"scheme": "basic", "username": username, "password": password}


_DECODERS: dict[str, Callable[[bytes], Iterable[Any]]] = {
    "text": lambda data: [data.decode("iso-8859-1")],
    "lower": lambda data: [data.decode("iso-8859-1").lower()],
    "path": _path,
    "form": lambda data: _texts(unquote_to_bytes(data.replace(b"+", b" "))),
    "form body": lambda data: _texts(unquote_to_bytes(data.replace(b"+", b" "))),
    "number": lambda data: [int(data)],
    "boundary": lambda data: [data.strip(b'"').decode("iso-8859-1")],
    "quoted": _quoted,
    "basic": _basic,
    "json": lambda data: [json.loads(data)],
    "charset": _texts,
    "body charset": _texts,
    "header": _texts,
    "name": _name,
    "extended": _extended,
    "sha256": lambda data: [hashlib.sha256(data).hexdigest()],
}


def values_on_the_wire(result: Any, data: bytes) -> Iterator[str]:
    """The paths of the values that stand in the request: all texts but what the server has made."""
    head = data.split(b"\r\n\r\n")[0]
    absolute = b"://" in head.split(b" ")[1] and not head.split(b" ")[1].startswith(b"/")
    yield "method"
    yield from _pairs(result["args"], "args")
    added = [
        path for path in ("headers[0].name", "headers[0].value") if absolute and b"host:" not in head.lower()
    ]
    yield from (path for path in _pairs(result["headers"], "headers") if path not in added)
    yield from _pairs(result["cookies"], "cookies")
    if result["path"] != "/" or not absolute:
        yield "path"
        yield "target"
    if result["host"]:
        yield "host"
    for kind in ("form", "files"):
        for index, entry in enumerate(result[kind]):
            # A file that is a whole body has its name from the path, and its type from the head.
            whole = kind == "files" and entry["name"] is None
            for key in () if whole else ("name", "filename", "content_type", "value"):
                if entry.get(key):
                    yield f"{kind}[{index}].{key}"
            yield from _pairs(entry["headers"], f"{kind}[{index}].headers")
            if entry.get("size"):
                yield f"{kind}[{index}].sha256"
    if result["text"]:
        yield "text"
    if result["body"]["kind"] == "json":
        yield from _leaves(result["json"], "json")


def _pairs(pairs: list[dict[str, str]], path: str) -> Iterator[str]:
    for index, pair in enumerate(pairs):
        for key in ("name", "value"):
            if pair[key]:
                yield f"{path}[{index}].{key}"


def _leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            plain = re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", key)
            step = f".{key}" if plain else f"[{json.dumps(key, ensure_ascii=False)}]"
            yield from _leaves(member, path + step)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    else:
        yield path
