"""The header blocks of parts: parameters, quotes, folds, sizes, names (H079 to H107)."""

import itertools
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tests.advisories.assertions import Bounded, Refused, Stored
from tests.advisories.attacks import Attack, cost, seen
from tests.advisories.measures import MIB
from tests.advisories.messages import (
    chunked,
    chunks,
    file,
    form,
    multipart,
    part,
    post,
    raw_part,
    segments,
    sized,
    text,
    typed,
)

_GOOD = form(text(b"a", b"v"))


def _part(row: str, name: str, disposition: bytes, code: str, *fields: bytes, status: int = 400) -> Attack:
    """A part that is refused."""
    request = form(part(disposition, b"v", *fields))
    return Attack(row, name, Refused(request, status, code, _GOOD), tier=1)


def _one(disposition: bytes) -> bytes:
    """A form of one part, on an echo path."""
    return form(part(disposition, b"v"), target=b"/page")


def _extended_names() -> Iterable[Attack]:
    plain, extended = b'; filename="a.txt"', b"; filename*=UTF-8''b.php"
    for name, value in (("filename", plain + extended), ("other-order", extended + plain)):
        yield _part("H079", name, b'form-data; name="f"' + value, "filename_conflict")
    two_names = b"form-data; name=\"comment\"; name*=utf-8''role"
    yield _part("H079", "two-names", two_names, "filename_conflict")
    malformed = b"; filename*=UTF-8'bad%2"
    for name, value in (("malformed", plain + malformed), ("malformed-first", malformed + plain)):
        yield _part("H079", name, b'form-data; name="f"' + value, "filename_ext")
    decoded = form(part(b"form-data; name=\"f\"; filename*=utf-8''..%2F..%2Fmark-x", b"v"))
    yield seen("H079", "path", decoded, {"files": [{"name": "f", "filename": "../../mark-x"}]})
    nul = b"form-data; name=\"f\"; filename*=utf-8''mark-x%00.txt"
    yield _part("H079", "nul", nul, "filename_ext")
    for name, value in (("boundary", b"boundary*=utf-8''C"), ("boundary-continuation", b"boundary*0=C")):
        media_type = b"multipart/form-data; boundary=B; " + value
        request = typed(media_type, multipart(text(b"a", b"v")), b"/upload/")
        yield Attack("H079", name, Refused(request, 400, "boundary_invalid", _GOOD), tier=1)
    continued = b'form-data; name="f"; filename*0="a"; filename*1="b"'
    yield _part("H079", "continuation", continued, "filename_ext")
    yield _part("H079", "name", b"form-data; name*=UTF-8''%zz", "filename_ext")
    unknown = b"form-data; name=\"f\"; filename*=x-foo''a"
    yield _part("H105", "filename-charset", unknown, "filename_ext")
    typed_part = form(part(b'form-data; name="f"', b"v", b"Content-Type: text/plain; charset=idna"))
    see = {"files": [{"name": "f", "filename": None, "size": 1}], "form": []}
    yield seen("H105", "part-charset", typed_part, see)
    fields = [{"name": "_charset_", "value": "x-foo"}, {"name": "a", "value": "é"}]
    charset = form(text(b"_charset_", b"x-foo"), text(b"a", "é".encode()))
    yield seen("H105", "charset-field", charset, {"form": fields})
    body = typed(b"text/plain; charset=idna", b"abc")
    yield seen("H105", "body-charset", body, {"body": {"kind": "bytes", "size": 3}, "text": None})
    words = b"=?utf-8?q?=?=" * 600
    see = {"form": [{"name": words.decode(), "value": "v"}]}
    yield seen("H106", "encoded-words", _one(b'form-data; name="%s"' % words), see)
    make = lambda n: _one(b'form-data; name="%s"' % (b"=?utf-8?q?=?=" * n))  # noqa: E731
    yield cost("H106", "encoded-words", make, 100, 10)


def _regular_expressions() -> Iterable[Attack]:
    """H080, H081: what makes a backtracking expression slow; at most 8 KiB, and 16 KiB of a part."""
    media: dict[str, Callable[[int], bytes]] = {
        "backslashes": lambda n: b'application/x-www-form-urlencoded; !="' + b"\\" * n + b"; a=",
        "quotes": lambda n: b"application/x-www-form-urlencoded; a=" + b'"' * n,
        "pairs": lambda n: b'application/x-www-form-urlencoded; a="' + b'\\"' * (n // 2),
        "blanks": lambda n: b"text/plain" + b" " * n + b"x",
        "semicolons": lambda n: b"text/plain" + b" ;" * (n // 2) + b"x",
    }
    for name, make in media.items():
        check = Refused(typed(make(8000), b"a=1"), 400, "content_type_syntax", typed(b"text/plain", b"a=1"))
        yield Attack("H080", name, check, tier=1)
        yield cost("H080", name, partial(_typed, make), 1000, 10, 400)
    parts: dict[str, Callable[[int], bytes]] = {
        "bang": lambda n: b"form-data" + b';!filename="1' * (n // 13),
        "escaped-quotes": lambda n: b'form-data; name="' + b'\\"' * (n // 2),
        "equals": lambda n: b"form-data; " + b"=" * n,
        "unclosed": lambda n: b'form-data; name="' + b"a" * n,
        "blanks": lambda n: b"form-data;" + b" " * n + b"=",
        "percent": lambda n: b'form-data; name="a' + b"%22" * (n // 3) + b'"x',
    }
    for name, make in parts.items():
        yield _part("H081", name, make(16_000), "disposition_syntax")
        yield cost("H081", name, partial(_part_of, make), 2000, 10, 400)
    quotes = b'form-data; name="' + b'\\"' * 4000 + b'"'
    see = {"form": [{"name": '"' * 4000, "value": "v"}]}
    yield seen("H081", "closed", _one(quotes), see)


def _typed(make: Callable[[int], bytes], size: int) -> bytes:
    return typed(make(size), b"a=1")


def _part_of(make: Callable[[int], bytes], size: int) -> bytes:
    return _one(make(size))


def _large_blocks() -> Iterable[Attack]:
    escapes = b"\\\\" * 4000
    one = file(b"f", escapes, b"v")
    see = {"files": [{"filename": "\\" * 4000}] * 20}
    yield seen("H082", "escapes", form(*[one] * 20, target=b"/page"), see)
    yield cost("H082", "escapes", lambda n: form(*[one] * n, target=b"/page"), 25, 1)
    over = b'form-data; name="f"; filename="' + b"\\\\" * 8200 + b'"'
    yield _part("H082", "over", over, "part_headers_too_large", status=413)
    endless = Bounded(
        lambda: _endless(b'--B\r\nContent-Disposition: form-data; name="', b"n" * 65_536),
        24,
        413,
        "part_headers_too_large",
        most=16 * MIB,
    )
    yield Attack("H089", "endless-name", endless)
    many = Bounded(
        lambda: _endless(b"--B\r\n", b"X: y\r\n" * 10_000), 24, 413, "part_headers_too_large", most=16 * MIB
    )
    yield Attack("H090", "endless-fields", many)
    disposition = b'form-data; name="a"'
    fields = [b"X: y"] * 31
    see = {"form": [{"value": "v"}]}
    yield seen("H090", "32-fields", form(part(disposition, b"v", *fields)), see)
    yield _part("H090", "33-fields", disposition, "part_headers_too_large", *fields, b"X: y", status=413)
    # The limit holds for the lines of the block with their CRLF; the disposition's are 42 of these bytes.
    full = b"X: " + b"y" * (16_384 - 42 - 5)
    yield seen("H090", "16-kib", form(part(disposition, b"v", full)), see)
    yield _part("H090", "over", disposition, "part_headers_too_large", full + b"y", status=413)
    block = part(disposition, b"v", *[b"X: " + b"y" * 490] * 15)
    yield cost("H090", "slow-block", _slow_block, 2000, 4)
    yield cost("H090", "large-blocks", lambda n: form(*[block] * n, target=b"/page"), 60, 1)


def _slow_block(size: int) -> bytes:
    """A form whose one part has a header block of about that size, in chunks of two bytes."""
    body = multipart(part(b'form-data; name="a"', b"v", b"X: " + b"y" * size))
    return chunked(chunks(*segments(body, 2)), b"/page", b"Content-Type: multipart/form-data; boundary=B")


def _endless(begin: bytes, piece: bytes) -> Iterable[bytes]:
    count = 24 * MIB // len(piece)
    length = b"Content-Length: %d" % (len(begin) + count * len(piece))
    yield post(b"/upload/", b"Content-Type: multipart/form-data; boundary=B", length) + begin
    yield from itertools.repeat(piece, count)


def _folds_and_controls() -> Iterable[Attack]:
    folds = Bounded(
        lambda: _endless(b"--B\r\nX: y", b"\r\n a" * 10_000), 24, 413, "part_headers_too_large", most=16 * MIB
    )
    yield Attack("H091", "endless-folds", folds)
    block = b'Content-Disposition: form-data; name="a"\r\n'

    def folded(count: int) -> bytes:
        return form(raw_part(block + b"X: y" + b"\r\n a" * count + b"\r\n", b"v"), target=b"/page")

    yield cost("H091", "folds", folded, 500, 10, 400)

    def blanks(count: int) -> bytes:
        return form(raw_part(block + b"X: y" + b" " * count + b"y\r\n a\r\n", b"v"), target=b"/page")

    yield cost("H091", "blanks", blanks, 2000, 10, 400)
    in_a_row = form(raw_part(block + b"X: y \r\n \r\n\t\r\n z\r\n", b"v"))
    yield Attack("H091", "folds-in-a-row", Refused(in_a_row, 400, "part_header_syntax", _GOOD), tier=1)
    no_colon = Refused(form(raw_part(block + b"NoColon\r\n", b"v")), 400, "part_header_syntax", _GOOD)
    yield Attack("H091", "no-colon", no_colon, tier=1)
    value = b'form-data; name="f"; filename="te\r\n st.txt"'
    yield _part("H092", "fold", value, "part_header_syntax")
    yield _part("H092", "fold-in-name", b'form-data; name="te\r\n\tst"', "part_header_syntax")
    for name, bad in (("cr", b"te\rX"), ("lf", b"te\nX"), ("nul", b"te\0X"), ("esc", b"te\x1bX")):
        request = form(file(b"f", bad, b"x"))
        yield Attack("H092", name, Refused(request, 400, "part_header_syntax", _GOOD), tier=1)
        request = form(text(bad, b"x"))
        yield Attack("H092", f"{name}-in-name", Refused(request, 400, "part_header_syntax", _GOOD), tier=1)
    bad_part = Refused(
        form(*[b"--B\r\nX: y\r\n\r\nv\r\n"] * 1000),
        400,
        "disposition_missing",
        form(*[text(b"a", b"v")] * 1000),
    )
    yield Attack("H088", "no-disposition", bad_part, tier=1)


def _names() -> Iterable[Attack]:
    see = {"form": [{"name": "", "value": "v"}]}
    yield seen("H095", "empty-name", form(text(b"", b"v")), see)
    yield seen("H096", "empty-name", form(text(b"", b"v")), see)
    yield _part("H096", "no-name", b"form-data", "name_missing")
    yield _part("H096", "no-name-of-file", b'form-data; filename="a"', "name_missing")
    special = ("__proto__", "constructor", "__class__", "self", "toString", "hasOwnProperty")
    for name in special:
        raw = name.encode()
        entry = {"name": name, "value": "v"}
        headers = [{"name": name.lower(), "value": "v"}]
        request = form(part(b'form-data; name="%s"' % raw, b"v", raw + b": v"))
        disposition = {"name": "content-disposition", "value": f'form-data; name="{name}"'}
        see_form = {"form": [entry | {"headers": [disposition, *headers]}]}
        yield seen("H097", f"part-{name}", request, see_form)
        see_json = {"json": {name: {name: "v"}}}
        body = b'{"%s":{"%s":"v"}}' % (raw, raw)
        yield seen("H097", f"json-{name}", typed(b"application/json", body), see_json)
        query = sized(b"/page?%s=v" % raw, b"%s=v" % raw, b"Content-Type: application/x-www-form-urlencoded")
        yield seen("H097", f"pairs-{name}", query, {"args": [entry], "form": [entry]})
    for label, name in (("double", "a[[b"), ("empty", "a[]"), ("path", "a[../x]"), ("open", "a[")):
        see = {"form": [{"name": name, "value": "v"}, {"name": name, "value": "w"}]}
        request = form(text(name.encode(), b"v"), text(name.encode(), b"w"))
        yield seen("H107", label, request, see)


def _brackets() -> Iterable[Attack]:
    """H107: a depth and an index that cost memory or a crash where a name is made into an object."""
    deep = "a" + "[b]" * 5000
    see: dict[str, Any] = {"form": [{"name": deep, "value": "v"}]}
    yield seen("H107", "nested", form(text(deep.encode(), b"v")), see)
    pairs = typed(b"application/x-www-form-urlencoded", deep.encode() + b"=v")
    yield seen("H107", "nested-urlencoded", pairs, see)
    nested = text(b"a" + b"[b]" * 2000, b"v")
    yield cost("H107", "nested", lambda n: form(*[nested] * n, target=b"/page"), 25, 1)
    for label, other in (("index-then-end", "items[]"), ("index-then-key", "items[x]")):
        names = ("items[4294967294]", other)
        request = form(*(text(name.encode(), b"v") for name in names))
        yield seen("H107", label, request, {"form": [{"name": name, "value": "v"} for name in names]})


def _ignored_fields() -> Iterable[Attack]:
    for length in (b"999999", b"-1", b"+5", b"1_0"):
        request = form(file(b"f", b"a", b"data", b"Content-Length: " + length))
        yield Attack("H100", f"length-{length.decode()}", Stored(request, (b"data",)), tier=1)
    params = Refused(
        typed(b"multipart/form-data; " + b"a;b;" * 2000, b"x"), 400, "content_type_syntax", _GOOD
    )
    yield Attack("H102", "no-values", params, tier=1)
    flood = Refused(typed(b"text/plain" + b";a=1" * 100_000, b"x"), 431, "headers_too_large", _GOOD)
    yield Attack("H102", "100000", flood)
    distinct = lambda n: typed(b"text/plain" + b"".join(b";p%d=1" % at for at in range(n)), b"x")  # noqa: E731
    yield cost("H102", "parameters", distinct, 110, 10)
    for size in range(1, 5):
        fields = (b"Content-Transfer-Encoding: base64",)
        request = form(file(b"f", b"a", b"YWJj"[:size], *fields))
        refused = Refused(request, 400, "part_transfer_encoding", form(file(b"f", b"a", b"YWJj"[:size])))
        yield Attack("H102", f"base64-{size}", refused, tier=1)
    blanks = b" " * (2 * MIB)
    base64 = form(file(b"f", b"a", blanks, b"Content-Transfer-Encoding: base64"))
    plain = form(file(b"f", b"a", blanks, b"Content-Transfer-Encoding: 8bit"))
    yield Attack("H103", "base64", Refused(base64, 400, "part_transfer_encoding", plain), tier=1)
    mixed = b"YWJj" + b" \t\r\n" * (MIB // 4)
    base64 = form(file(b"f", b"a", mixed, b"Content-Transfer-Encoding: base64"))
    few = form(file(b"f", b"a", mixed, b"Content-Transfer-Encoding: binary"))
    yield Attack("H103", "base64-lines", Refused(base64, 400, "part_transfer_encoding", few), tier=1)
    yield Attack("H103", "8bit", Stored(plain, (blanks,)), tier=1)
    make = lambda n: form(file(b"f", b"a", b" " * n, b"Content-Transfer-Encoding: 8bit"))  # noqa: E731
    yield cost("H103", "blanks", make, MIB, 1)


PARTS: tuple[Attack, ...] = (
    *_extended_names(),
    *_regular_expressions(),
    *_large_blocks(),
    *_folds_and_controls(),
    *_names(),
    *_brackets(),
    *_ignored_fields(),
)
