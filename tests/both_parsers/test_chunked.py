"""The chunked transfer coding (RFC 9112 7.1; rules B26 to B36), for every split of the bytes (M89)."""

from collections.abc import Mapping
from functools import partial

import pytest

from tests.both_parsers.chunked_bodies import ACCEPTED, REFUSED
from tests.parsers import DECHUNK, Dechunk, dechunk_flask, decode_chunks
from tests.sansio.splits import by_size, bytewise, two_way

_DECODERS: Mapping[str, Dechunk] = {
    **DECHUNK,
    "flask, 1 byte a read": partial(dechunk_flask, size=1),
    "flask, 4 bytes a read": partial(dechunk_flask, size=4),
}
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
