"""Productions of multipart/form-data bodies (RFC 7578; RFC 2046, section 5.1): rules M.

`multipart_form` makes bodies from them. Those of the headers of a part are in `part_header_grammar`.
"""

from .draft import fault, valid

BOUNDARIES = (
    valid("M6", b"b", b"*****", b"----WebKitFormBoundary7MA4YWxkTrZu0gW", b"0"),
    valid("M4", b"x" * 70, b"-" * 70),
    valid("M10", b"a%22b", b"%2F%25"),
    valid("M6", b"-", b"--", b"b--", b"'"),
)
QUOTED_BOUNDARIES = (
    valid("M1", b"a b", b"a 'b' (c)", b"x/y:z=?"),
    valid("M6", b"(),./:=?+_'", b"!#|"),
)
BOUNDARY_PARAMETERS = (
    valid("M2", b"multipart/form-data; boundary=@B", b"Multipart/Form-Data;BOUNDARY=@B"),
    valid(
        "M1", b'multipart/form-data; boundary="@B"', b'multipart/form-data ;; charset=utf-8 ;boundary="@B";'
    ),
)
"""Spellings of Content-Type. The first row is for boundaries that are tokens."""

BOUNDARY_FAULTS = (
    fault("M2", b"multipart/form-data; boundary=b c", b"multipart/form-data; boundary=b=:?/"),
    fault("M3", b'multipart/form-data; boundary="b "', b'multipart/form-data; boundary=" "'),
    fault(
        "M4",
        b"multipart/form-data; boundary=" + b"x" * 71,
        b'multipart/form-data; boundary="' + b"x" * 300 + b'"',
    ),
    fault(
        "M5", b"multipart/form-data", b"multipart/form-data; boundary=", b'multipart/form-data; boundary=""'
    ),
    fault(
        "M6",
        b"multipart/form-data; boundary=\xe9",
        b'multipart/form-data; boundary="a\\"b;"',
        b'multipart/form-data; boundary="\\b"',
        b'multipart/form-data; boundary="\t"',
    ),
    fault(
        "M7",
        b"multipart/form-data; boundary=@B; boundary=@B",
        b"multipart/form-data; boundary=@B; Boundary=c",
    ),
    fault("M8", b"multipart/form-data; boundary =@B", b"multipart/form-data; boundary= @B"),
    fault(
        "M9",
        b"multipart/form-data; boundary*=utf-8''@B",
        b"multipart/form-data; boundary*0=@B",
        b"multipart/form-data; boundary=@B; boundary*1*=c",
    ),
    fault("M11", b"multipart/form-data, boundary=@B", b"multipart/form-data; a=b, boundary=@B"),
)

PREAMBLES = (valid("M14", b"\r\n", b"\r\n\r\n", b"\r\n" * 64),)
PREAMBLE_FAULTS = (
    fault("M13", b"preamble\r\n", b"\r\n@w\r\n", b"--\r\n", b" \r\n", b"\r\n" * 65, b"@o@w\r\n"),
    fault("M13", b"Content-Disposition: form-data; name=z\r\n\r\nv\r\n", b"a --@B b\r\n", b"--@Bx\r\n"),
    fault("M15", b"junk", b"\n", b"\r", b"a\r\nb"),
    fault("M31", b"--@B junk\r\n", b"--@B-\r\n", b"--@B" + b" " * 65 + b"\r\n", b"--@B\n\r\n"),
    fault("M24", b"--@B\nContent-Disposition: form-data; name=a\n\nv\n"),
    fault("M25", b"--@B\rContent-Disposition: form-data; name=a\r\rv\r"),
)
"""Before the first delimiter. The samples of M15 have no CRLF before it."""

PADDINGS = (valid("M30", b" ", b"\t", b" \t \t", b" " * 64),)
CLOSINGS = (
    valid("M18", b"", b" ", b" \t\r\n", b"\t" * 64, b" " * 64 + b"\r\n"),
    valid("M16", b"\r\n", b"\r\n\r\n", b"\r\n" * 64),
)
CLOSING_FAULTS = (
    fault("M16", b"\r\nepilogue", b"\r\n@o", b"\r\n" * 65, b"\r\n ", b"\r\n\n", b"\r\n\r", b" \r\n--"),
    fault("M16", b"\r\nContent-Disposition: form-data; name=z\r\n\r\nv\r\n"),
    fault("M17", b"\r\n--@B", b"\r\nx--@Bx", b"\r\n--@B--\r\n"),
    fault("M17", b"\r\n--@B\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n--@B--\r\n"),
    fault("M18", b"junk", b"\n", b"\r", b" @w", b"--@B", b"-", b" \r\r\n", b" " * 64 + b"x", b" " * 65),
)

TEXT_DATA = (
    valid("M33", b""),
    valid("M50", b"@t", b"@w@t"),
    valid("M79", b"\x00@w", b"\xef\xbb\xbf@t"),
    valid("M80", b"_charset_", b"utf-16"),
    valid("M32", b"a\r", b"a\r\n", b"\r\n", b"\r\r\n\n", b"\r\na"),
    valid("M27", b"a\n--@B\r\nb", b"\n--@B--\r\n"),
    valid("M29", b"a\r\n--@Bx\r\nb", b"\r\n--@B junk", b"a\r\n--@B\n"),
    valid("M30", b"a\r\n--@B" + b" " * 65 + b"\r\n"),
)
FILE_DATA = (
    valid("M57", b""),
    valid("M32", b"@o\r", b"\r\n", b"@d", b"\rx@d"),
    valid("M28", b"a\n--@B\nb\n--@B--\n", b"\n--@B\r\nX: 1\r\n\r\n"),
    valid("M29", b"@d\r\n--@Bx\r\n@d", b"\r\n--@B-\r\n"),
    valid("M27", b"\r--@B\r\n", b"\n--@B--", b"@dx\n--@B\r\n"),
    valid("M30", b"@o\r\n--@B" + b"\t" * 65 + b"\r\n", b"\r\n--@B \t-\r\n"),
    valid("M79", b"\x00\x01\x02", b"@o@o@o"),
)
NESTED_DATA = (valid("M84", b"--inner\r\nContent-Disposition: file; filename=a\r\n\r\nx\r\n--inner--"),)
NOT_UTF8 = (valid("M78", b"\xff", b"a\xe9", b"\xc3", b"@w\xed\xa0\x80", b"\x80@o"),)

# The rest of a field's part after its Content-Disposition line.
TYPED_DATA = (
    valid(
        "M76",
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xff",
        b"Content-Type: text/plain;charset=us-ascii\r\n\r\n\xc3\xa9",
        b"Content-Type: text/plain;charset=ASCII\r\n\r\n@w",
        b"Content-Type: text/plain; charset=latin1\r\n\r\n@o@w",
        b"Content-Type: text/plain; charset=L1\r\n\r\n\xe9",
    ),
    valid("M78", b"Content-Type: text/plain\r\n\r\n\xff", b"Content-Type: application/json\r\n\r\n\xe9"),
    valid(
        "M77",
        b"Content-Type: text/plain; charset=utf-16\r\n\r\nv",
        b"Content-Type: text/csv; charset=koi8-r\r\n\r\n",
        b'Content-Type: text/csv; charset="@u"\r\n\r\n@o',
    ),
    valid(
        "M75",
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n@w",
        b"content-transfer-encoding: QUOTED-PRINTABLE\r\n\r\n @w\r\n@o@w",
    ),
)
DATA_FAULTS = (
    fault(
        "M75",
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\na=3D",
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n@w \r\n@w",
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n@w\t",
    ),
    fault(
        "M85",
        b"Content-Type: multipart/form-data; boundary=@B\r\n\r\n"
        b"--@B\r\nContent-Disposition: attachment\r\n\r\nx\r\n--@B--",
    ),
)
# A whole part with the delimiter before it.
PART_FAULTS = (
    fault("M35", b"--@B\r\n\r\nv", b"--@B\r\n\r\n", b"--@B\r\n\r\n\r\n"),
    fault("M36", b"--@B\r\n--@B\r\nContent-Disposition: form-data; name=a\r\n\r\nv"),
    fault(
        "M37",
        b"--@B\r\nX-A: 1\r\n\r\nv",
        b"--@B\r\nContent-Type: text/plain\r\n\r\n",
        b"--@B\r\nContent-Dispositio: form-data; name=a\r\n\r\n",
    ),
)
# In the place of the close delimiter.
END_FAULTS = (
    fault("M19", b"", b"\r\n", b"\r\n--", b"\n--@B--\r\n"),
    fault("M20", b"\r\n--@B\r\n", b"\r\n--@B-", b"\r\n--@B", b"\r\n--@B \r"),
    fault(
        "M21",
        b"\r\n--@B\r\nContent-Disposition: form-data; na",
        b"\r\n--@B\r\nContent-Disposition: form-data; name=a\r\n",
        b"\r\n--@B\r\nX: 1\r\n\r",
    ),
)
WHOLE_BODIES = (
    valid("M22", b"--@B--", b"--@B--\r\n", b"\r\n--@B--\r\n"),
    valid("M35", b"--@B\r\n\r\n--@B--\r\n", b"--@B \r\n\r\n--@B--"),
    valid("M86", b"1000 parts"),
    valid("M87", b"1 MiB"),
    valid("M78", b"over 1 MiB, not UTF-8"),
)
WHOLE_FAULTS = (
    fault("M18", b"--@B--x", b"--@B\r\n\r\n--@B--x", b"--@B--\r", b"--@B\r\n\r\n--@B--\r"),
    fault("M35", b"--@B\r\n\r\n\r\n--@B--", b"--@B\r\n\r\n--@B-", b"--@B\r\n\r\n--@B-- x"),
    fault("M23", b"\r\n", b"garbage", b"@w\r\n@w", b"--", b"-"),
    fault("M19", b"--@B", b"--@B-", b"--@B\r"),
    fault("M86", b"1001 parts"),
    fault("M87", b"over 1 MiB"),
)
