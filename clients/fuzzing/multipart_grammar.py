"""Productions of multipart/form-data bodies (RFC 7578; RFC 2046, section 5.1): rules M.

`multipart_form` makes bodies from them.
"""

from .draft import either, fault, valid

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

FIELD_DISPOSITIONS = (
    valid("M37", b'form-data; name="@w"', b'form-data; name="@w"'),
    valid("M41", b"FORM-DATA;NAME=@w", b'Form-Data;name="@w"'),
    valid("M39", b'form-data; name=""'),
    valid("M43", b'form-data ; name="@w" ;', b"form-data\t;\tname=@w;;"),
    valid("M44", b'form-data; name="a;b=c"', b'form-data; name="; filename=x"'),
    valid("M50", 'form-data; name="é文件"'.encode(), 'form-data; name="😀"'.encode()),
    valid("M52", b'form-data; name="a%22b"', b"form-data; name=%22"),
    valid("M53", b'form-data; name="%0D%0A%41%25"'),
    valid("M54", b'form-data; name="a\\"b\\\\c"', b'form-data; name="\\\\\\""'),
    valid("M55", b'form-data; name="a\\b\\c"', b'form-data; name="C:\\x"'),
    valid(
        "M64",
        b"form-data; name*=utf-8''%c3%a9",
        b"form-data; name=a; name*=UTF-8'de'a",
        b"form-data; name*=iso-8859-1''%e9",
    ),
    valid("M65", b'form-data; name="=?utf-8?B?w6k=?="', b'form-data; name="&#233;"'),
    valid("M66", b'form-data; name="a\tb"'),
    valid("M37", b'form-data; name=@w; size=@n; x=""'),
)
FILE_DISPOSITIONS = (
    valid(
        "M58",
        b'form-data; name="@w"; filename="a.txt"',
        b'form-data; name="f"; filename="../../etc/passwd"',
        b'form-data; name=f; filename="/a/b"',
    ),
    valid("M50", b'form-data; name="@w"; filename="' + "naïve 文件".encode() + b'"'),
    valid("M51", b'form-data; name="@w"; filename="na\xefve\xff"', b'form-data; filename="\xc3"; name=a'),
    valid("M52", b'form-data; name="f"; filename="a%22b.txt"'),
    valid("M53", b'form-data; name=f; filename="%2e%2e%2f%00"'),
    valid("M54", b'form-data; name="f"; filename="\\"q\\" \\\\"'),
    valid(
        "M55", b'form-data; name="f"; filename="C:\\temp\\x.txt"', b'form-data; name=f; filename="\\\\srv\\a"'
    ),
    valid("M56", b'form-data; name="f"; filename=""'),
    valid(
        "M61",
        b"form-data; name=f; filename*=UTF-8''na%C3%AFve",
        b"form-data; name=f; filename*=\"utf-8''a/b(%22\"",
        b"form-data; name=f; filename*=ISO-8859-1'en'%e9%20",
    ),
    valid(
        "M62",
        b"form-data; name=f; filename=a; filename*=UTF-8''a",
        b"form-data; filename*=utf-8''%C3%A9; filename=\"?\"; name=f",
        b"form-data; name=f; filename=\"=?utf-8?B?w6k=?=\"; filename*=utf-8''%C3%A9",
        b"form-data; name=f; filename=\"=?UTF-8?Q?=C3=A9_a?=\"; filename*=UTF-8''%c3%a9%20a",
        b"form-data; name=f; filename=%C3%A9; filename*=utf-8''%c3%a9",
        b"form-data; name=f; filename=a; filename*=utf-8''%22a%22",
    ),
    valid("M63", b"form-data; name=f; filename*=UTF-8''a'(b)*,/:<=>?@@[\\]{}"),
    valid("M65", b'form-data; name=f; filename="=?utf-8?Q?=C3=A9?="'),
    valid("M44", b'form-data; name=f; filename="a;name=b"'),
)
DISPOSITION_FAULTS = (
    fault("M38", b"form-data", b'form-data; filename="a"', b"form-data; x=name", b"form-data; name*0=a"),
    fault(
        "M40",
        b'attachment; name="a"',
        b"file; name=a",
        b'form-data name="a"',
        b'; name="a"',
        b"",
        b"form-data\xc3\xa9; name=a",
    ),
    fault("M42", b'form-data; name = "a"', b'form-data; name ="a"', b'form-data; name= "a"'),
    fault(
        "M45",
        b'form-data; name="a"b"',
        b'form-data; name="a;b="c"',
        b'form-data; name=a"b',
        b'form-data; name="a"x',
    ),
    fault(
        "M46",
        b'form-data; name="a',
        b'form-data; name="a; filename="b"',
        b'form-data; name="',
        b'form-data; name="\\"',
    ),
    fault("M47", b"form-data; name=a; name=b", b'form-data; name=f; filename="a"; FileName="b"'),
    fault(
        "M51",
        b'form-data; name="\xe9"',
        b'form-data; name="\xff"; filename="a"',
        b'form-data; name=a; x="\xe9"',
    ),
    fault(
        "M59",
        b"form-data; name=f; filename=my file.txt",
        b"form-data; name=f; filename=C:\\x",
        b"form-data; name=\xc3\xa9",
    ),
    fault("M60", b"form-data; name=f; filename=", b"form-data; name=f; filename", b"form-data; name="),
    fault(
        "M62",
        b"form-data; name=f; filename=a; filename*=UTF-8''b",
        b"form-data; name=f; filename=\"@u\"; filename*=utf-8''@w",
        b"form-data; name=a; name*=utf-8''%c3%a9",
        b"form-data; name=f; filename=\"=?utf-8?Q?=41?=\"; filename*=utf-8''B",
        b"form-data; name=f; filename=a-b; filename*=utf-8''ab",
    ),
    fault(
        "M63",
        b"form-data; name=f; filename*=utf-8''%zz",
        b"form-data; name=f; filename*=utf-8''%ff",
        b"form-data; name=f; filename*=koi8-r''a",
        b"form-data; name=f; filename*=abc",
        b"form-data; name=f; filename*=utf-8''%00",
        b"form-data; name=f; filename*=''a",
        b"form-data; name=f; filename*=\"utf-8''a b\"",
        b"form-data; name=f; filename*=\"utf-8'e n'a\"",
    ),
    fault(
        "M64",
        b"form-data; name=f; filename*0=a; filename*1=b",
        b"form-data; name=a; name*0*=utf-8''a",
        b"form-data; name=a; name*=x",
    ),
    fault("M66", b'form-data; name="a\x00"', b'form-data; name="\x1b"; filename=b', b"form-data; name=a\x7f"),
    fault("M68", b'form-data;\r\n name="@w"', b'form-data; name="a \t\r\n\t b"'),
    fault("M67", b'form-data; name="a\rb"', b'form-data; name="a\nb"', b'form-data; name=a; filename="\n"'),
)
ANY_DISPOSITIONS = (
    either(
        "M66",
        b'form-data; name="@z@u@z"',
        b"form-data; name=a@z",
        b"form-data@z name=a",
        b"form-data;@zname=a",
    ),
    either("M51", b'form-data; name=f; filename="@z@z@u"', b"form-data; name=f; filename=a@zb"),
    either("M63", b"form-data; name=f; filename*=utf-8''a@zb", b"form-data; name=f; filename*=@w'@z'a"),
    either("M61", b"form-data; name=f; filename*=\"utf-8''a@zb\"", b"form-data; name*=latin1''%@n@z"),
    either("M62", b"form-data; name=f; filename=\"@w@u\"; filename*=utf-8''@w%C3%A9"),
    either("M62", b"form-data; name=f; filename=\"@z@z\"; filename*=utf-8''%c3%a9@z"),
    either("M62", b"form-data; name=f; filename=\"=?utf-8?Q?@z@z?=\"; filename*=utf-8''@z"),
)

# Whole header lines of a part, without Content-Disposition.
PART_FIELDS = (
    valid("M72", b"X-A: 1\r\nX-A: 2", b"Content-Length: 99", b"X_a: @w", b"Content-ID: <@w>"),
    valid(
        "M74",
        b"Content-Transfer-Encoding: binary",
        b"content-transfer-encoding:8BIT",
        b"Content-Transfer-Encoding: 7bit ",
    ),
    valid("M41", b"X-EMPTY:", b"x-a:@S@w@S"),
    valid("M50", b"X-A: \xc3\xa9@t"),
    valid("M66", b"X-A: a\tb"),
)
PART_FIELD_FAULTS = (
    fault("M26", b"X-A: 1\n", b"X-A: 1\n\n", b"X-A: 1\nX-B: 2"),
    fault("M48", b"Content-Disposition: form-data; name=c", b"content-disposition: form-data; name=a"),
    fault(
        "M49",
        b"Content-Type: text/plain\r\nContent-Type: text/plain",
        b"Content-Type: a/b\r\ncontent-type: c/d",
    ),
    fault("M51", b"X-A: \xe9", b"Content-Type: text/\xff", b"X-A: \xed\xa0\x80"),
    fault("M66", b"X-A: \x00", b"X-A: a\x7f", b"X-A: \x08b"),
    fault("M70", b"X-A", b": 1", b"X-A : 1", b"X A: 1", b"X-A\t: 1", b"X-\xc3\xa9: 1"),
    fault("M71", b"X-A: 1\rX-B: 2", b"\r", b"X-A: 1\r", b"\x0b", b"X-A: \x0b"),
    fault(
        "M74",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding:",
        b"Content-Transfer-Encoding: x",
    ),
    fault(
        "M73",
        b"X-A: " + b"x" * 16384,
        b"\r\n".join(b"X-%d: 1" % n for n in range(32)),
    ),
    fault("M68", b"X-A: a\r\n b\r\n\tc", b"X-A:\r\n  x", b"X-A: a\r\n ", b"X: y" + b"\r\n z" * 5000),
    fault("M36", b"--@B", b"--@B--"),
)
ANY_PART_FIELDS = (
    either("M66", b"X-A: @z@z", b"X@z: 1", b"@zX: 1", b"X-A:@z", b"X-A: 1@z"),
    either("M83", b"Content-Type: @z", b"Content-Type: text/@z", b"Content-Type:@ztext/plain@z"),
    either(
        "M83",
        b'Content-Type: text/plain; x="@z@u"',
        b"Content-Type: text/plain; x=@z",
        b"Content-Type: @u/@w",
    ),
    either("M76", b"Content-Type: text/plain; charset=@z@w", b'Content-Type: text/plain; charset="@u"'),
    either("M74", b"Content-Transfer-Encoding: 8bit@z", b"Content-Transfer-Encoding:@zbinary"),
)
FIRST_PART_FIELD_FAULTS = (fault("M69", b" X-A: 1", b"\tContent-Type: text/plain"),)

TEXT_TYPES = (
    valid(
        "M81",
        b"text/plain",
        b"application/json",
        b"application/x-www-form-urlencoded",
        b"application/ld+json",
    ),
    valid("M76", b"text/plain; charset=utf-8", b'TEXT/HTML;CHARSET="UTF-8"', b"text/plain;a=b;charset=Utf8"),
    valid("C10", b"application/json; charset=utf-16", b'application/ld+json;charset="@w"'),
)
"""Types of text fields whose data are UTF-8."""

FILE_TYPES = (
    valid("M83", b"image/png", b"", b"garbage", b"text/plain; charset=koi8-r", b"a/b; c=d;;"),
    valid("M83", b"text/plain; charset=us-ascii", b"multipart/form-data", b"/"),
)
"""With a filename the type is not interpreted."""

OPAQUE_TYPES = (
    valid("M81", b"application/octet-stream", b"image/png; x=y", b"application/xml"),
    valid("M81", b"", b"text", b"text/plain; charset=", b'text/plain; a="b', b"text/plain, text/html"),
    valid("M84", b"multipart/mixed; boundary=inner", b"multipart/form-data; boundary=inner"),
)
"""A part of such a type without a filename is a file whose filename is null."""

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
