"""Digests of content (RFC 9530): those that a request carries are compared, those that it wants are sent.

In a request the representation is the content: a body that came whole, without chunks, and with its content
coding. So Content-Digest and Repr-Digest are digests of the same bytes. Fields in trailers are not read.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from ..storage.base import ReadableFile
from .parsers import Parsers
from .problems import Problem
from .request import RequestHead
from .request_files import Data

if TYPE_CHECKING:
    from hashlib import _Hash

ALGORITHMS: Final[Mapping[str, "Callable[[], _Hash]"]] = {
    "sha-512": hashlib.sha512,
    "sha-256": hashlib.sha256,
}
"""The active algorithms of RFC 9530 section 7.2. Of two that are wanted equally, the first one is sent."""

READ_AT_MOST: Final = 16 * 1024 * 1024
"""Bytes of the largest stored file that is read for a digest other than the one it is stored under."""

_FIELDS: Final = ("content-digest", "repr-digest")
_BLOCK: Final = 256 * 1024


def carries_digests(head: RequestHead) -> bool:
    """Whether a request promises a digest of its body, rightly written or not."""
    return any(field in head.fields for field in _FIELDS)


class BodyDigests:
    """The digests that a head promises for its body. Add the bytes of the body, then `check`."""

    def __init__(
        self,
        head: RequestHead,
        parsers: Parsers,
        *,
        hashes_all: bool,
        names: tuple[str, ...] = _FIELDS,
    ) -> None:
        """`hashes_all`: SHA-256 is computed here too, because nobody else does it for this kind of body.
        `names` are the fields that count.

        Raises Problem `digest_syntax`.
        """
        self._given = [
            (field, algorithm, digest)
            for field in names
            if (value := head.field(field)) is not None
            for algorithm, digest in _known(field, parsers.digests(value, field)).items()
        ]
        wanted = {algorithm for _, algorithm, _ in self._given}
        if not hashes_all:
            wanted.discard("sha-256")
        self._hashes = {algorithm: ALGORITHMS[algorithm]() for algorithm in wanted}

    @property
    def are_given(self) -> bool:
        """Whether there is anything to check."""
        return bool(self._given)

    def update(self, data: Data) -> None:
        """Add the next bytes, chunks removed."""
        for running in self._hashes.values():
            running.update(data)

    def check(self, sha256: str | None) -> None:
        """Compare all digests. `sha256` is that of the body, if it is known.

        Raises Problem `digest_mismatch`.
        """
        for field, algorithm, digest in self._given:
            running = self._hashes.get(algorithm)
            if running is not None:
                actual = running.digest()
            else:
                actual = bytes.fromhex(sha256) if sha256 is not None else hashlib.sha256().digest()
            if actual != digest:
                what = f"the body has another {algorithm} than {field} says: {_item(actual)}"
                raise Problem("digest_mismatch", what, rule="D1", field=field)


def _known(field: str, digests: Mapping[str, bytes]) -> dict[str, bytes]:
    """Those of known algorithms. Raises Problem `digest_syntax` if one has the wrong length."""
    known = {name: digest for name, digest in digests.items() if name in ALGORITHMS}
    for algorithm, digest in known.items():
        size = ALGORITHMS[algorithm]().digest_size
        if len(digest) != size:
            what = f"a {algorithm} has {size} bytes, and that of {field} has {len(digest)}"
            raise Problem("digest_syntax", what, rule="D4", field=field)
    return known


def wanted_digest(head: RequestHead, parsers: Parsers) -> str | None:
    """The algorithm that Want-Repr-Digest weighs most, "" if it accepts none, None without such a field.

    A malformed field is ignored (RFC 8941 section 4.2).
    """
    value = head.field("want-repr-digest")
    weights = None if value is None else parsers.digest_weights(value)
    if not weights:
        return None
    known = [algorithm for algorithm in ALGORITHMS if algorithm in weights]
    best = max(known, key=lambda algorithm: weights[algorithm], default=None)
    if best is not None and weights[best] > 0:
        return best
    return "" if weights.get("sha-256") == 0 else None


def repr_digest(algorithm: str, content: bytes) -> tuple[str, str]:
    """The field Repr-Digest for a body that is in memory."""
    running = ALGORITHMS[algorithm]()
    running.update(content)
    return "Repr-Digest", f"{algorithm}={_item(running.digest())}"


def repr_digest_of_file(wanted: str | None, sha256: str, file: ReadableFile) -> tuple[tuple[str, str], ...]:
    """The field Repr-Digest for a stored file, or none if the client accepts none. Raises OSError.

    The file is stored under its SHA-256. It has to be read for another digest, so a large one is not.
    """
    if wanted == "":
        return ()
    digest, algorithm = bytes.fromhex(sha256), "sha-256"
    if wanted not in (None, algorithm) and file.size <= READ_AT_MOST:
        assert wanted is not None
        algorithm, running = wanted, ALGORITHMS[wanted]()
        for offset in range(0, file.size, _BLOCK):
            running.update(file.read(offset, _BLOCK))
        digest = running.digest()
    return (("Repr-Digest", f"{algorithm}={_item(digest)}"),)


def _item(digest: bytes) -> str:
    """A byte sequence (RFC 8941 3.3.5)."""
    return f":{base64.b64encode(digest).decode('ascii')}:"
