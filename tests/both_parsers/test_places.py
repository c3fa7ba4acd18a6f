"""Problems name their place in a multipart body (W6)."""

import re

import pytest

from servers.contract.limits import Limits
from servers.contract.parsers import Parsers
from servers.contract.problems import Problem
from tests.both_parsers.forms import BLOCK, END, HEAD, HEADER, block_of
from tests.parsers import BOTH_PARSERS
from tests.sansio.splits import bytewise, two_way

_BEFORE = HEAD + b"v\r\n"  # a first part, without its delimiter
_HEADERS = len(_BEFORE) + len(b"--b\r\n")
_PLACE = re.compile(r"(?:part (\d+)(?: \('.*'\))?, )?(?:header block at )?byte (\d+) of the body: ")


@BOTH_PARSERS
@pytest.mark.parametrize(
    ("body", "code", "part", "byte"),
    [
        pytest.param(b"hello\r\n" + HEAD + b"v" + END, "multipart_preamble", None, 0, id="M13: text"),
        pytest.param(
            b"\r\n\r\nx" + HEAD + b"v" + END, "multipart_preamble", None, 4, id="M13: after two lines"
        ),
        pytest.param(b"\r\n" * 65 + HEAD + b"v" + END, "multipart_preamble", None, 128, id="M13: 65 CRLFs"),
        pytest.param(b"\r\n--bx", "multipart_preamble", None, 2, id="M31"),
        pytest.param(
            _BEFORE + b"--b--junk" + b"x" * 99, "multipart_syntax", None, len(_BEFORE) + 5, id="M18"
        ),
        pytest.param(_BEFORE + b"--b-- \t\r", "multipart_syntax", None, len(_BEFORE) + 7, id="M18: a CR"),
        pytest.param(_BEFORE + b"--b--\r\n\r\nx", "multipart_epilogue", None, len(_BEFORE) + 9, id="M16"),
        pytest.param(_BEFORE + b"--b--\r\n\r", "multipart_epilogue", None, len(_BEFORE) + 7, id="M16: a CR"),
        pytest.param(
            _BEFORE + b"--b--" + b"\r\n" * 65,
            "multipart_epilogue",
            None,
            len(_BEFORE) + 133,
            id="M16: 65 CRLFs",
        ),
        pytest.param(_BEFORE + b"--b\r\n\r\nv" + END, "part_headers_missing", 1, _HEADERS, id="M35"),
        pytest.param(_BEFORE + b"--b\r\nX: 1\nY", "part_header_syntax", 1, _HEADERS + 4, id="M71: LF"),
        pytest.param(_BEFORE + b"--b\r\nX: 1\rY", "part_header_syntax", 1, _HEADERS + 4, id="M71: CR"),
        pytest.param(_BEFORE + b"--b\r\nX\r\n\r\nv" + END, "part_header_syntax", 1, _HEADERS, id="M70"),
        pytest.param(_BEFORE + b"--b\r\nX: 1\r\n\r\nv" + END, "disposition_missing", 1, _HEADERS, id="M37"),
        pytest.param(
            _BEFORE + b"--b\r\n" + block_of(BLOCK + 1) + b"\r\nv" + END,
            "part_headers_too_large",
            1,
            _HEADERS,
            id="M73",
        ),
        pytest.param(_BEFORE, "multipart_truncated", 0, len(_BEFORE), id="M19"),
        pytest.param(_BEFORE + b"--b\r\nX: ", "multipart_truncated", 1, _HEADERS + 3, id="M21: in headers"),
        pytest.param(
            _BEFORE + b"--b\r\n" + HEADER + b"\r\nw",
            "multipart_truncated",
            1,
            len(_BEFORE + HEAD) + 1,
            id="M21",
        ),
    ],
)
def test_a_problem_names_the_part_and_the_byte(
    parsers: Parsers, body: bytes, code: str, part: int | None, byte: int
) -> None:
    splits = [[body], bytewise(body), *two_way(body)] if len(body) < 1000 else [[body], bytewise(body)]
    for pieces in splits:
        problem = _problem(parsers, pieces)
        place = _PLACE.match(problem.detail)
        assert place is not None, problem.detail
        assert (problem.code, int(place[2])) == (code, byte), (pieces, problem.detail)
        assert part is None or place[1] == str(part), (pieces, problem.detail)


def _problem(parsers: Parsers, pieces: list[bytes]) -> Problem:
    parser = parsers.multipart(parsers.content_type("multipart/form-data; boundary=b"), Limits())
    with pytest.raises(Problem) as raised:
        for piece in pieces:
            list(parser.feed(piece))
        list(parser.finish())
    return raised.value
