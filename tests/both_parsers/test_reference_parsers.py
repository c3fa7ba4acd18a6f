"""Generated forms, parsed by the parsers of both backends and by two third-party parsers alike."""

from io import BytesIO

from hypothesis import assume, given
from hypothesis import strategies as st

from servers.contract.parsers import Parsers
from tests.parsers import BOTH_PARSERS, read_form
from tests.reference_parsers.witnesses import WitnessPart, read_by_defnull, read_by_python_multipart
from tests.sansio.splits import by_sizes

_BOUNDARY = b"boundary"
# Bytes that resemble a delimiter. "X" makes other data of a delimiter (M29).
_NEAR = st.sampled_from(
    [
        b"\r\n",
        b"--",
        b"\r\n--boundary",
        b"\n--boundary\r\n",
        b"--boundary--",
        b"bound",
        b"ary",
        b"\r",
        b"\n",
        b"X",
        b"\0",
    ]
)
_DATA = st.lists(st.one_of(_NEAR, st.binary(max_size=5)), max_size=8).map(b"".join)
# Names that all parsers decode alike: no backslash, quote or percent sign (M52 to M55).
_NAMES = st.text(st.characters(exclude_characters='\\"%', exclude_categories=["Cc", "Cs"]), max_size=12)
_TYPES = st.sampled_from([None, "text/plain", "application/octet-stream", "application/json; charset=utf-8"])


_PARTS = st.lists(st.builds(WitnessPart, _NAMES, st.one_of(st.none(), _NAMES), _TYPES, _DATA), max_size=6)
_SPLITS = st.lists(st.integers(1, 400), max_size=6)


def _encode(parts: list[WitnessPart]) -> bytes:
    body = BytesIO()
    for part in parts:
        body.write(b"--%s\r\nContent-Disposition: form-data" % _BOUNDARY)
        body.write(f'; name="{part.name}"'.encode())
        if part.filename is not None:
            body.write(f'; filename="{part.filename}"'.encode())
        if part.content_type is not None:
            body.write(f"\r\nContent-Type: {part.content_type}".encode())
        body.write(b"\r\n\r\n" + part.data + b"\r\n")
    body.write(b"--%s--" % _BOUNDARY)  # no epilogue: for some splits the strict parsers refuse even a CRLF
    return body.getvalue()


def _is_plain(data: bytes) -> bool:
    """Whether no delimiter begins in the data. If one does, the parsers differ (M29, M34)."""
    return b"\r\n--boundary" not in b"\r\n" + data + b"\r\n"


@BOTH_PARSERS
@given(_PARTS, _SPLITS)
def test_an_encoded_form_is_parsed(parsers: Parsers, parts: list[WitnessPart], sizes: list[int]) -> None:
    assume(all(_is_plain(part.data) for part in parts))
    form = read_form(parsers, "multipart/form-data; boundary=boundary", by_sizes(_encode(parts), sizes))
    assert not isinstance(form, str), form
    assert parts == [
        WitnessPart(part.head.name, part.head.filename, part.head.content_type, part.data) for part in form
    ]


@given(_PARTS, _SPLITS)
def test_defnull_multipart_in_strict_mode_agrees(parts: list[WitnessPart], sizes: list[int]) -> None:
    assume(all(_is_plain(part.data) for part in parts))
    assert read_by_defnull(_BOUNDARY, by_sizes(_encode(parts), sizes)) == parts


@given(_PARTS, _SPLITS)
def test_python_multipart_agrees(parts: list[WitnessPart], sizes: list[int]) -> None:
    """This is the parser of Starlette and FastAPI."""
    assume(all(_is_plain(part.data) for part in parts))
    pieces = by_sizes(_encode(parts), sizes)
    assert read_by_python_multipart(_BOUNDARY, pieces) == parts
