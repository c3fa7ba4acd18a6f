"""Tables of chunked bodies, accepted and refused (RFC 9112 7.1; rules B26 to B36)."""

from servers.contract.limits import Limits

_FIELD_LINE = Limits().max_field_line

ACCEPTED = [
    ("no chunk", b"0\r\n\r\n", b""),
    ("two chunks", b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
    ("data that looks like an end", b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
    ("B26: an extension", b"3;a\r\nabc\r\n0\r\n\r\n", b"abc"),
    ("B26: values", b'3;a=b;c="d";e="\\""\r\nabc\r\n0;z\r\n\r\n', b"abc"),
    ("B26: blanks", b"3 \t; \ta \t= \tb ;c\r\nabc\r\n0\r\n\r\n", b"abc"),
    ("B26: a quoted semicolon", b'1;a="; b=\t\xe9"\r\nx\r\n0\r\n\r\n', b"x"),
    ("B27: a line of 256 bytes", b"1;" + b"a" * 254 + b"\r\nx\r\n0\r\n\r\n", b"x"),
    ("B28: a trailer", b"1\r\nx\r\n0\r\nX-A: 1\r\nX-A: 2\r\n\r\n", b"x"),
    ("B28: 100 trailers", b"0\r\n" + b"X: 1\r\n" * 100 + b"\r\n", b""),
    ("B28: dropped names do not count", b"0\r\n" + b"X_A: 1\r\n" * 150 + b"X: 1\r\n" * 100 + b"\r\n", b""),
    ("B28: a trailer of 8190 bytes", b"0\r\nX: " + b"a" * (_FIELD_LINE - 5) + b"\r\n\r\n", b""),
    ("B29: a first Content-Type", b"0\r\nContent-Type: a/b\r\n\r\n", b""),
    ("B29: Host_ is another name", b"0\r\nHost_: a\r\nContent_Length: 1\r\n\r\n", b""),
    ("B32: leading zeros", b"0003\r\nabc\r\n0\r\n\r\n", b"abc"),
    ("B32: upper case", b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    ("B32: lower case", b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    ("B32: many zeros", b"0000\r\n\r\n", b""),
    ("B33: 16 digits", b"0000000000000001\r\nx\r\n0\r\n\r\n", b"x"),
    ("B26: an escaped quote", b'3;a;b=c;d="e;\\"f"\r\nabc\r\n0;x\r\n\r\n', b"abc"),
]
"""The rule, the chunked body, and its data."""

REFUSED = [
    ("B27: no name", b"3;=x\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: nothing", b"3;\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: no value", b"3;a=\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: an open quote", b'3;a="b\r\nabc\r\n0\r\n\r\n', "bad_chunk"),
    ("B27: text after a quote", b'3;a="b"c\r\nabc\r\n0\r\n\r\n', "bad_chunk"),
    ("B27: a control", b"3;a=\x00\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: LF inside", b"3;a\nb\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: CR inside", b"3;a\rb\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: a line of 257 bytes", b"1;" + b"a" * 255 + b"\r\nx\r\n0\r\n\r\n", "bad_chunk"),
    ("B27: a line without end", b"1;" + b"a" * 300, "bad_chunk"),
    ("B29: a trailer of 8191 bytes", b"0\r\nX: " + b"a" * (_FIELD_LINE - 4) + b"\r\n\r\n", "bad_chunk"),
    ("B29: 101 trailers", b"0\r\n" + b"X: 1\r\n" * 101 + b"\r\n", "bad_chunk"),
    ("B29: no colon", b"0\r\nX\r\n\r\n", "bad_chunk"),
    ("B29: a blank before the colon", b"0\r\nX : 1\r\n\r\n", "bad_chunk"),
    ("B29: a control", b"0\r\nX: \x01\r\n\r\n", "bad_chunk"),
    ("B29: a control in a dropped one", b"0\r\nX_A: \x01\r\n\r\n", "bad_chunk"),
    ("B29: a fold", b"0\r\nX: 1\r\n 2\r\n\r\n", "bad_chunk"),
    ("B29: LF alone", b"0\r\nX: 1\n\r\n", "bad_chunk"),
    ("B29: CR alone", b"0\r\nX: 1\rY: 2\r\n\r\n", "bad_chunk"),
    ("B29: two Content-Types", b"0\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\n", "bad_chunk"),
    *(
        (f"B29: {name}", b"0\r\n%s: 1\r\n\r\n" % name.encode(), "bad_chunk")
        for name in ("Host", "content-length", "Transfer-Encoding", "TRAILER", "Authorization", "TE")
    ),
    *(
        (f"B30, B31: {size!r}", size + b"\r\nabc\r\n0\r\n\r\n", "bad_chunk")
        for size in (b"0x3", b"+3", b"0_3", b"3 ", b" 3", b"\t3", b"-3", b"zz", b"", b"3g", b"\xb3", b"3,")
    ),
    ("B33: 17 digits", b"00000000000000001\r\nx\r\n0\r\n\r\n", "bad_chunk"),
    ("B33: over the limit", b"ffffffffffffffff\r\n", "body_too_large"),
    ("B34: too small", b"2\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B34: too large", b"4\r\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B34: no CRLF", b"3\r\nabc0\r\n\r\n", "bad_chunk"),
    ("B34: two other bytes", b"3\r\nabcxx0\r\n\r\n", "bad_chunk"),
    ("B34: CR and another byte", b"3\r\nabc\rx0\r\n\r\n", "bad_chunk"),
    ("B35: LF after a size", b"3\nabc\r\n0\r\n\r\n", "bad_chunk"),
    ("B35: LF after data", b"3\r\nabc\n0\r\n\r\n", "bad_chunk"),
    ("B35: LF at the end", b"3\r\nabc\r\n0\r\n\n", "bad_chunk"),
    ("B36: nothing", b"", "body_truncated"),
    ("B36: half a size line", b"3", "body_truncated"),
    ("B36: a CR", b"3\r", "body_truncated"),
    ("B36: half the data", b"3\r\nab", "body_truncated"),
    ("B36: no CRLF after the data", b"3\r\nabc", "body_truncated"),
    ("B36: no last chunk", b"3\r\nabc\r\n", "body_truncated"),
    ("B36: no final CRLF", b"3\r\nabc\r\n0\r\n", "body_truncated"),
    ("B36: in a trailer", b"0\r\nX: 1", "body_truncated"),
    ("B36: after a trailer", b"0\r\nX: 1\r\n", "body_truncated"),
    ("B27: an open quote before the line end", b'3;a="\r\nabc\r\n0\r\n\r\n', "bad_chunk"),
    ("B29: a long trailer", b"0\r\nX: " + b"y" * 8190 + b"\r\n\r\n", "bad_chunk"),
    ("B29: NUL", b"0\r\nX: \0\r\n\r\n", "bad_chunk"),
    ("B33: too large, with data", b"f" * 16 + b"\r\nabc", "body_too_large"),
    ("B35: LF everywhere", b"3\nabc\n0\n\n", "bad_chunk"),
    ("B36: in the CRLF after the data", b"3\r\nabc\r", "body_truncated"),
]
"""The rule, the chunked body, and the code of the problem."""
