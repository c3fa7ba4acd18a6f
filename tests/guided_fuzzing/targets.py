"""What is fuzzed. Each target gives both readings one input, and says which results must be equal.

The first byte of an input chooses the split, and the lowest bits of the second one the mode: `0` is the usual
one. The rest is what the parsers read.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from servers.contract.limits import Limits
from servers.contract.remembered import KnownHeads
from servers.contract.request import RequestHead
from servers.flask_reading.wire_head import KnownHead
from servers.sansio.connection import HeadReceived
from tests.head_lines import SMALL
from tests.parsers import (
    ALL_PARSERS,
    DECHUNK,
    LIMITS,
    decode_chunks,
    parse_form,
    sized_head_of_flask,
    sized_head_of_sansio,
)
from tests.sansio.splits import by_size

CONTROL_BYTES = 2
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SMALL_LIMITS, _OTHER = 1, 2  # the bits of the mode
_SMALL_PARTS = Limits(max_part_headers=80, max_part_fields=3)

Results = Mapping[str, object]
"""Results that must be equal, by what they are results of."""


@dataclass(frozen=True, slots=True, eq=False)
class Raised:
    """An exception that is no Problem. It equals no other result."""

    error: str


class Disagreement(Exception):
    """Two results differ that must be equal, or a parser raised something else than a Problem."""

    def __init__(self, results: Results) -> None:
        super().__init__("\n".join(f"{name}: {result!r}" for name, result in results.items()))
        self.results = results


@dataclass(frozen=True)
class Target:
    """`compare` gives groups of results; those of one group must be equal.

    `words` are what inputs consist of, for the engine.
    """

    name: str
    compare: Callable[[bytes], Iterator[Results]]
    words: Sequence[bytes] = field(repr=False)

    def outcomes(self, data: bytes) -> list[object]:
        """The results of the first group, which are equal. Raises Disagreement."""
        first: list[object] = []
        for results in self.compare(data) if len(data) >= CONTROL_BYTES else ():
            values = list(results.values())
            if any(isinstance(value, Raised) or value != values[0] for value in values):
                raise Disagreement(results)
            first = first or values
        return first


def _read(read: Callable[[], object]) -> object:
    try:
        return read()
    except Exception as error:
        return Raised(f"{type(error).__name__}: {error}")


def _pieces(data: bytes, choice: int) -> list[bytes]:
    """Reads of one size if `choice` is odd; else two, of which the first or the second is short."""
    number, is_odd = divmod(choice, 2)
    if is_odd:
        return by_size(data, number + 1)
    at = number + 1 if number < 64 else max(0, len(data) - number + 63)
    return [piece for piece in (data[:at], data[at:]) if piece]


def _heads(data: bytes) -> Iterator[Results]:
    """The head and its size. A head that was read before gives the same again, whatever comes behind it."""
    limits = SMALL if data[1] & _SMALL_LIMITS else LIMITS
    whole, split = [data[CONTROL_BYTES:]], _pieces(data[CONTROL_BYTES:], data[0])
    known_to_sansio: KnownHeads[HeadReceived] = KnownHeads()
    known_to_flask: KnownHeads[KnownHead] = KnownHeads()
    yield {
        "sansio": _read(lambda: sized_head_of_sansio(whole, limits, known_to_sansio)),
        "flask": _read(lambda: sized_head_of_flask(whole, limits, known_to_flask)),
        f"sansio, split {data[0]}": _read(lambda: sized_head_of_sansio(split, limits)),
        f"flask, split {data[0]}": _read(lambda: sized_head_of_flask(split, limits)),
        "sansio, remembered": _read(lambda: sized_head_of_sansio(whole, limits, known_to_sansio)),
        "flask, remembered": _read(lambda: sized_head_of_flask(whole, limits, known_to_flask)),
        "sansio, remembered and split": _read(lambda: sized_head_of_sansio(split, limits, known_to_sansio)),
        "flask, remembered and split": _read(lambda: sized_head_of_flask(split, limits, known_to_flask)),
    }


def _chunks(data: bytes) -> Iterator[Results]:
    limits = SMALL if data[1] & _SMALL_LIMITS else LIMITS
    has_type = bool(data[1] & _OTHER)
    ways = {"": [data[CONTROL_BYTES:]], f", split {data[0]}": _pieces(data[CONTROL_BYTES:], data[0])}

    def decoded(reading: str, pieces: Sequence[bytes]) -> object:
        pieces = [piece for piece in pieces if piece]  # an empty one is the end of the connection
        return _read(
            lambda: decode_chunks(DECHUNK[reading], pieces, has_content_type=has_type, limits=limits)
        )

    yield {f"{reading}{way}": decoded(reading, pieces) for way, pieces in ways.items() for reading in DECHUNK}


def _multipart(data: bytes) -> Iterator[Results]:
    """Two faults in one body have no order, so the codes of the two readings are not compared."""
    limits = _SMALL_PARTS if data[1] & _SMALL_LIMITS else LIMITS
    media_type, body = "multipart/form-data; boundary=b", data[CONTROL_BYTES:]
    if data[1] & _OTHER:
        line, _, body = body.partition(b"\r\n")
        media_type = line.decode("iso-8859-1").strip(" \t")
        if not media_type or _CONTROLS.search(media_type):
            return  # the head has refused it
    split = _pieces(body, data[0])
    forms: dict[str, object] = {}
    for name, parsers in ALL_PARSERS.items():
        whole = _read(lambda: parse_form(parsers, media_type, [body], limits))  # noqa: B023
        cut = _read(lambda: parse_form(parsers, media_type, split, limits))  # noqa: B023
        forms[name] = whole
        if isinstance(whole, tuple) and whole[1] is not None:
            forms[name] = "refused"
        yield {name: whole, f"{name}, split {data[0]}": cut}
    yield forms


def kind_of(outcome: object) -> str:
    """The code of a refusal, or that the input is accepted. Only the code is worth an input of its own."""
    result = outcome[-1] if isinstance(outcome, tuple) and isinstance(outcome[-1], str) else outcome
    if isinstance(result, tuple) and not isinstance(result[0], RequestHead):
        result = result[0]
    return result if isinstance(result, str) else "accepted"


_FIELDS = (
    *(b"Host: h\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n"),
    *(b"Content-Type: ", b"Cookie: ", b"Authorization: Basic dTpw", b"Authorization: Bearer ", b"X_A: "),
    *(b"Connection: close", b"Range: ", b"Accept: ", b"Origin: ", b"TE: ", b"Trailer: "),
)
_OCTETS = (b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b"\t", b"\x00", b"\xff", b"\xc3\xa9", b":", b";", b'"')
TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target(
            "heads",
            _heads,
            (
                *_OCTETS,
                *_FIELDS,
                *(b"GET / HTTP/1.1\r\n", b"POST ", b"CONNECT h:80", b"OPTIONS * ", b" HTTP/1.0\r\n"),
                *(
                    b"http://h/",
                    b"https://",
                    b"?a=b&c",
                    b"%2f",
                    b"%c3%a9",
                    b"[::1]:8",
                    b"//",
                    b"/../",
                    b"gzip, ",
                ),
            ),
        ),
        Target(
            "chunks",
            _chunks,
            (*_OCTETS, *_FIELDS, b"0\r\n\r\n", b"5\r\nhello\r\n", b";a=b", b'="\\"', b"0" * 16, b"ffffffff"),
        ),
        Target(
            "multipart",
            _multipart,
            (
                *_OCTETS,
                *(b"--b\r\n", b"\r\n--b\r\n", b"\r\n--b--", b"--b", b"; boundary=b", b"; charset=utf-8"),
                *(
                    b"multipart/form-data",
                    b"Content-Disposition: form-data",
                    b'; name="a"',
                    b'; filename="f"',
                ),
                *(b"; filename*=UTF-8''%c3%a9", b"; name*=", b"iso-8859-1'en'", b"Content-Type: text/plain"),
                *(b"Content-Transfer-Encoding: binary", b"_charset_", b"%22", b"\\", b"\r\n "),
            ),
        ),
    )
}
