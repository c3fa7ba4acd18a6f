"""A request under construction, and the productions that build it. Each production names its rules.

A production is a few samples of bytes with placeholders. The table that holds it says where its text goes. A
fault is a production for which every backend must refuse the request.
"""

import itertools
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..comparison.cases import tier_of

Rng = random.Random

HOST = b"localhost:8000"
_PLACEHOLDER = re.compile(rb"@([@wtodnBScvzu])")
_WORDS = (b"a", b"b", b"name", b"file1", b"x-y", b"q", b"Z9", b"key", b"data.txt", b"_charset_", b"a.b", b"0")
_TEXTS = (
    "",
    "a",
    "value",
    "é",
    "文件",
    "naïve text",
    "😀",
    "1 2\t3",
    "x=y&z",
    '"quoted"',
    "a;b",
    "%41",
    "\ufeff",
)
_OCTETS = (
    b"\xff",
    b"\xe9",
    b"\x80\x81",
    b"\x00",
    b"\xc3",
    b"\xf0\x9f\x98",
    b"\r",
    b"\n",
    b"\x1a",
    b"PK\x03\x04",
)
_SEPARATORS = tuple(bytes([octet]) for octet in b'(),/:<=>?@[\\]{}"')
_VALUE_OCTETS = bytes((0x09, *range(0x20, 0x7F), *range(0x80, 0x100)))


@dataclass(frozen=True, slots=True)
class Production:
    """Samples of one construct. `own_tier` is 0 unless the tier of the rules does not fit these samples.

    `faults` is how many faults they have, at most: 1 for a fault, 2 for arbitrary octets.
    """

    rules: tuple[str, ...]
    samples: tuple[bytes, ...]
    own_tier: int = 0
    faults: int = 0

    @property
    def tier(self) -> int:
        """The tier of the backends that get it, as for the recorded cases. Reads the rules."""
        return self.own_tier or tier_of(self.rules, "a production")

    def text(self, rng: Rng, boundary: bytes = b"b") -> bytes:
        """One of its samples, with the placeholders replaced."""
        return fill(rng.choice(self.samples), rng, boundary)


def valid(rules: str, *samples: bytes, tier: int = 0) -> Production:
    """A production that every backend accepts; `tier` when that of the rules does not fit these samples."""
    return Production(tuple(rules.split()), samples, tier)


def fault(rules: str, *samples: bytes, tier: int = 0) -> Production:
    """A production for which every backend refuses the request."""
    return Production(tuple(rules.split()), samples, tier, faults=1)


def either(rules: str, *samples: bytes) -> Production:
    """A production that every backend accepts, or every backend refuses: it has arbitrary octets."""
    return Production(tuple(rules.split()), samples, faults=2)


@dataclass(slots=True)
class Draft:
    """The parts of a request.

    `lines` are the field lines as they stand on the wire. Host, Content-Type and framing have attributes of
    their own; None sends nothing.
    """

    before: bytes = b""
    method: bytes = b"POST"
    target: bytes = b"/"
    version: bytes = b"HTTP/1.1"
    request_line: bytes | None = None
    host: bytes | None = HOST
    lines: list[bytes] = field(default_factory=list)
    content_type: bytes | None = None
    framing: list[bytes] | None = None
    body: bytes = b""
    rest: bytes = b""
    rules: set[str] = field(default_factory=set)
    fault_rules: tuple[str, ...] = ()
    faults: int = 0
    tier: int = 1
    multipart: bool = False

    def use(self, production: Production, rng: Rng, boundary: bytes = b"b") -> bytes:
        """Count the production as part of this request, and return its text."""
        self.note(production)
        return production.text(rng, boundary)

    def note(self, production: Production) -> None:
        """Count the production's rules without its text."""
        self.tier = max(self.tier, production.tier)
        self.rules.update(production.rules)
        self.faults += production.faults
        if production.faults == 1:
            self.fault_rules = production.rules

    def covers(self, rules: str, tier: int = 0) -> None:
        """Count rules that no table holds."""
        self.note(valid(rules, b"", tier=tier))

    def render(self, rng: Rng) -> bytes:
        """The bytes on the wire, with the fields in a random order, on which no rule depends."""
        line = self.request_line
        if line is None:
            line = b"%s %s %s\r\n" % (self.method, self.target, self.version)
        fields = list(self.lines)
        if self.content_type is not None:
            fields.append(b"Content-Type: " + self.content_type)
        fields += self.framing if self.framing is not None else self._length()
        if self.host is not None:
            fields.append(b"Host: " + self.host)
        if rng.random() < 0.5:
            rng.shuffle(fields)
        else:
            fields.reverse()
        return b"".join(
            (self.before, line, *(one + b"\r\n" for one in fields), b"\r\n", self.body, self.rest)
        )

    def _length(self) -> list[bytes]:
        if self.body or self.method in (b"POST", b"PUT", b"PATCH"):
            return [b"Content-Length: %d" % len(self.body)]
        return []


Place = Callable[[Draft, Rng, Production], None]


@dataclass(frozen=True, slots=True)
class FuzzRequest:
    """One request of a run, the same for every backend. The seed of the run and `index` make it again.

    `splits` are the offsets between its segments. `rules` are those that it exercises if it is accepted,
    `fault_rules` those of its only fault. `alone`: it has at most one fault, so that every backend must
    refuse it with the same code.
    """

    index: int
    data: bytes
    splits: tuple[int, ...] = ()
    rules: frozenset[str] = frozenset()
    fault_rules: tuple[str, ...] = ()
    alone: bool = False
    tier: int = 2
    multipart: bool = False
    origin: str = "grammar"

    @property
    def pieces(self) -> list[bytes]:
        """The bytes, split."""
        edges = [0, *self.splits, len(self.data)]
        return [self.data[start:end] for start, end in itertools.pairwise(edges)]


def fill(sample: bytes, rng: Rng, boundary: bytes = b"b") -> bytes:
    """A sample with its placeholders replaced.

    `@w` a word, `@t` some text in UTF-8, `@o` some octets, `@d` data with line ends and dashes, `@n` a small
    number, `@B` the boundary, `@S` blanks or none, `@c` a character that ends no value and is not in
    a token, `@v` one to three octets that a field value may have, `@z` any octet, `@u` any character beyond
    ASCII in UTF-8, `@@` an at-sign.
    """
    if b"@" not in sample:
        return sample

    def replacement(match: re.Match[bytes]) -> bytes:
        kind = match[1]
        if kind == b"w":
            return rng.choice(_WORDS)
        if kind == b"t":
            return rng.choice(_TEXTS).encode()
        if kind == b"o":
            return rng.choice(_OCTETS)
        if kind == b"d":
            return some_data(rng, boundary)
        if kind == b"n":
            return b"%d" % rng.randrange(100)
        if kind == b"B":
            return boundary
        if kind == b"S":
            return rng.choice((b"", b" ", b"\t", b"  "))
        if kind == b"c":
            return rng.choice(_SEPARATORS)
        if kind == b"v":
            return bytes(rng.choices(_VALUE_OCTETS, k=rng.randint(1, 3)))
        if kind == b"z":
            return bytes([rng.randrange(256)])
        if kind == b"u":
            return chr(rng.choice((rng.randrange(0x80, 0x100), rng.randrange(0x100, 0xD800)))).encode()
        return b"@"

    return _PLACEHOLDER.sub(replacement, sample)


def some_data(rng: Rng, boundary: bytes) -> bytes:
    """Octets in which line ends, dashes and pieces of the boundary stand close together."""
    pieces: Sequence[bytes] = (
        *(b"\r", b"\n", b"\r\n", b"-", b"--", boundary, b"--" + boundary[:-1], boundary[:1], b" ", b"x"),
        *(b"data", b"\x00", b"\xff", b"\r\r\n", b"\n--" + boundary, b"--\r\n"),
    )
    data = b"".join(rng.choices(pieces, k=rng.randrange(12)))
    # No delimiter by chance. At the start the CRLF before the data would be part of it (M34).
    return (b"\r\n" + data).replace(b"\r\n--" + boundary, b"\r\n+" + boundary)[2:]
