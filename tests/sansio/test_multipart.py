"""multipart/form-data: delimiters, preamble, epilogue, header blocks, data (rules M13 to M36, M73, M89)."""

import dataclasses

import pytest

from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.sansio.multipart import FormDataParser
from servers.sansio.stream import Role
from tests.sansio.splits import bytewise, two_way
from tests.sansio.transcripts import read_form

_H = b"Content-Disposition: form-data; name=a\r\n"
_HEAD = b"--b\r\n" + _H + b"\r\n"
_END = b"\r\n--b--\r\n"
_PREAMBLE = Limits().max_preamble
_BLOCK = Limits().max_part_headers


def _block_of(size: int) -> bytes:
    """A header block of so many bytes, its lines' CRLF included."""
    return _H + b"X: " + b"x" * (size - len(_H) - 5) + b"\r\n"


_ACCEPTED: list[tuple[str, bytes, list[bytes]]] = [
    ("one part", _HEAD + b"v" + _END, [b"v"]),
    ("two parts", _HEAD + b"1\r\n" + _HEAD + b"2" + _END, [b"1", b"2"]),
    ("M13: a preamble", b"preamble\r\n-- b\r\n--\r\n" + _HEAD + b"v" + _END, [b"v"]),
    ("M13: a preamble of 64 KiB", b"x" * _PREAMBLE + b"\r\n" + _HEAD + b"v" + _END, [b"v"]),
    ("M13: nearly a boundary", b"\r\n--a\r\n--\r\n-b\r\n" + _HEAD + b"v" + _END, [b"v"]),
    ("M14", b"\r\n" + _HEAD + b"v" + _END, [b"v"]),
    ("M16", _HEAD + b"v\r\n--b--\r\nepilogue\r\n--a\r\n- -b", [b"v"]),
    ("M16: long", _HEAD + b"v" + _END + b"-" * 70_000, [b"v"]),
    ("M18: no line end", _HEAD + b"v\r\n--b--", [b"v"]),
    ("M18: junk", _HEAD + b"v\r\n--b--junk", [b"v"]),
    ("M18: LF", _HEAD + b"v\r\n--b--\n", [b"v"]),
    ("M22", b"--b--", []),
    ("M22: as Go sends it", b"\r\n--b--\r\n", []),
    ("M27", _HEAD + b"1\n--b\r\n2" + _END, [b"1\n--b\r\n2"]),
    ("M28", _HEAD + b"1\n--b\n2\n--b--\n3" + _END, [b"1\n--b\n2\n--b--\n3"]),
    ("M29", _HEAD + b"1\r\n--bX\r\n2\r\n--b-X--\r\n" + _END, [b"1\r\n--bX\r\n2\r\n--b-X--\r\n"]),
    ("M29: junk", _HEAD + b"1\r\n--b junk\r\n2" + _END, [b"1\r\n--b junk\r\n2"]),
    ("M29: a CR alone", _HEAD + b"1\r\n--b\r2\r\n--b \t\r" + _END, [b"1\r\n--b\r2\r\n--b \t\r"]),
    ("M29: a dash behind blanks", _HEAD + b"1\r\n--b --\r\n" + _END, [b"1\r\n--b --\r\n"]),
    ("M29: one after another", _HEAD + b"\r\n--bX\r\n--bX\r\n--b--", [b"\r\n--bX\r\n--bX"]),
    ("M30", b"--b \t\r\n" + _H + b"\r\n1\r\n--b\t \r\n" + _H + b"\r\n2" + _END, [b"1", b"2"]),
    ("M30: 64 blanks", b"--b" + b" " * 64 + b"\r\n" + _H + b"\r\nv" + _END, [b"v"]),
    ("M30: 65 blanks", _HEAD + b"1\r\n--b" + b" " * 65 + b"\r\n" + _END, [b"1\r\n--b" + b" " * 65 + b"\r\n"]),
    ("M32: CR last", _HEAD + b"v\r" + _END, [b"v\r"]),
    ("M32: CRLF last", _HEAD + b"v\r\n" + _END, [b"v\r\n"]),
    ("M32: CRLF first", _HEAD + b"\r\nv" + _END, [b"\r\nv"]),
    ("M32: LF first", _HEAD + b"\nv" + _END, [b"\nv"]),
    ("M32: CRLF alone", _HEAD + b"\r\n" + _END, [b"\r\n"]),
    ("M32: CRs", _HEAD + b"\r\r\r" + _END, [b"\r\r\r"]),
    ("M33", _HEAD + _END, [b""]),
    ("M34", b"--b\r\n" + _H + b"\r\n--b--", [b""]),
    ("M34: twice", (b"--b\r\n" + _H + b"\r\n") * 2 + b"--b--\r\n", [b"", b""]),
    ("M34: no delimiter", _HEAD + b"--bX" + _END, [b"--bX"]),
    ("M34: 65 blanks", _HEAD + b"--b" + b" " * 65 + _END, [b"--b" + b" " * 65]),
    ("M73: 16 KiB", b"--b\r\n" + _block_of(_BLOCK) + b"\r\nv" + _END, [b"v"]),
]
_REFUSED: list[tuple[str, bytes, str]] = [
    ("M13: over 64 KiB", b"x" * (_PREAMBLE + 1) + b"\r\n" + _HEAD + b"v" + _END, "multipart_preamble"),
    ("M13: over 64 KiB without end", b"x" * (_PREAMBLE + 100), "multipart_preamble"),
    ("M15", b"junk--b\r\n" + _HEAD + b"v" + _END, "multipart_preamble"),
    ("M15: LF", b"\n--b\r\n" + _H + b"\r\nv" + _END, "multipart_preamble"),
    ("M15: CR", b"\r--b\r\n" + _H + b"\r\nv" + _END, "multipart_preamble"),
    ("M17", _HEAD + b"v" + _END + _HEAD + b"w" + _END, "multipart_epilogue"),
    ("M17: at once", _HEAD + b"v\r\n--b----b", "multipart_epilogue"),
    ("M17: in a line", _HEAD + b"v" + _END + b"x--bx", "multipart_epilogue"),
    ("M19", _HEAD + b"v", "multipart_truncated"),
    ("M19: CRLF", _HEAD + b"v\r\n", "multipart_truncated"),
    ("M20: a delimiter", _HEAD + b"v\r\n--b\r\n", "multipart_truncated"),
    ("M20: one dash", _HEAD + b"v\r\n--b-", "multipart_truncated"),
    ("M20: no line end", _HEAD + b"v\r\n--b", "multipart_truncated"),
    ("M20: blanks", _HEAD + b"v\r\n--b  ", "multipart_truncated"),
    ("M20: half a boundary", b"--", "multipart_truncated"),
    ("M20: the first delimiter", b"--b", "multipart_truncated"),
    ("M20: the first dash", b"--b-", "multipart_truncated"),
    ("M21: in headers", b"--b\r\nContent-Dis", "multipart_truncated"),
    ("M21: behind headers", b"--b\r\n" + _H, "multipart_truncated"),
    ("M21: a header block that never ends", b"--b\r\n" + _H + b"--b--\r\n", "multipart_truncated"),
    ("M23: CRLF", b"\r\n", "multipart_truncated"),
    ("M23: garbage", b"garbage", "multipart_truncated"),
    ("M24", (_HEAD + b"v" + _END).replace(b"\r\n", b"\n"), "multipart_preamble"),
    ("M25", (_HEAD + b"v" + _END).replace(b"\r\n", b"\r"), "multipart_preamble"),
    ("M26", b"--b\r\nContent-Disposition: form-data; name=a\n\nv" + _END, "part_header_syntax"),
    ("M26: LF between", b"--b\r\nX: 1\n" + _H + b"\r\nv" + _END, "part_header_syntax"),
    ("M31", b"--b junk\r\n" + _H + b"\r\nv" + _END, "multipart_preamble"),
    ("M31: a longer boundary", b"--bX\r\n" + _HEAD + b"v" + _END, "multipart_preamble"),
    ("M31: 65 blanks", b"--b" + b" " * 65 + b"\r\n" + _H + b"\r\nv" + _END, "multipart_preamble"),
    ("M35", b"--b\r\n\r\nv" + _END, "part_headers_missing"),
    ("M35: the second part", _HEAD + b"v\r\n--b\r\n\r\nv" + _END, "part_headers_missing"),
    ("M36", b"--b\r\n" + _HEAD + b"v" + _END, "part_header_syntax"),
    (
        "M67: CR in quotes",
        b'--b\r\nContent-Disposition: form-data; name="\ra"\r\n\r\nv' + _END,
        "part_header_syntax",
    ),
    (
        "M67: LF in quotes",
        b'--b\r\nContent-Disposition: form-data; name="\na"\r\n\r\nv' + _END,
        "part_header_syntax",
    ),
    ("M71", b"--b\r\n" + _H[:-2] + b"\rX: 1\r\n\r\nv" + _END, "part_header_syntax"),
    ("M71: before it is complete", b"--b\r\n\rX", "part_header_syntax"),
    ("M71: LF first", b"--b\r\n\n", "part_header_syntax"),
    ("M73: over 16 KiB", b"--b\r\n" + _block_of(_BLOCK + 1) + b"\r\nv" + _END, "part_headers_too_large"),
    ("M73: without end", b"--b\r\nX: " + b"x" * (_BLOCK + 100), "part_headers_too_large"),
    ("M73: LF goes before", b"--b\r\nX: \n" + b"x" * (_BLOCK + 100), "part_header_syntax"),
    ("M37", b"--b\r\nX: 1\r\n\r\nv" + _END, "disposition_missing"),
    ("M37: the second part", _HEAD + b"v\r\n--b\r\nX: 1\r\n\r\nv" + _END, "disposition_missing"),
]


@pytest.mark.parametrize(("body", "data"), [pytest.param(*case, id=name) for name, *case in _ACCEPTED])
def test_the_data_of_the_parts(body: bytes, data: list[bytes]) -> None:
    assert read_form([body]).values() == [("a", None, value) for value in data]


@pytest.mark.parametrize(("body", "code"), [pytest.param(*case, id=name) for name, *case in _REFUSED])
def test_a_malformed_body_is_refused(body: bytes, code: str) -> None:
    assert read_form([body]).problem == code


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body, _ in (*_ACCEPTED, *_REFUSED)])
def test_no_cut_shows(body: bytes) -> None:
    """M89: every cut of a short body, those round what is special in a long one, and single bytes."""
    whole = read_form([body])
    if len(body) <= 4096:
        for pieces in two_way(body):
            assert read_form(pieces) == whole, pieces
    else:
        for cut in {*range(1, 40), *range(len(body) - 60, len(body)), *range(_BLOCK - 80, _BLOCK + 80)}:
            assert read_form([body[:cut], body[cut:]]) == whole, cut
    if len(body) <= 20_000:
        assert read_form(bytewise(body)) == whole


@pytest.mark.parametrize("boundary", [b"-", b"--", b"x" * 70, b"a b", b"'()+_,-./:=?", b"--b--", b"*****"])
def test_any_boundary_parts_the_body_in_every_cut(boundary: bytes) -> None:
    """M1, M6, even one that looks like an end."""
    delimiter = b"--" + boundary
    # In data, the boundary without its dashes, cut short, and without its CRLF.
    near = b"\r\n" + boundary + b"\n" + delimiter + b"\r\n" + delimiter[:-1] + b"\r\r\n-"
    body = b"".join((delimiter, b"\r\n", _H, b"\r\n", near, b"\r\n", delimiter, b"--\r\n"))
    if boundary == b"-":
        near, body = b"v", body.replace(near, b"v")
    assert read_form([body], boundary).values() == [("a", None, near)]
    for pieces in [*two_way(body), bytewise(body)]:
        assert read_form(pieces, boundary).values() == [("a", None, near)], pieces


def test_a_problem_is_raised_again() -> None:
    parser = FormDataParser(b"b", Limits())
    first = _problem_of(parser, b"--b\r\n\r\n")
    assert first.code == "part_headers_missing"
    assert _problem_of(parser, _HEAD + b"v" + _END) is first
    with pytest.raises(Problem) as raised:
        list(parser.finish())
    assert raised.value is first


def _problem_of(parser: FormDataParser, data: bytes) -> Problem:
    with pytest.raises(Problem) as raised:
        list(parser.feed(data))
    return raised.value


def test_limits_can_be_set() -> None:
    limits = dataclasses.replace(Limits(), max_preamble=3, max_part_headers=len(_H))
    assert read_form([b"abc\r\n" + _HEAD + b"v" + _END], limits=limits).problem is None
    assert read_form([b"abcd\r\n" + _HEAD + b"v" + _END], limits=limits).problem == "multipart_preamble"
    body = (_HEAD + b"v" + _END).replace(b"name=a", b"name=ab")
    assert read_form([body], limits=limits).problem == "part_headers_too_large"


@pytest.mark.parametrize(("body", "data"), [pytest.param(*case, id=name) for name, *case in _ACCEPTED])
def test_a_trace_is_told_every_byte_once_and_in_order(body: bytes, data: list[bytes]) -> None:
    for pieces in ([body], bytewise(body) if len(body) < 4096 else [body[:7], body[7:]]):
        told = _trace(pieces)
        assert b"".join(raw for _, raw in told) == body
        assert b"".join(raw for role, raw in told if role is Role.PART_DATA) == b"".join(data)


def _trace(pieces: list[bytes]) -> list[tuple[Role, bytes]]:
    told: list[tuple[Role, bytes]] = []
    parser = FormDataParser(b"b", Limits(), lambda role, raw: told.append((role, bytes(raw))))
    for piece in pieces:
        list(parser.feed(piece))
    list(parser.finish())
    return told
