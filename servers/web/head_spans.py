"""The spans of the lines of a head: method, target, version, and the name and the value of each field."""

import re

from ..contract.request import BasicCredentials, RequestHead
from .fine_spans import Cutter, FineSpan

_ORIGIN = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]*://)([^/?]*)")
_SCHEME = re.compile(rb"[^ \t]*")
_WORD_BEHIND_BLANKS = re.compile(rb"[ \t]*(.*?)[ \t]*", re.DOTALL)
# The rules of fields that mean something to the server. The value of any other field follows H11, or H20 if
# the field is repeated.
_RULES = {
    "authorization": "A1",
    "connection": "B45",
    "content-encoding": "B44",
    "cookie": "K1",
    "expect": "H35",
    "transfer-encoding": "B15",
    "upgrade": "H34",
}


def request_line_spans(line: bytes, head: RequestHead | None) -> list[FineSpan]:
    """The spans of a request line with its CRLF, or of the empty line before it (R16).

    `head` is None if the head was refused. Then a line that has no three words is one span.
    """
    cutter = Cutter("request line")
    words = line.removesuffix(b"\r\n").split(b" ")
    if len(words) != 3 or not line.endswith(b"\r\n"):
        cutter.cut(len(line), rule="R16" if line == b"\r\n" else "")
        return cutter.spans
    method, target, version = words
    cutter.cut(len(method), "method", "R1", how="text")
    cutter.cut(1, rule="R14")
    cutter.extend(_target_spans(target, head))
    cutter.cut(1, rule="R14")
    cutter.cut(len(version), rule={b"HTTP/1.0": "R8", b"HTTP/1.1": "R1"}.get(version, "R9"))
    cutter.cut(2, rule="R18")
    return cutter.spans


def _target_spans(target: bytes, head: RequestHead | None) -> list[FineSpan]:
    cutter = Cutter("request line")
    if target == b"*":
        cutter.cut(1, "path", "R5", also="target", how="text")
        return cutter.spans
    origin = _ORIGIN.match(target)
    if origin is not None:
        cutter.cut(len(origin[1]), rule="R2")
        cutter.cut(len(origin[2]), "host", "R2", also=_value_path("host", head), how="text")
        target = target[origin.end() :]
    path, mark, query = target.partition(b"?")
    also = "target" if path else ""  # without a path, the server has added one (R3)
    cutter.cut(len(path), "path", "R20" if b"%" in path else "R1", also=also, how="path")
    cutter.cut(len(mark), rule="R33", also=also)
    cutter.extend(pair_spans(query, "args", "request line", "R35", also=also))
    return cutter.spans


def pair_spans(
    query: bytes, path: str, role: str, rule: str, *, also: str = "", how: str = "form"
) -> list[FineSpan]:
    """The spans of urlencoded pairs, which get the paths `path[0].name`, `path[0].value` and so on."""
    cutter = Cutter(role)
    index = 0
    for number, piece in enumerate(query.split(b"&")):
        cutter.cut(number > 0, rule=rule, also=also)
        if not piece:
            continue
        name, equals, value = piece.partition(b"=")
        place = f"{path}[{index}]"
        cutter.cut(len(name), f"{place}.name", rule, also=also, how=how)
        cutter.cut(len(equals), rule=rule, also=also)
        cutter.cut(len(value), f"{place}.value", rule, also=also, how=how)
        index += 1
    return cutter.spans


class FieldSpans:
    """The spans of the field lines of one head, line by line, since cookies are numbered through all lines.

    Without `head` the lines get no paths, because the head was refused.
    """

    def __init__(self, head: RequestHead | None, absolute: bool) -> None:
        """`absolute` says that the target has an authority, which takes the place of Host (R2)."""
        self._head = head
        self._absolute = absolute
        self._cookies = 0
        self._seen: set[str] = set()

    def spans(self, line: bytes) -> list[FineSpan]:
        """The spans of a field line with its CRLF. What is no field line is one span."""
        raw_name, colon, rest = line.removesuffix(b"\r\n").partition(b":")
        cutter = Cutter("field name")
        if not colon or not line.endswith(b"\r\n"):
            cutter.cut(len(line))
            return cutter.spans
        name = raw_name.decode("iso-8859-1").lower()
        path = _value_path(name, self._head)
        value = rest.strip(b" \t")
        dropped = "_" in name
        cutter.cut(
            len(raw_name), path and f"{path[:-5]}name", "H17" if dropped else "H19", how=path and "lower"
        )
        cutter.role = "field value"
        cutter.cut(1, rule="H11", role="field name")
        cutter.cut(len(rest) - len(rest.lstrip(b" \t")) if value else len(rest), rule="H11")
        cutter.extend(self._value_spans(name, value, path))
        cutter.cut(len(rest) - len(rest.rstrip(b" \t")) if value else 0, rule="H11")
        cutter.cut(2, rule="H5")
        return cutter.spans

    def _value_spans(self, name: str, value: bytes, path: str) -> list[FineSpan]:
        cutter = Cutter("field value")
        if not path or (name == "host" and self._absolute):
            cutter.cut(len(value), rule="H17" if "_" in name else "R2" if name == "host" else "")
        elif name == "host":
            cutter.cut(len(value), "host", "H28", also=path, how="text")
        elif name == "content-length":
            cutter.cut(len(value), "body.size", "B6" if value[:1] == b"0" else "B1", also=path, how="number")
        elif name == "content-type":
            cutter.extend(media_type_spans(value, path))
        elif name == "cookie" and not _is_hidden(value):
            cutter.extend(self._cookie_spans(value, path))
        elif name == "authorization" and not _is_hidden(value):
            cutter.extend(_credential_spans(value, path, self._head))
        else:
            repeated = "H20" if name in self._seen else "H11"
            cutter.cut(len(value), path, _RULES.get(name, repeated), how="text")
        self._seen.add(name)
        return cutter.spans

    def _cookie_spans(self, value: bytes, path: str) -> list[FineSpan]:
        cutter = Cutter("field value")
        for number, piece in enumerate(value.split(b";")):
            cutter.cut(number > 0, rule="K1", also=path)
            if not piece.strip(b" \t"):
                cutter.cut(len(piece), rule="K1", also=path)
                continue
            name, equals, rest = piece.partition(b"=")
            place = f"cookies[{self._cookies}]"
            self._cookies += 1
            if not equals:
                _cut_trimmed(cutter, piece, f"{place}.value", "K8", path)
                continue
            _cut_trimmed(cutter, name, f"{place}.name", "K1", path)
            cutter.cut(1, rule="K10", also=path)
            _cut_trimmed(cutter, rest, f"{place}.value", "K1", path)
        return cutter.spans


def _cut_trimmed(cutter: Cutter, data: bytes, path: str, rule: str, also: str) -> None:
    """Blanks, then the value, then blanks (K9)."""
    match = _WORD_BEHIND_BLANKS.fullmatch(data)
    assert match is not None, "the pattern takes any bytes"
    cutter.cut(match.start(1), rule="K9", also=also)
    cutter.cut(len(match[1]), path, rule, also=also, how="text")
    cutter.cut(len(data) - match.end(1), rule="K9", also=also)


def _credential_spans(value: bytes, path: str, head: RequestHead | None) -> list[FineSpan]:
    cutter = Cutter("field value")
    scheme = _SCHEME.match(value)
    assert scheme is not None, "the pattern takes any bytes"
    credentials = value[scheme.end() :].lstrip(b" ")
    cutter.cut(scheme.end(), "auth.scheme", "A1", also=path, how="lower")
    cutter.cut(len(value) - scheme.end() - len(credentials), rule="A2", also=path)
    decoded = head is not None and isinstance(head.auth, BasicCredentials)
    if decoded:
        cutter.cut(len(credentials), "auth", "A5", also=path, how="basic")
    else:
        cutter.cut(len(credentials), "auth.credentials", "A14", also=path, how="text")
    return cutter.spans


_PARAMETER = re.compile(
    rb'([ \t]*;[ \t]*)(?:([^=;"]+)(=)("(?:[^"\\]|\\.)*"|[^;]*?)(?=[ \t]*(?:;|$)))?', re.DOTALL
)


def media_type_spans(value: bytes, also: str) -> list[FineSpan]:
    """The spans of a Content-Type that was accepted: the type, and the name and value of each parameter."""
    cutter = Cutter("field value")
    essence = value.partition(b";")[0].rstrip(b" \t")
    cutter.cut(len(essence), "body.media_type", "C1", also=also, how="lower")
    index = 0
    while cutter.end < len(value):
        match = _PARAMETER.match(value, cutter.end)
        if match is None:
            break
        cutter.cut(len(match[1]), rule="C3", also=also)
        if match[2] is not None:
            place = f"body.parameters[{index}]"
            index += 1
            cutter.cut(len(match[2]), f"{place}.name", "C1", also=also, how="lower")
            cutter.cut(1, rule="C4", also=also)
            how = "boundary" if match[2].lower() == b"boundary" else "quoted"
            cutter.cut(
                len(match[4]), f"{place}.value", "M1" if how == "boundary" else "C1", also=also, how=how
            )
    cutter.cut(len(value) - cutter.end, rule="C3", also=also)
    return cutter.spans


def _is_hidden(value: bytes) -> bool:
    """Whether the value was a secret, of which only the length is left."""
    return value.strip(b"*") == b""


def _value_path(name: str, head: RequestHead | None) -> str:
    """The path of a field's value in the result; empty if it is not there."""
    if head is not None:
        for index, field in enumerate(head.headers):
            if field.name == name:
                return f"headers[{index}].value"
    return ""
