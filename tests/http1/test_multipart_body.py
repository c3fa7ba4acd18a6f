"""The multipart encoder: against requests-toolbelt, which nobody here wrote, and as a stream."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests_toolbelt import MultipartEncoder

from clients.http1.body import parts_of
from clients.http1.errors import UploadFailed, UsageError
from clients.http1.multipart_body import MultipartBody, Part, gathered, new_boundary
from clients.http1.sources import BytesSource, StreamSource

BOUNDARY = "0123456789abcdef"
NAMES = st.text(max_size=6) | st.sampled_from(["", 'q"', "a\r\nb", "ä"])
CONTENT_TYPES = st.sampled_from([None, "text/plain", "docx"])
PART_HEADERS = st.dictionaries(st.sampled_from(["a", "X-B"]), st.sampled_from(["b", "ä"]), max_size=2)


def encoded(body: MultipartBody) -> bytes:
    return b"".join(bytes(block) for block in body.blocks())


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(NAMES, st.tuples(NAMES, st.binary(max_size=30), CONTENT_TYPES, PART_HEADERS)), max_size=4
    )
)
def test_it_writes_what_requests_toolbelt_writes(files: list[tuple[str, Any]]) -> None:
    body = MultipartBody(parts_of((), files), BOUNDARY)
    theirs = MultipartEncoder(
        [(name, (filename, io.BytesIO(content), *rest)) for name, (filename, content, *rest) in files],
        BOUNDARY,
    )
    assert encoded(body) == theirs.to_string()
    assert body.content_type == theirs.content_type


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60_000), max_size=4))
def test_the_length_is_that_of_the_bytes(contents: list[bytes]) -> None:
    body = MultipartBody([Part("ü", BytesSource(content), "n", "t/u") for content in contents], BOUNDARY)
    assert body.length == len(encoded(body))


@settings(deadline=None)
@given(st.lists(st.integers(0, 40_000).map(bytes), max_size=12))
def test_gathering_changes_no_byte_and_leaves_large_pieces_alone(pieces: list[bytes]) -> None:
    blocks = list(gathered(iter(pieces)))
    assert b"".join(bytes(block) for block in blocks) == b"".join(pieces)
    assert {id(piece) for piece in pieces if len(piece) >= 16384} <= {id(block) for block in blocks}


def test_small_parts_leave_in_one_block() -> None:
    parts = [Part(f"f{number}", BytesSource(b"v")) for number in range(20)]
    assert len(list(MultipartBody(parts, BOUNDARY).blocks())) == 1


def test_a_live_stream_is_not_held_back() -> None:
    asked: list[str] = []

    def live() -> Iterator[bytes]:
        for piece in (b"one", b"two"):
            asked.append(piece.decode())
            yield piece

    blocks = MultipartBody([Part("f", StreamSource(live()), "f")], BOUNDARY).blocks()
    assert bytes(next(blocks)).endswith(b"\r\n\r\none")
    assert asked == ["one"]


def test_a_part_of_unknown_length_makes_the_length_unknown() -> None:
    body = MultipartBody([Part("a", BytesSource(b"1")), Part("f", StreamSource(iter([b"x"])))], BOUNDARY)
    assert body.length is None
    assert not body.repeatable


def test_what_was_sent_is_told_part_by_part() -> None:
    body = MultipartBody([Part("a", BytesSource(b"1")), Part("f", BytesSource(b""), "n")], BOUNDARY)
    encoded(body)
    assert [(part.name, part.filename, part.size) for part in body.sent] == [("a", None, 1), ("f", "n", 0)]
    assert body.sent[0].sha256 == "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"


def test_a_body_is_encoded_again_alike() -> None:
    body = MultipartBody([Part("f", BytesSource(bytes(100_000)), "n")], BOUNDARY)
    assert encoded(body) == encoded(body)
    assert len(body.sent) == 1


def test_boundaries_are_128_random_bits() -> None:
    boundaries = {new_boundary() for _ in range(100)}
    assert len(boundaries) == 100
    assert all(re.fullmatch("[0-9a-f]{32}", boundary) for boundary in boundaries)


@pytest.mark.parametrize("boundary", ["", "a b ", "ä", "a\r\nb", "x" * 71, 'a"b'])
def test_what_rfc_2046_does_not_allow_is_no_boundary(boundary: str) -> None:
    with pytest.raises(UsageError, match="boundary"):
        MultipartBody([], boundary)


def test_a_boundary_that_is_no_token_is_quoted() -> None:
    assert MultipartBody([], "a:b").content_type == 'multipart/form-data; boundary="a:b"'


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("text/plain\r\nX: y", ()),
        (None, (("X-A", "b\r\n\r\n"),)),
        (None, (("X A", "b"),)),
        (None, (("", "b"),)),
        ("a\0", ()),
    ],
)
def test_no_value_of_a_part_begins_a_new_line(
    content_type: str | None, headers: tuple[tuple[str, str], ...]
) -> None:
    with pytest.raises(UsageError, match="field"):
        Part("f", BytesSource(b""), "n", content_type, headers)


def test_a_stream_that_is_shorter_than_it_said_is_an_error_and_no_receipt() -> None:
    body = MultipartBody([Part("f", StreamSource(iter([b"12"]), length=3), "n")], BOUNDARY)
    with pytest.raises(UploadFailed, match="2 of 3 bytes"):
        encoded(body)
    assert body.sent == []
