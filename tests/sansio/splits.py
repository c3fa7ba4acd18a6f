"""Ways to split bytes into reads. No result may depend on them (M89)."""

import itertools
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

SEGMENT = 64 * 1024


def two_way(data: bytes) -> Iterator[list[bytes]]:
    """Every split into two reads, none of them empty."""
    for at in range(1, len(data)):
        yield [data[:at], data[at:]]


def bytewise(data: bytes) -> list[bytes]:
    """One byte in each read."""
    return [data[at : at + 1] for at in range(len(data))]


def at_random(data: bytes, rng: random.Random, most: int = 12) -> list[bytes]:
    """Up to `most` pieces. Half of the splits are close to a line end."""
    if len(data) < 2:
        return [data]
    line_ends = [match.start() for match in re.finditer(b"\n", data)]
    splits = set()
    for _ in range(rng.randint(1, most - 1)):
        near = rng.choice(line_ends) if line_ends and rng.random() < 0.5 else rng.randrange(len(data))
        splits.add(min(max(near + rng.randint(-3, 3), 1), len(data) - 1))
    edges = [0, *sorted(splits), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def by_size(data: bytes, size: int) -> list[bytes]:
    """Reads of `size` bytes, as from a full socket buffer."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def samples(data: bytes, name: str, *, random_ones: int, bytewise_up_to: int) -> Iterator[list[bytes]]:
    """Random splits that follow from `name`, and one into single bytes, or into small reads of long data."""
    rng = random.Random(name)
    for _ in range(random_ones):
        yield at_random(data, rng)
    yield bytewise(data) if len(data) <= bytewise_up_to else by_size(data, 1021)


def by_sizes(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    """Reads of these sizes and one of the rest, without empty ones."""
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [piece for piece in (*pieces, data) if piece]


def source_of(pieces: Sequence[bytes]) -> Callable[[int], bytes]:
    """A function like `recv`: at most `size` bytes of one piece, b"" at the end."""
    stock = list(reversed(pieces))

    def source(size: int) -> bytes:
        data = stock.pop() if stock else b""
        if len(data) > size:
            stock.append(data[size:])
        return data[:size]

    return source
