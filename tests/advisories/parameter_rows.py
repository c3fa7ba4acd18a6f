"""Where a parameter ends: quoted pairs, parameters inside quotes, text behind quotes (H115 to H117)."""

from collections.abc import Iterable
from typing import Any

from tests.advisories.assertions import Refused
from tests.advisories.attacks import Attack, seen
from tests.advisories.messages import file, form, multipart, part, text, typed

_GOOD = form(text(b"a", b"v"))


def _bounded(parameters: bytes, boundary: bytes) -> bytes:
    """An upload of one file with these parameters; its body has that boundary."""
    body = multipart(file(b"f", b"a", b"data")).replace(b"--B", b"--" + boundary)
    return typed(b"multipart/form-data; " + parameters, body, b"/upload/")


def _media_type(row: str, name: str, parameters: bytes, boundary: bytes, code: str, twin: bytes) -> Attack:
    return Attack(row, name, Refused(_bounded(parameters, boundary), 400, code, twin), tier=1)


def _quoted_pairs() -> Iterable[Attack]:
    """H115: a boundary with a quoted pair is refused, whichever boundary the body has."""
    twin = _bounded(b'boundary="a\'b"', b"a'b")
    boundaries = {
        "unescaped": (b'"a\\"b"', b'a"b'),
        "as-it-stands": (b'"a\\"b"', b'a\\"b'),
        "cut-at-the-quote": (b'"a\\"b"', b"a\\"),
        "of-a-letter": (b'"\\B"', b"B"),
        "of-a-backslash": (b'"B\\\\"', b"B\\"),
        "then-a-semicolon": (b'"a\\";b"', b'a";b'),
        "then-a-boundary": (b'"B\\"; boundary=C; x=\\""', b"C"),
    }
    for name, (value, boundary) in boundaries.items():
        yield _media_type("H115", name, b"boundary=" + value, boundary, "boundary_invalid", twin)
    yield _media_type("H115", "unterminated", b'boundary="B\\"', b"B", "content_type_syntax", twin)
    decoy = b'x="\\"; boundary=C; y=\\""'
    other = {"name": "x", "value": '"; boundary=C; y="'}
    own = {"name": "boundary", "value": "B"}
    for name, parameters, pairs in (
        ("in-another-parameter", decoy + b"; boundary=B", [other, own]),
        ("in-a-later-parameter", b"boundary=B; " + decoy, [own, other]),
    ):
        see = {"body": {"parameters": pairs}, "files": [{"name": "f", "filename": "a", "size": 4}]}
        yield seen("H115", name, _bounded(parameters, b"B"), see)
    for name, media_type in (("any-multipart", b"multipart/*"), ("any-type", b"*/*")):
        body = multipart(file(b"f", b"a", b"data"))
        see = {"body": {"kind": "bytes", "size": len(body)}, "files": [], "form": []}
        yield seen("H115", name, typed(media_type + b"; boundary=B", body), see)


def _decoys() -> Iterable[Attack]:
    """H116: what stands between quotes is a value, and no parameter; the end of a name is not the name."""
    files = {
        "filename": (b'name="f"; note="x; filename=evil.exe "; filename="safe.txt"', "f", "safe.txt"),
        "name-before-a-file": (b'note="x; name=evil "; name="f"; filename="a"', "f", "a"),
        "in-a-filename": (b'name="f"; filename="a; name=b"', "f", "a; name=b"),
        "in-a-first-filename": (b'filename="a; name=b"; name="f"', "f", "a; name=b"),
        "quoted-pairs-in-a-filename": (b'filename="\\"; name=\\"b"; name="f"', "f", '"; name="b'),
    }
    for name, (parameters, field, filename) in files.items():
        see: dict[str, Any] = {"files": [{"name": field, "filename": filename, "size": 1}], "form": []}
        yield seen("H116", name, form(part(b"form-data; " + parameters, b"v")), see)
    fields = {
        "name": (b'note="x; name=evil "; name="a"', "a"),
        "behind-a-blank": (b'note="x name=evil"; name="a"', "a"),
        "in-a-name": (b'name="x; filename=y"', "x; filename=y"),
        "extended-in-a-name": (b"name=\"x; filename*=UTF-8''y\"", "x; filename*=UTF-8''y"),
        "quoted-pairs-in-a-name": (b'name="x\\"; filename=\\"y"', 'x"; filename="y'),
        "longer-names": (b'xname="b"; name="a"; xfilename="c"; x-filename="d"', "a"),
    }
    for name, (parameters, field) in fields.items():
        see = {"files": [], "form": [{"name": field, "value": "v"}]}
        yield seen("H116", name, form(part(b"form-data; " + parameters, b"v")), see)
    lost = form(part(b'form-data; note="; name=a"', b"v"))
    yield Attack("H116", "no-other-name", Refused(lost, 400, "name_missing", _GOOD), tier=1)
    decoy = {"name": "x", "value": "; boundary=C; "}
    see = {"body": {"parameters": [decoy, {"name": "boundary", "value": "B"}]}, "files": [{"size": 4}]}
    yield seen("H116", "boundary", _bounded(b'x="; boundary=C; "; boundary=B', b"B"), see)
    no_other = b'x="; boundary=B; "'
    yield _media_type("H116", "no-other-boundary", no_other, b"B", "boundary_missing", _GOOD)


def _text_behind_quotes() -> Iterable[Attack]:
    """H117: a quoted value ends at its quote, and then comes a semicolon or the end."""
    twin = form(file(b"f", b"payload.jpg.html", b"v"))
    values = {
        "filename": b'name="f"; filename="payload.jpg".html',
        "first-filename": b'filename="payload.jpg".html; name="f"',
        "two-quoted-values": b'name="f"; filename="payload.jpg"".html"',
        "quoted-then-blank": b'name="f"; filename="payload.jpg" .html',
        "token-then-quoted": b'name="f"; filename=payload.jpg".html"',
        "name": b'name="f"oo; filename="payload.jpg"',
    }
    for name, parameters in values.items():
        request = form(part(b"form-data; " + parameters, b"v"))
        yield Attack("H117", name, Refused(request, 400, "disposition_syntax", twin), tier=1)
    yield _media_type("H117", "boundary", b'boundary="B"C', b"BC", "content_type_syntax", twin)


PARAMETERS: tuple[Attack, ...] = (*_quoted_pairs(), *_decoys(), *_text_behind_quotes())
