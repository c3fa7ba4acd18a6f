"""The two readings, which share no line, parse generated bodies and values alike, in random splits.

What one of them accepts the other must accept, with the same result. Two faults in a form have no order, so
there the codes of refusals are not compared. They are compared for heads, chunks and media types, which are
checked from left to right.
"""

import random
from collections.abc import Callable, Iterable, Sequence

import pytest

from servers.contract.parsers import Parsers
from servers.contract.problems import Problem
from servers.contract.request import MediaType
from tests.head_lines import SMALL, some_chunks, some_head
from tests.parsers import ALL_PARSERS, DECHUNK, LIMITS, READ_HEAD, decode_chunks, read_form
from tests.sansio.splits import at_random, bytewise

ROUNDS = 1500
MULTIPART = "multipart/form-data; boundary=b"
A = b'Content-Disposition: form-data; name="a"'
BODY_PIECES = (
    *(b"\r\n", b"\r", b"\n", b"-", b"--", b"--b", b"--b--", b"\r\n--b\r\n", b"\r\n--b--", b"\r\n--b", b"x"),
    *(b" ", b"\t", b" " * 64, b":", b"\x00", b"\xff", A, A + b"\r\n\r\n", b"\r\n--b\r\n" + A + b"\r\n\r\n"),
    b"\r\n--b \t\r\n" + A + b'; filename="f"\r\nContent-Type: a/b\r\n\r\n',
    b"\r\n--b\r\n" + A + b"\r\n x: y",
)
DISPOSITION_PIECES = (
    *("form-data", ";", "; ", " ", "\t", "=", '"', "\\", "'", "a", "é", "%20", "%22", "%c3%a9", "%zz", "*0"),
    *("name=", "filename=", "filename*=", "name*=", "UTF-8''", "iso-8859-1'en'", "name=a", 'filename="f"'),
    *('; name="a"', "; filename*=utf-8''b", '\\"', "C:\\t", "x=y"),
)
TYPE_PIECES = (
    *(
        "text/plain",
        "multipart/form-data",
        "application/json",
        "; ",
        ";",
        "=",
        '"',
        "\\",
        "a",
        "é",
        " ",
        "\t",
    ),
    *(",", "charset=", "boundary=", "x=y", "/", 'boundary="a b"', "boundary=b", "boundary*=", ":", "utf-8"),
    '"q"',
)
FORM_PIECES = (
    *(b"a", b"=", b"&", b"+", b"%41", b"%zz", b"%", b"%c3", b"\xa9", b"\xc3\xa9", b";", b"%26", b"\x00"),
)
EVERY_SEED = pytest.mark.parametrize("seed", range(4))


def joined(rng: random.Random, pieces: Sequence[bytes], most: int) -> bytes:
    return b"".join(rng.choice(pieces) for _ in range(rng.randint(0, most)))


def text(rng: random.Random, pieces: Sequence[str], most: int) -> str:
    return "".join(rng.choice(pieces) for _ in range(rng.randint(1, most)))


def accepted_alike(given: object, read: Callable[[Parsers], object]) -> bool:
    """Whether the readings accept `given`, on which they must agree. A refusal is a str."""
    results = [read(reading) for reading in ALL_PARSERS.values()]
    accepted = [result for result in results if not isinstance(result, str)]
    assert accepted in ([], [results[0]] * len(ALL_PARSERS)), f"{given!r}: {results}"
    return bool(accepted)


def forms_alike(body: bytes, pieces: Iterable[bytes]) -> bool:
    """Whether the readings accept a multipart body that arrives in `pieces`."""
    split = list(pieces)
    return accepted_alike(body, lambda reading: read_form(reading, MULTIPART, split))


def media_type_of(reading: Parsers, value: str) -> MediaType | str:
    """The media type, whose boundary must be valid if it is for a form, or the code of the refusal."""
    try:
        media_type = reading.content_type(value)
        if media_type.is_form_data:
            reading.multipart(media_type, LIMITS)
    except Problem as problem:
        return problem.code
    return media_type


def pairs_of(reading: Parsers, data: bytes) -> object:
    """The pairs of a urlencoded body, or what it is refused for."""
    try:
        return reading.urlencoded(data, "utf-8")
    except UnicodeDecodeError:
        return "not UTF-8"


@EVERY_SEED
def test_multipart_bodies(seed: int) -> None:
    rng = random.Random(seed)
    accepted = 0
    for _ in range(ROUNDS):
        begin = rng.choice((b"", b"--b\r\n", b"--b\r\n" + A + b"\r\n\r\n", b"--b\r\n" + A + b"\r\n\r\n"))
        end = rng.choice((b"", b"\r\n--b--", b"\r\n--b--\r\n"))
        body = begin + joined(rng, BODY_PIECES, 10) + end
        accepted += forms_alike(body, rng.choice(([body], bytewise(body), at_random(body, rng))))
    assert accepted > ROUNDS / 10


@EVERY_SEED
def test_content_dispositions(seed: int) -> None:
    rng = random.Random(seed)
    accepted = 0
    for _ in range(ROUNDS):
        value = "form-data; " + text(rng, DISPOSITION_PIECES, 5)
        disposition = value.encode(rng.choice(("utf-8", "iso-8859-1")))
        body = b"--b\r\nContent-Disposition: " + disposition + b"\r\n\r\nv\r\n--b--"
        accepted += forms_alike(body, [body])
    assert accepted > ROUNDS / 50


@EVERY_SEED
def test_media_types(seed: int) -> None:
    """As the field of a request, and as that of a part, where UTF-8 may come, too."""
    rng = random.Random(seed)
    accepted = 0
    for _ in range(ROUNDS):
        value = rng.choice(("text/plain", "multipart/form-data", "a/b", "")) + text(rng, TYPE_PIECES, 5)
        value = value.strip(" \t")  # as the head was read
        if value:
            first, second = (media_type_of(reading, value) for reading in ALL_PARSERS.values())
            assert first == second, value
            accepted += not isinstance(first, str)
        part = (
            b"--b\r\n" + A + b"\r\nContent-Type: " + value.replace("é", "漢").encode() + b"\r\n\r\nv\r\n--b--"
        )
        assert forms_alike(part, [part])
    assert accepted > ROUNDS / 50


@pytest.mark.parametrize("reading", ALL_PARSERS)
def test_the_type_of_a_part_may_have_a_parameter_in_utf_8(reading: str) -> None:
    body = b"--b\r\n" + A + b"\r\nContent-Type: text/plain; x=" + '"漢"'.encode() + b"\r\n\r\nv\r\n--b--"
    form = read_form(ALL_PARSERS[reading], MULTIPART, [body])
    assert not isinstance(form, str)
    media_type = form[0].head.media_type
    assert media_type is not None
    assert media_type.essence == "text/plain"


def test_urlencoded_texts() -> None:
    rng = random.Random(0)
    accepted = 0
    for _ in range(ROUNDS):
        data = joined(rng, FORM_PIECES, 8)
        accepted += accepted_alike(data, lambda reading: pairs_of(reading, data))  # noqa: B023
        assert accepted_alike(data, lambda reading: reading.urlencoded(data, "iso-8859-1"))  # noqa: B023
    assert accepted > ROUNDS / 4


@EVERY_SEED
def test_heads(seed: int) -> None:
    """Field lines of all kinds, many of them at a limit, and the same code for what is refused."""
    rng = random.Random(seed)
    accepted = 0
    for _ in range(ROUNDS):
        head = some_head(rng)
        first, second = (read([head], SMALL) for read in READ_HEAD.values())
        assert first == second, head
        pieces = at_random(head, rng)
        assert [read(pieces, SMALL) for read in READ_HEAD.values()] == [first, first], pieces
        accepted += not isinstance(first, str)
    assert accepted > ROUNDS / 20


@EVERY_SEED
def test_chunked_bodies(seed: int) -> None:
    rng = random.Random(seed)
    accepted = 0
    for _ in range(ROUNDS):
        body = some_chunks(rng)
        pieces = at_random(body, rng)
        first, second = (decode_chunks(read, pieces, limits=SMALL) for read in DECHUNK.values())
        assert first == second, body
        accepted += not isinstance(first, str)
    assert accepted > ROUNDS / 20
