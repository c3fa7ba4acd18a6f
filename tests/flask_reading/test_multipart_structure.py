"""Delimiters near the end of a read (M89). tests/both_parsers has the rules for whole bodies."""

import pytest

from servers.contract.limits import Limits
from servers.contract.request import PartData
from servers.flask_reading.multipart import StrictMultipart
from tests.both_parsers.forms import one_part
from tests.parsers import ALL_PARSERS, read_form
from tests.sansio.splits import SEGMENT, by_size

DISPOSITION = b'Content-Disposition: form-data; name="a"'


def parts(boundary: bytes, pieces: list[bytes]) -> list[tuple[str | None, str | None, bytes]]:
    """Name, filename and bytes of each part."""
    content_type = f"multipart/form-data; boundary={boundary.decode()}"
    form = read_form(ALL_PARSERS["flask"], content_type, pieces)
    assert not isinstance(form, str), form
    return [(part.head.name, part.head.filename, part.data) for part in form]


@pytest.mark.parametrize("size", [65351, 65391, 130927, 65536, 131072])
@pytest.mark.parametrize("shift", range(-12, 13))
def test_delimiter_at_the_edge_of_a_read_leaves_the_data_exact(size: int, shift: int) -> None:
    """Werkzeug issue 3285: a read that ends within the delimiter adds a stray CR to the file."""
    data = bytes(range(256)) * (size // 256 + 1)
    body = one_part(DISPOSITION + b'; filename="f"', data=data[: size + shift])
    assert parts(b"b", by_size(body, SEGMENT)) == [("a", "f", data[: size + shift])]


def test_every_edge_within_a_long_delimiter_leaves_the_data_exact() -> None:
    boundary = b"-" * 70
    padding = b"\t" * 64
    data = b"x" * 1000 + b"\r\n--" + boundary[:-1] + b"\r"
    head = b"--" + boundary + b"\r\n" + DISPOSITION + b"\r\n\r\n"
    padded = b"\r\n--" + boundary + padding + b"\r\n"
    body = head + data + padded + DISPOSITION + b"\r\n\r\n\r\n--" + boundary + b"--"
    expected = [("a", None, data), ("a", None, b"")]
    for position in range(len(head) + 900, len(body) + 1):
        assert parts(boundary, [body[:position], body[position:]]) == expected


def test_nothing_but_a_begun_delimiter_is_held_back() -> None:
    parser = StrictMultipart(b"b", Limits())
    list(parser.feed(b"--b\r\n" + DISPOSITION + b"\r\n\r\n"))
    seen = b"".join(
        bytes(event.data) for event in parser.feed(b"x" * 70000 + b"\r\n--b") if isinstance(event, PartData)
    )
    assert seen == b"x" * 70000
