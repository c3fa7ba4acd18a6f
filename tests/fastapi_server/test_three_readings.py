"""Three parsers that share no line read the same bytes alike: generated bodies and values, in random cuts.

What one of them accepts all must accept, with the same result. Two faults have no order, so that codes are
not compared here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

pytest.importorskip("python_multipart", reason="without the extra 'fastapi' its reading is NOT tested")

from servers.contract.parsers import Parsers
from servers.contract.request import MediaType
from servers.fastapi_reading import PythonMultipartReading
from servers.flask_reading import WerkzeugParsers
from servers.sansio.parsers import SansIoParsers
from tests.fastapi_reading.reading_of import LIMITS, outcome, parts_of
from tests.sansio.splits import at_random, bytewise

ALL_PARSERS: Sequence[Parsers] = (PythonMultipartReading(), WerkzeugParsers(), SansIoParsers())
ROUNDS = 1500
A = b'Content-Disposition: form-data; name="a"'

BODY_PIECES = (
    *(
        b"\r\n",
        b"\r",
        b"\n",
        b"-",
        b"--",
        b"--b",
        b"--b--",
        b"\r\n--b\r\n",
        b"\r\n--b--",
        b"\r\n--b",
        b"x",
        b" ",
    ),
    *(b"\t", b" " * 64, b":", b"\x00", b"\xff", A, A + b"\r\n\r\n", b"\r\n--b\r\n" + A + b"\r\n\r\n"),
    *(
        b"\r\n--b \t\r\n" + A + b'; filename="f"\r\nContent-Type: a/b\r\n\r\n',
        b"\r\n--b\r\n" + A + b"\r\n x: y",
    ),
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
        ",",
    ),
    *("charset=", "boundary=", "x=y", "/", 'boundary="a b"', "boundary=b", "boundary*=", ":", "utf-8", '"q"'),
)
FORM_PIECES = (
    b"a",
    b"=",
    b"&",
    b"+",
    b"%41",
    b"%zz",
    b"%",
    b"%c3",
    b"\xa9",
    b"\xc3\xa9",
    b";",
    b"%26",
    b"\x00",
)


def joined(rng: random.Random, pieces: Sequence[bytes], most: int) -> bytes:
    return b"".join(rng.choice(pieces) for _ in range(rng.randint(0, most)))


def text(rng: random.Random, pieces: Sequence[str], most: int) -> str:
    return "".join(rng.choice(pieces) for _ in range(rng.randint(1, most)))


def body(rng: random.Random) -> bytes:
    begin = rng.choice((b"", b"--b\r\n", b"--b\r\n" + A + b"\r\n\r\n", b"--b\r\n" + A + b"\r\n\r\n"))
    return begin + joined(rng, BODY_PIECES, 10) + rng.choice((b"", b"\r\n--b--", b"\r\n--b--\r\n"))


def accepted_alike(read: Callable[[Parsers], object], given: object) -> bool:
    """Whether `given` was accepted, which all readings must agree on; a code is a str."""
    results = [outcome(read, reading) for reading in ALL_PARSERS]
    accepted = [result for result in results if not isinstance(result, str)]
    assert accepted in ([], [results[0]] * len(ALL_PARSERS)), f"{given!r}: {results}"
    return bool(accepted)


def media_type_of(reading: Parsers, value: str) -> MediaType:
    media_type = reading.content_type(value)
    if media_type.is_form_data:
        reading.multipart(media_type, LIMITS)
    return media_type


@pytest.mark.parametrize("seed", range(4))
def test_multipart_bodies(seed: int) -> None:
    rng = random.Random(seed)
    accepted = 0
    for _ in range(ROUNDS):
        given = body(rng)
        cuts = rng.choice(([given], bytewise(given), at_random(given, rng)))
        accepted += accepted_alike(lambda reading: parts_of(cuts, reading=reading), given)  # noqa: B023
    assert accepted > ROUNDS / 10


@pytest.mark.parametrize("seed", range(4))
def test_content_dispositions(seed: int) -> None:
    rng = random.Random(seed)
    accepted = 0
    for _ in range(ROUNDS):
        value = "form-data; " + text(rng, DISPOSITION_PIECES, 5)
        disposition = value.encode(rng.choice(("utf-8", "iso-8859-1")))
        given = b"--b\r\nContent-Disposition: " + disposition + b"\r\n\r\nv\r\n--b--"
        accepted += accepted_alike(lambda reading: parts_of([given], reading=reading), given)  # noqa: B023
    assert accepted > ROUNDS / 50


@pytest.mark.parametrize("seed", range(4))
def test_media_types(seed: int) -> None:
    rng = random.Random(seed)
    accepted = 0
    for _ in range(ROUNDS):
        value = rng.choice(("text/plain", "multipart/form-data", "a/b", "")) + text(rng, TYPE_PIECES, 5)
        value = value.strip(" \t")  # as the head was read
        if value:
            accepted += accepted_alike(lambda reading: media_type_of(reading, value), value)  # noqa: B023
    assert accepted > ROUNDS / 50


def test_urlencoded_texts() -> None:
    rng = random.Random(0)
    accepted = 0
    for _ in range(ROUNDS):
        given = joined(rng, FORM_PIECES, 8)
        accepted += accepted_alike(lambda reading: reading.urlencoded(given, "utf-8"), given)  # noqa: B023
        assert accepted_alike(lambda reading: reading.urlencoded(given, "iso-8859-1"), given)  # noqa: B023
    assert accepted > ROUNDS / 4
