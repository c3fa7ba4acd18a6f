"""The spans of a JSON body that was accepted: keys, values, punctuation, with their paths in the result."""

import json
import re

from .fine_spans import Cutter, FineSpan

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Blanks, a string, one of `[ ] { } , :`, or a number or literal (RFC 8259 2).
_TOKEN = re.compile(rb'[ \t\r\n]+|"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^ \t\r\n\[\]{},:"]+', re.DOTALL)
_IDENTIFIER = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def json_spans(data: bytes) -> list[FineSpan]:
    """The spans of a valid JSON text. A key has the path of its value."""
    cutter = Cutter("body")
    if data.startswith(_BYTE_ORDER_MARK):
        cutter.cut(3, rule="J6")
    paths = ["json"]  # of the value that comes next, and of the arrays and objects around it
    places: list[int | None] = []  # the index in each array, or None for an object
    key_comes = False
    for match in _TOKEN.finditer(data, cutter.end):
        token = match[0]
        if token in (b"[", b"{"):
            places.append(0 if token == b"[" else None)
            paths.append(f"{paths[-1]}[0]")
            key_comes = token == b"{"
        elif token in (b"]", b"}"):
            places.pop()
            paths.pop()
            key_comes = False
        elif token == b",":
            index = places[-1]
            if index is not None:
                places[-1] = index + 1
                paths[-1] = f"{paths[-2]}[{index + 1}]"
            key_comes = index is None
        elif key_comes and token[:1] == b'"':
            paths[-1] = paths[-2] + member_path(json.loads(token))
            cutter.cut(len(token), paths[-1], "J5", how="json key")
            key_comes = False
            continue
        elif token[:1] not in b" \t\r\n:":
            cutter.cut(len(token), paths[-1], "J16" if token[:1] in b"-0123456789" else "J2", how="json")
            continue
        cutter.cut(len(token), rule="J1")
    return cutter.spans


def member_path(key: str) -> str:
    """What the path of an object's member adds to the path of the object."""
    return f".{key}" if _IDENTIFIER.fullmatch(key) else f"[{json.dumps(key, ensure_ascii=False)}]"
