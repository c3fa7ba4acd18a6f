"""Productions of Content-Type and of all bodies but multipart: rules C, U and J (RFC 9110, section 8.3)."""

from . import limit_grammar
from .draft import Draft, Place, Production, Rng, fault, valid

MIB = 1024 * 1024
FORM = b"application/x-www-form-urlencoded"

TYPES = (
    valid("C1", b'TEXT/PLAIN; Charset="UTF-8"', b'Application/JSON;A="b"', b'text/html;charset="u\\tf-8"'),
    valid("C3", b"text/plain;", b"text/plain ; a=b", b"text/plain\t;\tq=@w;;", b"text/csv;;;x=1"),
    valid("C9", b"text/json", b"application/x-json", b"application/json-seq", b"application/x-ndjson"),
    valid("C12", b"text/plain; charset=utf-16", b"text/csv;charset=windows-1252", b"text/html"),
    valid("M12", b"multipart/mixed; boundary=@B", b"multipart/related; boundary=@B", b"multipart/form-datax"),
    valid("J17", b"text/plain", b"application/octet-stream", b"application/xml"),
    *limit_grammar.TYPES,
)
"""Types that allow any octets in the body."""

TYPE_FAULTS = (
    fault(
        "C2", b"text/plain; a=1; A=2", b"text/plain; charset=utf-8;charset=utf-8", b"a/b;@w=1;@w=2;a=1;a=1"
    ),
    fault(
        "C4", b"text/plain; =x; y", b'text/plain; a="b', b"text/plain; a = b", b"text/plain; a", b'a/b;a="b"c'
    ),
    fault("C5", b"text", b"/", b'"text/plain"', b"text /plain", b"a/b/c", b"@w/", b"a b/c"),
    *limit_grammar.TYPE_FAULTS,
    fault("C6", b"text/plain, application/json", b"text/plain,text/plain; a=1"),
    fault("C4", b"text/plain; charset=", b"application/json;a=\xe9", b"text/plain; a=b c"),
    fault(
        "C4", b"a/b; x=@c", b"a/b; x=@c\xe9", b"text/plain; charset=a@c@c", b"multipart/form-data; x=@c\xe9"
    ),
    fault("M2", b"multipart/form-data; boundary=b@c\xe9"),
    fault("M2", b"multipart/form-data; boundary=\xe9@cb"),
    fault("M2", b"multipart/form-data; boundary=b@c", b"multipart/form-data; charset=@c; boundary=b"),
    fault("M2 M6", b"multipart/form-data; boundary=@v\xff@v", b"multipart/form-data; boundary=@v@v"),
    fault("M2 M6", b'multipart/form-data; boundary="@v@v"', b'multipart/form-data; boundary="b@v\xff"'),
)

TEXTS = (
    valid("C12", b"@w@t", b"@t\r\n@t"),
    valid("J17", b'{"a":1', b"[1,]", b"@w=@w&"),
)
OCTETS = (valid("C7", b"@o@w", b"\x00", b"@o@o@d", b"text and \xff"),)
DECLARED = (
    (b"text/plain; charset=utf-8", valid("C12", b"@t", b"\xef\xbb\xbf@w")),
    (b"text/plain; charset=US-ASCII", valid("C12", b"@w\x00\x7f")),
    (b"text/html;charset=iso-8859-1", valid("C12", b"@o@w\xff")),
    (b"text/plain; charset=utf-8", fault("C12", b"\xff", b"@w\xc3", b"\xed\xa0\x80")),
    (b"text/csv; charset=us-ascii", fault("C12", b"\xe9", b"@w\x80")),
)
"""Text of a declared charset."""

FORMS = (
    valid("U1", b"a+b=c+d", b"+=+&%2B=@w"),
    valid("U2", b"a=%zz&%4=%", b"%G0=100%"),
    valid("U3", b"&&a=1&&b=2&", b"&", b"@w=@n&&@w"),
    valid("U4", b"a=1;b=2", b";=;"),
    valid("U5", b"a&b", b"=1", b"=", b"@w&=@n&="),
    valid("U6", b"a=1&b=2&a=3", b"@w=1&@w=2&@w=3&@w=4"),
    valid("U7", b"%c3\xa9=1", b"a=%f0%9f%98%80", b"%C3%A9=%e6%96%87"),
    valid("U8", b"a=@t", b"\xc3\xa9=\xe6\x96\x87&@t"),
    valid("U10", b"a=\x00&b=\r\n", b"a=%00%0D%0A&\n=\r"),
    valid("U11", b"a=b=c==", b"@w==@w=="),
    valid("U12", b"\xef\xbb\xbfa=1"),
    valid("U13", b"a[]=1&a[]=2", b"a[b][c]=@n"),
    valid("U14", b"_charset_=iso-8859-1&a=%c3%a9", b"_charset_=&@w=1"),
)
FORM_FAULTS = (
    fault("U7", b"a=%ff", b"%c0%af=1", b"a=%ed%a0%80", b"a=%c3&b=%a9", b"@w=%e6%96"),
    fault("U9", b"a=\xff", b"\xe9=1&@w=2", b"@w=\xc3"),
)

JSONS = (
    valid("J2", b"null", b"3", b'"x"', b"true", b"[]", b"{}"),
    valid("J6", b"\xef\xbb\xbf{}", b"\xef\xbb\xbf[@n]"),
    valid("J11", b"123456789012345678901234567890", b"9007199254740993", b"[" + b"7" * 1000 + b"]", b"-0"),
    valid("J14", b'"\x7f"', b'"\\u0000"', b'{"\\u0000":"\\u007f"}'),
    valid("J16", b"-0", b"1.10", b"1E5", b"[-0.0,1e-400,0.1e+2,123456789.123456789]"),
    valid("J15", b"[" * 64 + b"]" * 64, b'{"a":' * 63 + b"[]" + b"}" * 63),
    valid("J2", b' { "a" : [ 1 , "\\u00e9\\ud83d\\ude00\\n" ] }\r\n', b'{"@w":{"a":[@n,null,"@w"]}}'),
)
JSON_FAULTS = (
    fault("J1", b" ", b"{", b"[1,]", b"'a'", b"{} x", b"/**/1", b'{"a":1,}', b'{"a"}', b"tru"),
    fault("J3", b"NaN", b"[Infinity]", b"-Infinity"),
    fault("J4", b"1e400", b"[-1E999]"),
    fault("J5", b'{"a":1,"a":1}', b'{"\\u0061":1,"a":2}', b'[{"b":{"a":1,"c":0,"a":3}}]'),
    fault("J7", b'\xff\xfe"\x00a\x00"\x00', b'"\x00a\x00"\x00', b"\x00\x00\x00[\x00\x00\x00]"),
    fault("J8", b'"\xff"', b'"\xc3"', b"\xe9"),
    fault("J9", b'"\xed\xa0\x80"', b'{"\xed\xb0\x80":1}'),
    fault("J10", b'"\\ud800"', b'"\\udc00\\ud800"', b'{"\\ud800a":1}'),
    fault("J12", b"1" * 5000, b"[" + b"9" * 1001 + b"]"),
    fault(
        "J13", b"01", b"+1", b"0x1", b"1.", b"\x0b1", b"\xc2\xa01", b'"\\x"', b'"\x01"', b".5", b"1e", b"-"
    ),
    fault("J15", b"[" * 65 + b"]" * 65, b"[" * 3000 + b"]" * 3000),
)


def place_type_fault(draft: Draft, rng: Rng, production: Production) -> None:
    """A malformed Content-Type for any body."""
    draft.content_type = draft.use(production, rng)


def place_json(draft: Draft, rng: Rng, production: Production) -> None:
    """A JSON body, and one of the types for it."""
    types = (
        valid("J2", b"application/json"),
        valid("C8", b"application/vnd.api+json", b"a/b+JSON"),
        valid("C10", b"application/json; charset=utf-16", b"application/json;charset=latin1"),
    )
    draft.content_type = draft.use(rng.choice(types), rng)
    draft.body = draft.use(production, rng)


def place_form(draft: Draft, rng: Rng, production: Production) -> None:
    """A urlencoded body."""
    types = (
        valid("U6", FORM, b"Application/X-WWW-Form-Urlencoded"),
        valid("C11", FORM + b"; charset=utf-8", FORM + b";charset=koi8-r"),
    )
    draft.content_type = draft.use(rng.choice(types), rng)
    draft.body = draft.use(production, rng)


def place_latin_form(draft: Draft, rng: Rng, production: Production) -> None:
    """A urlencoded body in ISO-8859-1, in which any octets are allowed."""
    draft.content_type = FORM + rng.choice((b"; charset=iso-8859-1", b'; charset="ISO-8859-1"'))
    draft.body = draft.use(production, rng)


def place_text(draft: Draft, rng: Rng, production: Production) -> None:
    """Text in UTF-8, with some type or none."""
    if rng.random() < 0.6:
        draft.content_type = draft.use(rng.choice(TYPES), rng)
    else:
        draft.covers("C7")
    draft.body = draft.use(production, rng)
    if draft.content_type == b'Application/JSON;A="b"':
        draft.body = b"[]"


def place_octets(draft: Draft, rng: Rng, production: Production) -> None:
    """Octets without a type, or with a type that allows any octets."""
    if rng.random() < 0.5:
        draft.content_type = draft.use(rng.choice(TYPES[2:]), rng)
    draft.body = draft.use(production, rng)


def place_declared(draft: Draft, rng: Rng, production: Production) -> None:
    """Text with the charset that belongs to it."""
    draft.content_type = next(value for value, one in DECLARED if one is production)
    draft.body = draft.use(production, rng)


def place_large(draft: Draft, rng: Rng, production: Production) -> None:
    """A form at or over the limit of pairs or bytes (U15)."""
    text = draft.use(production, rng)
    draft.content_type = FORM
    if text == b"1 MiB":
        draft.body = b"a=" + b"x" * (MIB - 2)
    elif text == b"over":
        draft.body = b"a=" + b"x" * (MIB - 1)
    else:
        draft.body = b"&".join(b"a=%d" % n for n in range(int(text)))


def place_coded(draft: Draft, rng: Rng, production: Production) -> None:
    """A body with a content coding, which is read as bytes whatever its type is (B44)."""
    draft.content_type = rng.choice((b"application/json", FORM, b"text/plain; charset=utf-8"))
    draft.lines.append(b"Content-Encoding: " + draft.use(production, rng))
    draft.body = rng.choice((b"\x1f\x8b\x08\x00", b"{", b"%ff\xff"))


def place_nothing(draft: Draft, rng: Rng, production: Production) -> None:
    """An empty body, which is no body whatever its type is (B12, J1)."""
    draft.content_type = draft.use(production, rng)
    draft.body = b""


BODIES: tuple[tuple[Place, tuple[Production, ...]], ...] = (
    (place_json, JSONS),
    (place_form, FORMS),
    (place_latin_form, (valid("U7 C11", b"a=%ff&\xe9=1", b"@o=@o"),)),
    (place_text, TEXTS),
    (place_octets, OCTETS),
    (place_declared, tuple(one for _, one in DECLARED if not one.faults)),
    (place_coded, (valid("B44", b"gzip", b"br, gzip", b"identity, x"),)),
    (
        place_nothing,
        (valid("B12 J1", b"multipart/form-data", b"application/json", b"multipart/form-data; boundary=@B"),),
    ),
)
"""Bodies that are accepted: the function that places each production, and the productions."""

BODY_FAULTS: tuple[tuple[Place, tuple[Production, ...]], ...] = (
    (place_type_fault, TYPE_FAULTS),
    (place_json, JSON_FAULTS),
    (place_form, FORM_FAULTS),
    (place_declared, tuple(one for _, one in DECLARED if one.faults)),
    (place_large, (fault("U15", b"1001", b"over"),)),
)
LARGE = (valid("U15", b"1000", b"1 MiB"),)
