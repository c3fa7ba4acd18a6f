"""The SHA-256 that a server tells of a file, to compare it with the file."""

import binascii
import hashlib
import re
from base64 import b64decode

from ..http1.errors import UploadFailed
from ..http1.response_parser import Response

WANTED = {"Want-Repr-Digest": "sha-256=10"}
"""Asks for it (RFC 9530, section 4)."""

# A dictionary whose values are byte sequences                             RFC 9530, section 3
_SHA256 = re.compile(r"(?:^|,)[ \t]*sha-256=:([A-Za-z0-9+/=]*):[ \t]*(?:;[^,]*)?(?:,|$)")
_SHA256_BYTES = 32


def told_sha256(response: Response) -> str | None:
    """The SHA-256 in Repr-Digest, in lower-case hexadecimal; None where the response does not tell it."""
    found = _SHA256.search(response.header("repr-digest") or "")
    try:
        digest = b64decode(found[1], validate=True) if found else b""
    except (binascii.Error, ValueError):
        return None
    return digest.hex() if len(digest) == _SHA256_BYTES else None


def check_told_sha256(response: Response, sha256: str) -> bool:
    """Whether the server tells the SHA-256 of the file. Raises UploadFailed if it tells another one.

    A response with a body of its own may tell the digest of that body (RFC 9530, section 3.1), which says
    nothing of the file.
    """
    told = told_sha256(response)
    if told is None or (response.body and told == hashlib.sha256(response.body).hexdigest()):
        return False
    if told != sha256:
        raise UploadFailed(
            f"the server has other bytes: their SHA-256 is {told}, but that of the file {sha256}"
        )
    return True
