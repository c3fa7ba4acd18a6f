"""Multipart bodies with the boundary `b`: of one part, and the tables of accepted and refused ones."""

from servers.contract.limits import Limits

HEADER = b"Content-Disposition: form-data; name=a\r\n"
HEAD = b"--b\r\n" + HEADER + b"\r\n"
END = b"\r\n--b--\r\n"
PREAMBLE = Limits().max_preamble
BLOCK = Limits().max_part_headers


def one_part(*lines: bytes, data: bytes = b"v") -> bytes:
    """A body of one part with these header lines."""
    return b"--b\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + data + b"\r\n--b--\r\n"


def block_of(size: int) -> bytes:
    """A header block of `size` bytes, with the CRLF of its lines."""
    return HEADER + b"X: " + b"x" * (size - len(HEADER) - 5) + b"\r\n"


ACCEPTED: list[tuple[str, bytes, list[bytes]]] = [
    ("one part", HEAD + b"v" + END, [b"v"]),
    ("two parts", HEAD + b"1\r\n" + HEAD + b"2" + END, [b"1", b"2"]),
    ("M13: a preamble", b"preamble\r\n-- b\r\n--\r\n" + HEAD + b"v" + END, [b"v"]),
    ("M13: a preamble of 64 KiB", b"x" * PREAMBLE + b"\r\n" + HEAD + b"v" + END, [b"v"]),
    ("M13: nearly a boundary", b"\r\n--a\r\n--\r\n-b\r\n" + HEAD + b"v" + END, [b"v"]),
    ("M14", b"\r\n" + HEAD + b"v" + END, [b"v"]),
    ("M16", HEAD + b"v\r\n--b--\r\nepilogue\r\n--a\r\n- -b", [b"v"]),
    ("M16: long", HEAD + b"v" + END + b"-" * 70_000, [b"v"]),
    ("M18: no line end", HEAD + b"v\r\n--b--", [b"v"]),
    ("M18: other text", HEAD + b"v\r\n--b--junk", [b"v"]),
    ("M18: LF", HEAD + b"v\r\n--b--\n", [b"v"]),
    ("M22", b"--b--", []),
    ("M22: CRLF first, as Go sends it", b"\r\n--b--\r\n", []),
    ("M27", HEAD + b"1\n--b\r\n2" + END, [b"1\n--b\r\n2"]),
    ("M28", HEAD + b"1\n--b\n2\n--b--\n3" + END, [b"1\n--b\n2\n--b--\n3"]),
    ("M29", HEAD + b"1\r\n--bX\r\n2\r\n--b-X--\r\n" + END, [b"1\r\n--bX\r\n2\r\n--b-X--\r\n"]),
    ("M29: other text", HEAD + b"1\r\n--b junk\r\n2" + END, [b"1\r\n--b junk\r\n2"]),
    ("M29: a CR alone", HEAD + b"1\r\n--b\r2\r\n--b \t\r" + END, [b"1\r\n--b\r2\r\n--b \t\r"]),
    ("M29: a dash after blanks", HEAD + b"1\r\n--b --\r\n" + END, [b"1\r\n--b --\r\n"]),
    ("M29: one after another", HEAD + b"\r\n--bX\r\n--bX\r\n--b--", [b"\r\n--bX\r\n--bX"]),
    ("M30", b"--b \t\r\n" + HEADER + b"\r\n1\r\n--b\t \r\n" + HEADER + b"\r\n2" + END, [b"1", b"2"]),
    ("M30: 64 blanks", b"--b" + b" " * 64 + b"\r\n" + HEADER + b"\r\nv" + END, [b"v"]),
    ("M30: 65 blanks", HEAD + b"1\r\n--b" + b" " * 65 + b"\r\n" + END, [b"1\r\n--b" + b" " * 65 + b"\r\n"]),
    ("M32: CR last", HEAD + b"v\r" + END, [b"v\r"]),
    ("M32: CRLF last", HEAD + b"v\r\n" + END, [b"v\r\n"]),
    ("M32: CRLF first", HEAD + b"\r\nv" + END, [b"\r\nv"]),
    ("M32: LF first", HEAD + b"\nv" + END, [b"\nv"]),
    ("M32: CRLF alone", HEAD + b"\r\n" + END, [b"\r\n"]),
    ("M32: CRs", HEAD + b"\r\r\r" + END, [b"\r\r\r"]),
    ("M33", HEAD + END, [b""]),
    ("M34", b"--b\r\n" + HEADER + b"\r\n--b--", [b""]),
    ("M34: twice", (b"--b\r\n" + HEADER + b"\r\n") * 2 + b"--b--\r\n", [b"", b""]),
    ("M34: no delimiter", HEAD + b"--bX" + END, [b"--bX"]),
    ("M34: 65 blanks", HEAD + b"--b" + b" " * 65 + END, [b"--b" + b" " * 65]),
    ("M73: 16 KiB", b"--b\r\n" + block_of(BLOCK) + b"\r\nv" + END, [b"v"]),
    ("M14: several", b"\r\n\r\n" + HEAD + b"v" + END, [b"v"]),
    ("M29: one dash", HEAD + b"v\r\n--b-" + END, [b"v\r\n--b-"]),
    ("M32: line ends of all kinds", HEAD + b"\r\n\r\r\n\n\r" + END, [b"\r\n\r\r\n\n\r"]),
    ("M34: then a part", b"--b\r\n" + HEADER + b"\r\n" + HEAD + b"v" + END, [b"", b"v"]),
]
"""The rule, the body, and the data of its parts, which all have the name `a` and no file name."""

REFUSED: list[tuple[str, bytes, str]] = [
    ("M13: over 64 KiB", b"x" * (PREAMBLE + 1) + b"\r\n" + HEAD + b"v" + END, "multipart_preamble"),
    ("M13: over 64 KiB without end", b"x" * (PREAMBLE + 100), "multipart_preamble"),
    ("M15", b"junk--b\r\n" + HEAD + b"v" + END, "multipart_preamble"),
    ("M15: LF", b"\n--b\r\n" + HEADER + b"\r\nv" + END, "multipart_preamble"),
    ("M15: CR", b"\r--b\r\n" + HEADER + b"\r\nv" + END, "multipart_preamble"),
    ("M17", HEAD + b"v" + END + HEAD + b"w" + END, "multipart_epilogue"),
    ("M17: at once", HEAD + b"v\r\n--b----b", "multipart_epilogue"),
    ("M17: in a line", HEAD + b"v" + END + b"x--bx", "multipart_epilogue"),
    ("M19", HEAD + b"v", "multipart_truncated"),
    ("M19: CRLF", HEAD + b"v\r\n", "multipart_truncated"),
    ("M20: a delimiter", HEAD + b"v\r\n--b\r\n", "multipart_truncated"),
    ("M20: one dash", HEAD + b"v\r\n--b-", "multipart_truncated"),
    ("M20: no line end", HEAD + b"v\r\n--b", "multipart_truncated"),
    ("M20: blanks", HEAD + b"v\r\n--b  ", "multipart_truncated"),
    ("M20: half a boundary", b"--", "multipart_truncated"),
    ("M20: the first delimiter", b"--b", "multipart_truncated"),
    ("M20: the first dash", b"--b-", "multipart_truncated"),
    ("M21: in headers", b"--b\r\nContent-Dis", "multipart_truncated"),
    ("M21: after headers", b"--b\r\n" + HEADER, "multipart_truncated"),
    ("M21: a header block that never ends", b"--b\r\n" + HEADER + b"--b--\r\n", "multipart_truncated"),
    ("M23: CRLF", b"\r\n", "multipart_truncated"),
    ("M23: garbage", b"garbage", "multipart_truncated"),
    ("M24", (HEAD + b"v" + END).replace(b"\r\n", b"\n"), "multipart_preamble"),
    ("M25", (HEAD + b"v" + END).replace(b"\r\n", b"\r"), "multipart_preamble"),
    ("M26", b"--b\r\nContent-Disposition: form-data; name=a\n\nv" + END, "part_header_syntax"),
    ("M26: LF between", b"--b\r\nX: 1\n" + HEADER + b"\r\nv" + END, "part_header_syntax"),
    ("M31", b"--b junk\r\n" + HEADER + b"\r\nv" + END, "multipart_preamble"),
    ("M31: a longer boundary", b"--bX\r\n" + HEAD + b"v" + END, "multipart_preamble"),
    ("M31: 65 blanks", b"--b" + b" " * 65 + b"\r\n" + HEADER + b"\r\nv" + END, "multipart_preamble"),
    ("M35", b"--b\r\n\r\nv" + END, "part_headers_missing"),
    ("M35: the second part", HEAD + b"v\r\n--b\r\n\r\nv" + END, "part_headers_missing"),
    ("M36", b"--b\r\n" + HEAD + b"v" + END, "part_header_syntax"),
    (
        "M67: CR in quotes",
        b'--b\r\nContent-Disposition: form-data; name="\ra"\r\n\r\nv' + END,
        "part_header_syntax",
    ),
    (
        "M67: LF in quotes",
        b'--b\r\nContent-Disposition: form-data; name="\na"\r\n\r\nv' + END,
        "part_header_syntax",
    ),
    ("M71", b"--b\r\n" + HEADER[:-2] + b"\rX: 1\r\n\r\nv" + END, "part_header_syntax"),
    ("M71: before it is complete", b"--b\r\n\rX", "part_header_syntax"),
    ("M71: LF first", b"--b\r\n\n", "part_header_syntax"),
    ("M73: over 16 KiB", b"--b\r\n" + block_of(BLOCK + 1) + b"\r\nv" + END, "part_headers_too_large"),
    ("M73: without end", b"--b\r\nX: " + b"x" * (BLOCK + 100), "part_headers_too_large"),
    ("M73: LF goes before", b"--b\r\nX: \n" + b"x" * (BLOCK + 100), "part_header_syntax"),
    ("M37", b"--b\r\nX: 1\r\n\r\nv" + END, "disposition_missing"),
    ("M37: the second part", HEAD + b"v\r\n--b\r\nX: 1\r\n\r\nv" + END, "disposition_missing"),
    ("M30: 65 blanks and no more", b"--b" + b" " * 65 + b"\r\n", "multipart_preamble"),
    ("M35: no end", b"--b\r\n\r\n", "part_headers_missing"),
    ("M71: CR before CRLF", b"--b\r\n" + HEADER[:-2] + b"\r\r\n\r\nv" + END, "part_header_syntax"),
    ("M71: CR in another field", b"--b\r\nX: a\rb\r\n" + HEADER + b"\r\nv" + END, "part_header_syntax"),
    ("M70: before a missing end", b"--b\r\nX\r\n\r\n", "part_header_syntax"),
]
"""The rule, the body, and the code of the problem."""
