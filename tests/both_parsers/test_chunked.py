"""The chunked transfer coding (RFC 9112 7.1; rules B26 to B36), for every split of the bytes (M89)."""

from collections.abc import Mapping
from functools import partial

import pytest

from clients.fuzzing.limit_grammar import filled
from servers.contract.limits import Limits
from tests.both_parsers.chunked_bodies import ACCEPTED, REFUSED
from tests.parsers import DECHUNK, Dechunk, dechunk_flask, decode_chunks
from tests.sansio.splits import by_size, bytewise, two_way

_DECODERS: Mapping[str, Dechunk] = {
    **DECHUNK,
    "flask, 1 byte a read": partial(dechunk_flask, size=1),
    "flask, 4 bytes a read": partial(dechunk_flask, size=4),
}
_SMALL = Limits(max_field_line=50, max_trailers=6, max_chunk_line=30)
_OVER_OR_UNDER = pytest.mark.parametrize("excess", [-1, 0, 1])
_EVERY_DECODER = pytest.mark.parametrize("dechunk", _DECODERS.values(), ids=_DECODERS)


@_EVERY_DECODER
@pytest.mark.parametrize(
    ("body", "expected"), [pytest.param(*case, id=name) for name, *case in (*ACCEPTED, *REFUSED)]
)
def test_a_chunked_body(dechunk: Dechunk, body: bytes, expected: bytes | str) -> None:
    splits = two_way(body) if len(body) < 1000 else ()
    for pieces in ([body], bytewise(body), by_size(body, 3), *splits):
        assert decode_chunks(dechunk, pieces) == expected, pieces


@_EVERY_DECODER
def test_a_content_type_in_the_head_forbids_one_in_the_trailers(dechunk: Dechunk) -> None:
    """B29."""
    body = b"0\r\nContent-Type: a/b\r\n\r\n"
    assert decode_chunks(dechunk, [body], has_content_type=True) == "bad_chunk"
    assert decode_chunks(dechunk, [body], has_content_type=False) == b""


def _at_a_limit(dechunk: Dechunk, body: bytes) -> bytes | str:
    (outcome,) = {decode_chunks(dechunk, pieces, limits=_SMALL) for pieces in ([body], bytewise(body))}
    return outcome


@_EVERY_DECODER
@_OVER_OR_UNDER
@pytest.mark.parametrize(
    "way",
    [
        b"1;<e>", b"01;a=<v>", b'1;a="<q>"', b'1;a="<\xe9>"', b"1< >;a", b"1;<\t>a", b"1;a< >=b",
        b"1;a=<\t>b", b'1;a;b="<;>"',
    ],
)  # fmt: skip
def test_a_chunk_size_line_has_its_limit_however_it_is_filled(
    dechunk: Dechunk, way: bytes, excess: int
) -> None:
    """B27."""
    line = filled(way, _SMALL.max_chunk_line + excess)
    expected = "bad_chunk" if excess > 0 else b"x"
    assert _at_a_limit(dechunk, line + b"\r\nx\r\n0\r\n\r\n") == expected
    last = filled(way.replace(b"1;", b"0;").replace(b"1<", b"0<"), _SMALL.max_chunk_line + excess)
    assert _at_a_limit(dechunk, b"1\r\nx\r\n" + last + b"\r\n\r\n") == expected


@_EVERY_DECODER
@_OVER_OR_UNDER
@pytest.mark.parametrize(
    "way",
    [
        b"X: <v>", b"X:<v>", b"X:  \t<v>", b"X:<v> \t", b"X:< >", b"X: v< >", b"<x>: v", b"<x>:", b"X_A:<v>",
        b"<_>: v", b"X:<\xe9>", b"X:<,>", b"Cookie: a=<b>; c=d", b"Content-Type: <a>",
    ],
)  # fmt: skip
def test_a_trailer_has_the_limit_of_a_field_line_however_it_is_filled(
    dechunk: Dechunk, way: bytes, excess: int
) -> None:
    """B28, B29."""
    line = filled(way, _SMALL.max_field_line - len("\r\n") + excess)
    body = b"1\r\nx\r\n0\r\nX-A: 1\r\n" + line + b"\r\n\r\n"
    assert _at_a_limit(dechunk, body) == ("bad_chunk" if excess > 0 else b"x")


@_EVERY_DECODER
@_OVER_OR_UNDER
@pytest.mark.parametrize(
    "lines", [b"X-#: 1\r\n", b"X: #\r\n", b"X:\r\n", b"_: 1\r\nX: 1\r\n", b"_#:\r\nX_:\r\nX-#:\r\n"]
)
def test_trailers_are_counted_by_line(dechunk: Dechunk, lines: bytes, excess: int) -> None:
    """B28, B29: one whose name has an underscore does not count."""
    count = _SMALL.max_trailers + excess
    trailers = b"".join(lines.replace(b"#", b"%d" % number) for number in range(count))
    assert _at_a_limit(dechunk, b"0\r\n" + trailers + b"\r\n") == ("bad_chunk" if excess > 0 else b"")
