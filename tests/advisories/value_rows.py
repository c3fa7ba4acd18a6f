"""Forms, JSON, cookies, codings, ranges and targets: values that a request carries (H075 to H138)."""

import gzip
import hashlib
import itertools
import json
from collections.abc import Iterable
from functools import partial
from typing import Any

from clients.http1.response_parser import Response
from tests.advisories.assertions import Bounded, Linear, Refused, Rejected, accepted, refused
from tests.advisories.attacks import Attack, cost, seen
from tests.advisories.measures import MIB
from tests.advisories.messages import (
    OPAQUE,
    chunked,
    chunks,
    file,
    form,
    get,
    multipart,
    post,
    sized,
    text,
    typed,
)
from tests.advisories.target import Target

_URLENCODED = b"application/x-www-form-urlencoded"
_JSON = b"application/json"
_GOOD_FORM = typed(_URLENCODED, b"a=1")
_GOOD_JSON = typed(_JSON, b"[1]")


def _refuse(row: str, name: str, request: bytes, code: str, twin: bytes, status: int = 400) -> Attack:
    return Attack(row, name, Refused(request, status, code, twin), tier=1)


def _pairs(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _endless_form(fields: tuple[bytes, ...], piece: bytes) -> Iterable[bytes]:
    yield post(b"/page", b"Content-Type: " + _URLENCODED, *fields)
    yield from itertools.repeat(piece, 24 * MIB // len(piece))


def _forms() -> Iterable[Attack]:
    in_chunks = b"%x\r\n%s\r\n" % (65_536, b"a" * 65_536)
    shapes = {
        "sized": ((b"Content-Length: %d" % (24 * MIB),), b"a" * 65_536),
        "chunked": ((b"Transfer-Encoding: chunked",), in_chunks),
        "sized-pairs": ((b"Content-Length: %d" % (24 * MIB),), b"a=1&" * 16_384),
    }
    for name, (fields, piece) in shapes.items():
        endless = Bounded(partial(_endless_form, fields, piece), 24, 413, "body_too_large", most=16 * MIB)
        yield Attack("H075", name, endless)
    full = typed(_URLENCODED, b"a=" + b"v" * (MIB - 2))
    over = typed(_URLENCODED, b"a=" + b"v" * (MIB - 1))
    yield _refuse("H075", "one-byte-over", over, "body_too_large", full, 413)
    many = typed(_URLENCODED, b"a=1&" * 262_144)
    yield _refuse("H075", "many-pairs", many, "too_many_parts", _GOOD_FORM, 413)
    unique = [b"k%d=" % at for at in range(1001)]
    thousand = typed(_URLENCODED, b"&".join(unique[:1000]))
    yield _refuse("H076", "1001", typed(_URLENCODED, b"&".join(unique)), "too_many_parts", thousand, 413)
    yield Attack("H076", "query", _query_of_8_kib, tier=1)
    two = _pairs(("a", "1;b=2"), ("c", "3"))
    yield seen("H077", "body", typed(_URLENCODED, b"a=1;b=2&c=3"), {"form": two})
    yield seen("H077", "query", get(b"/page?a=1;b=2&c=3"), {"args": two})
    yield cost("H078", "semicolons", lambda n: typed(_URLENCODED, b"a;" * n), MIB // 16, 1)
    yield cost("H078", "percent", lambda n: typed(_URLENCODED, b"%41%zz" * n), MIB // 64, 1)
    yield cost("H078", "empty", lambda n: typed(_URLENCODED, b"&" * n), MIB // 8, 1)
    yield cost("H078", "plus", lambda n: typed(_URLENCODED, b"+=+" * n), MIB // 32, 1)


def _query_of_8_kib(target: Target) -> Response:
    """H076: as many pairs as a request line holds: the query has no other limit."""
    names = [f"k{at}" for at in range(1300)]
    request = get(f"/page?{'&'.join(names)}".encode())
    return accepted(target, request, {"args": _pairs(*((name, "") for name in names))})


def _limits() -> Iterable[Attack]:
    """H104: the limit holds for what arrives, whatever Content-Length says or does not say."""
    under = chunked(chunks(b"x" * MIB), b"/upload/", OPAQUE)
    over = chunked(chunks(b"x" * MIB, b"y"), b"/upload/", OPAQUE)
    yield Attack("H104", "chunked", Rejected(over, 413, "body_too_large", under), variant="small")
    length = post(b"/upload/", OPAQUE, b"Content-Length: %d" % (MIB + 1), body=b"x" * 1000)
    sized_check = Rejected(length, 413, "body_too_large", under)
    yield Attack("H104", "sized", sized_check, variant="small")
    fits, too_long = _in_one_chunk(MIB), _in_one_chunk(MIB + 1)
    at_once = Rejected(too_long, 413, "body_too_large", fits)
    yield Attack("H104", "file-at-once", at_once, variant="small")
    texts = (text(b"f", b"x"), text(b"f", b"x" * MIB), text(b"f", b"x"))
    good = form(texts[0], text(b"f", b"x" * (MIB - 2)), texts[2])
    yield _refuse("H114", "texts", form(*texts), "field_too_large", good, 413)
    files = (file(b"f", b"a", b"1"), file(b"f", b"b", b"2", b"X : y"), file(b"f", b"c", b"3"))
    good = form(files[0], file(b"f", b"b", b"2"), files[2])
    yield _refuse("H114", "files", form(*files), "part_header_syntax", good)


def _in_one_chunk(size: int) -> bytes:
    """An upload of one file whose body is so large; the file's head arrives together with all its bytes."""
    empty = multipart(file(b"f", b"a", b""))
    body = multipart(file(b"f", b"a", b"x" * (size - len(empty))))
    return chunked(chunks(body), b"/upload/", b"Content-Type: multipart/form-data; boundary=B")


def _json() -> Iterable[Attack]:
    value = json.dumps(["é" * 1000], ensure_ascii=False)
    for name in ("utf-32", "utf-16", "utf-32-be", "utf-16-le"):
        body = value.encode(name)
        yield _refuse("H120", name, typed(_JSON, body), "json_invalid", typed(_JSON, value.encode()))
    utf_7 = value.encode("utf-7")
    yield seen("H120", "utf-7", typed(_JSON, utf_7), {"json": [utf_7.decode("ascii")[2:-2]]})
    for charset in (b"zip", b"utf-7", b"utf-32", b"unicode_escape"):
        request = typed(_JSON + b"; charset=" + charset, value.encode())
        yield seen("H120", f"charset-{charset.decode()}", request, {"json": ["é" * 1000]})
    large = json.dumps("x" * (10 * MIB)).encode("utf-32")
    yield Attack("H120", "memory", Bounded(lambda: [typed(_JSON, large)], 64, 413, "body_too_large"))
    full = typed(_JSON, b'"' + b"x" * (MIB - 2) + b'"')
    yield Attack("H120", "mib", Bounded(lambda: [full], 64))
    for name, opening in (("arrays", b"["), ("objects", b'{"a":'), ("mixed", b'[{"a":')):
        twin = typed(_JSON, b"[" * 64 + b"]" * 64)
        yield _refuse("H121", name, typed(_JSON, opening * 100_000), "json_too_deep", twin)
        yield _refuse("H121", f"65-{name}", typed(_JSON, opening * 65), "json_too_deep", twin)
        yield cost("H121", name, partial(_nested, opening), 16_000, 1, 400)
    digits = b"9" * 1000
    million = typed(_JSON, b"9" * 1_000_000)
    yield _refuse("H122", "json", million, "json_invalid", typed(_JSON, digits))
    exponent = typed(_JSON, b"1e" + b"9" * 1000)
    yield _refuse("H122", "exponent", exponent, "json_invalid", typed(_JSON, b"1e30"))
    yield cost("H122", "json", lambda n: typed(_JSON, b"[" + b"9" * n + b"]"), 100_000, 1, 400)
    nines = "9" * 8000
    yield seen("H122", "path", get(f"/{nines}".encode()), {"path": f"/{nines}"})
    long = "9" * 1_000_000
    request = typed(_URLENCODED, b"a=" + long.encode())
    yield seen("H122", "form", request, {"form": _pairs(("a", long))})
    yield _refuse("H122", "delay", _delay(b"9" * 4000), "json_invalid", _delay(b"0"))
    yield cost("H123", "json-keys", partial(_object, "key%d"), 5_000, 1)
    yield cost("H123", "json-equal-ends", partial(_object, "%dkey"), 5_000, 1)
    yield _refuse("H123", "pairs", typed(_URLENCODED, b"a=&" * 100_000), "too_many_parts", _GOOD_FORM, 413)


def _nested(opening: bytes, depth: int) -> bytes:
    return typed(_JSON, opening * depth)


def _delay(number: bytes) -> bytes:
    return typed(_JSON, b'{"query":"","delay":%s}' % number, b"/page")


def _object(pattern: str, count: int) -> bytes:
    return typed(_JSON, json.dumps({pattern % at: 0 for at in range(count)}).encode())


def _cookies() -> Iterable[Attack]:
    def cookie(value: bytes) -> bytes:
        return get(b"/page", b"Cookie: " + value)

    quoted = '"' + "\\" * 8000 + '"'
    yield seen("H124", "backslashes", cookie(b"a=" + quoted.encode()), {"cookies": _pairs(("a", quoted))})
    yield cost("H124", "backslashes", lambda n: cookie(b'a="' + b"\\" * n + b'"'), 1000, 20)
    many = cookie(b"a=;" * 10_000)
    check = Rejected(many, 431, "headers_too_large", cookie(b"a=;" * 2700))
    yield Attack("H126", "many", check, tier=2)
    yield seen("H126", "full", cookie(b"a=;" * 2700), {"cookies": _pairs(*[("a", "")] * 2700)})
    yield cost("H126", "many", lambda n: cookie(b"a=;" * n), 330, 10)
    nameless = {"cookies": _pairs(("", "__Host-x=1"))}
    yield seen("H127", "nameless", cookie(b"=__Host-x=1"), nameless)
    escaped = {"cookies": _pairs(("%5f%5fHost-x", "1"))}
    yield seen("H127", "escaped", cookie(b"%5f%5fHost-x=1"), escaped)
    for byte in (0x01, 0x07, 0x0B, 0x1F, 0x7F):
        check = Rejected(cookie(b"a=%cb" % byte), 400, "bad_header", cookie(b"a=b"))
        yield Attack("H128", f"control-{byte:02x}", check, tier=1)


def _codings() -> Iterable[Attack]:
    bomb = gzip.compress(bytes(10 * MIB), mtime=0)
    coding = b"Content-Encoding: gzip"
    see: dict[str, Any] = {
        "body": {"kind": "bytes", "size": len(bomb), "sha256": hashlib.sha256(bomb).hexdigest()},
        "json": None,
        "form": [],
    }
    for name, content_type in (("json", _JSON), ("form", _URLENCODED), ("text", b"text/plain")):
        request = sized(b"/page", bomb, b"Content-Type: " + content_type, coding)
        yield seen("H129", name, request, see)
    multi = sized(b"/page", bomb, b"Content-Type: multipart/form-data; boundary=B", coding)
    twin = form(file(b"f", b"a.gz", bomb), target=b"/page")
    yield _refuse("H129", "multipart", multi, "unsupported_content_encoding", twin, 415)
    request = sized(b"/page", bomb, OPAQUE, coding)
    yield Attack("H129", "memory", Bounded(lambda: [request], 16))
    lost = sized(b"/upload/a/b", bomb, OPAQUE, coding)
    yield _refuse("H129", "404", lost, "not_found", request, 404)
    no_token = sized(b"/page", bomb, OPAQUE, coding)
    yield Attack("H129", "401", _NeedsToken(no_token), tier=2, variant="token")
    member = gzip.compress(b"", mtime=0)
    members = member * 10_000
    see = {"body": {"kind": "bytes", "size": len(members)}}
    yield seen("H130", "members", sized(b"/page", members, OPAQUE, coding), see)
    yield cost("H130", "members", lambda n: sized(b"/page", member * n, OPAQUE, coding), 20_000, 1)


class _NeedsToken:
    """Refused for want of a token, whatever the body is."""

    def __init__(self, request: bytes) -> None:
        self._request = request

    def __call__(self, target: Target) -> Response:
        reply = target.talk(self._request, half_close=True)
        response = reply.only()
        refused(response, 401, "token_required")
        return response


class _Ranges:
    """Reads back a stored file with that Range, which is ignored, or refused with 416."""

    def __init__(self, value: bytes, status: int = 200) -> None:
        self._value = value
        self._status = status

    def __call__(self, target: Target) -> Response:
        content = b"0123456789"
        href = accepted(target, form(file(b"f", b"a", content))).json()["files"][0]["href"].encode()
        response = target.talk(get(href, b"Range: " + self._value), half_close=True).only()
        assert response.status == self._status
        if self._status == 416:
            refused(response, 416, "range_not_satisfiable")
        else:
            wanted = content if self._status == 200 else content[2:4]
            assert response.body == wanted and response.header("content-type") == "application/octet-stream"
        twin = target.talk(get(href, b"Range: bytes=2-3"), half_close=True).only()
        assert (twin.status, twin.body) == (206, content[2:4])
        return response


def _ranges() -> Iterable[Attack]:
    ranges: dict[str, tuple[bytes, int]] = {
        "many": (b"bytes=" + b",".join([b"0-"] * 2600), 200),
        "overlapping": (b"bytes=0-1,1-2,0-9", 200),
        "one": (b"bytes=2-3", 206),
    }
    for name, (value, status) in ranges.items():
        yield Attack("H131", name, _Ranges(value, status), tier=1)
    slow = Linear(lambda n: get(b"/files/" + b"0" * 64, b"Range: bytes=" + b"0-," * n), 330, 10, 404)
    yield Attack("H131", "cost", slow, variant="memory")
    values = {
        "arabic": ("bytes=٠-١".encode(), 200),
        "minus-zero": (b"bytes=-0", 416),
        "underscore": (b"bytes=1_0-", 200),
        "plus": (b"bytes=+1-2", 200),
        "huge": (b"bytes=9999999999999999999-", 416),
        "20-digits": (b"bytes=99999999999999999999-", 416),
        "backwards": (b"bytes=3-2", 200),
    }
    for name, (value, status) in values.items():
        yield Attack("H132", name, _Ranges(value, status), tier=1)


def _heads_and_targets() -> Iterable[Attack]:
    for field in (b"Accept-Encoding", b"Accept", b"Accept-Language", b"If-None-Match", b"Connection"):
        name = field.decode().lower()
        make = partial(_field, field + b": ", b"*;q=0,")
        yield cost("H133", name, make, 160, 10)
    yield _refuse("H135", "empty-parameter", typed(_JSON + b";x", b"1"), "content_type_syntax", _GOOD_JSON)
    see: dict[str, Any] = {"body": {"kind": "bytes"}, "json": None}
    yield seen("H135", "longer-subtype", typed(b"application/jsonx", b"\xff"), see)
    see = {"body": {"kind": "json"}, "json": 1}
    yield seen("H135", "suffix", typed(b"application/x+json", b"1"), see)
    ff = get(b"/" + b"%ff" * 2700)
    yield _refuse("H137", "percent-ff", ff, "target_not_utf8", get(b"/" + b"%e2%82%ac" * 900))
    yield cost("H137", "percent-ff", lambda n: get(b"/" + b"%ff" * n), 330, 10, 400)
    yield cost("H137", "percent-euro", lambda n: get(b"/" + b"%e2%82%ac" * n), 110, 10)
    yield cost("H137", "percent-2f", lambda n: get(b"/" + b"%2f" * n), 330, 10)
    up = "/" + "../" * 2700
    yield seen("H138", "dots", get(up.encode()), {"path": up, "target": up})
    yield cost("H138", "dots", lambda n: get(b"/" + b"../" * n), 330, 10)
    yield cost("H138", "slashes", lambda n: get(b"/" * n), 1000, 10)


def _field(name: bytes, value: bytes, count: int) -> bytes:
    return get(b"/page", name + value * count)


def never_cached(target: Target) -> None:
    """H136: no dynamic answer may be kept by a cache, least of all one that depends on cookies."""
    requests = (
        get(b"/page", b"Cookie: a=1"),
        get(b"/page", b"Authorization: Basic dTpw"),
        get(b"/healthz"),
        get(b"/problems/not_found"),
        get(b"/problems/none"),
        get(b"/v1/models"),
        get(b"/", b"Host: a@b"),
        form(file(b"f", b"a", b"x")),
        typed(_JSON, b"{"),
    )
    for request in requests:
        response = target.talk(request, half_close=True).only()
        assert response.header("cache-control") == "no-store", (request, response.headers)
        assert response.header("x-content-type-options") == "nosniff"
        assert response.header("set-cookie") is None


VALUES: tuple[Attack, ...] = (
    *_forms(),
    *_limits(),
    *_json(),
    *_cookies(),
    *_codings(),
    *_ranges(),
    *_heads_and_targets(),
    Attack("H136", "no-store", never_cached, tier=1),
)
