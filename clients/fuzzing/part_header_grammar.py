"""Productions of the headers of a part of multipart/form-data (RFC 7578, section 4): rules M.

`multipart_form` makes parts from them.
"""

from .draft import either, fault, valid

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
