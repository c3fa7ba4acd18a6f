"""A request under construction, and the productions that build it: each names the rules that it exercises.

A production is a few samples of bytes with placeholders; where its text goes is known to the table that it
stands in. A fault is a production for which every backend must refuse the request.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..comparison.cases import tier_of

Rng = random.Random

HOST = b"localhost:8000"
_PLACEHOLDER = re.compile(rb"@([@wtodnBS])")
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


@dataclass(frozen=True, slots=True)
class Production:
    """Samples of one construct. `tier`: of the backends that can keep its rules, as in the recorded cases."""

    rules: tuple[str, ...]
    samples: tuple[bytes, ...]
    tier: int
    fault: bool = False

    def text(self, rng: Rng, boundary: bytes = b"b") -> bytes:
        """One of its samples with the placeholders filled in."""
        return fill(rng.choice(self.samples), rng, boundary)


def valid(rules: str, *samples: bytes, tier: int = 0) -> Production:
    """A production that every backend accepts; `tier` when the rules' own does not fit these samples."""
    names = tuple(rules.split())
    return Production(names, samples, tier or tier_of(names, "a production"))


def fault(rules: str, *samples: bytes, tier: int = 0) -> Production:
    """A production for which every backend refuses the request."""
    names = tuple(rules.split())
    return Production(names, samples, tier or tier_of(names, "a production"), fault=True)


@dataclass(slots=True)
class Draft:
    """What a request will be made of. `lines` are the field lines as they stand on the wire, without Host,
    Content-Type and framing, which have places of their own; a place that is None sends nothing."""

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
        """Note that the production is part of this request; its text."""
        self.note(production)
        return production.text(rng, boundary)

    def note(self, production: Production) -> None:
        """Count the production's rules without its text."""
        self.tier = max(self.tier, production.tier)
        self.rules.update(production.rules)
        if production.fault:
            self.faults += 1
            self.fault_rules = production.rules

    def covers(self, rules: str, tier: int = 0) -> None:
        """Count rules that no table holds."""
        self.note(valid(rules, b"", tier=tier))

    def render(self, rng: Rng) -> bytes:
        """The bytes on the wire. The order of the fields is random; their grammar does not depend on it."""
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
    """One request of a run, the same for every backend; `seed` and `index` make it again.

    `cuts` are the offsets at which it is cut into segments. `rules` are those that it exercises if it is
    accepted, `fault_rules` those of its only fault. `alone`: it has no fault, or one production made it, so
    that a difference in the refusal's code has no excuse.
    """

    index: int
    data: bytes
    cuts: tuple[int, ...] = ()
    rules: frozenset[str] = frozenset()
    fault_rules: tuple[str, ...] = ()
    alone: bool = False
    tier: int = 2
    multipart: bool = False
    origin: str = "grammar"

    @property
    def pieces(self) -> list[bytes]:
        """The bytes, cut."""
        edges = [0, *self.cuts, len(self.data)]
        return [self.data[start:end] for start, end in itertools.pairwise(edges)]


def fill(sample: bytes, rng: Rng, boundary: bytes = b"b") -> bytes:
    """A sample with its placeholders replaced.

    `@w` a word, `@t` some text in UTF-8, `@o` some octets, `@d` data with line ends and dashes, `@n` a small
    number, `@B` the boundary, `@S` blanks or none, `@@` an at-sign.
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
        return b"@"

    return _PLACEHOLDER.sub(replacement, sample)


def some_data(rng: Rng, boundary: bytes) -> bytes:
    """Octets in which line ends, dashes and pieces of the boundary stand close together."""
    pieces: Sequence[bytes] = (
        *(b"\r", b"\n", b"\r\n", b"-", b"--", boundary, b"--" + boundary[:-1], boundary[:1], b" ", b"x"),
        *(b"data", b"\x00", b"\xff", b"\r\r\n", b"\n--" + boundary, b"--\r\n"),
    )
    data = b"".join(rng.choices(pieces, k=rng.randrange(12)))
    # Not a delimiter by chance, at the start neither, where the CRLF before it would be shared (M34).
    return (b"\r\n" + data).replace(b"\r\n--" + boundary, b"\r\n+" + boundary)[2:]
