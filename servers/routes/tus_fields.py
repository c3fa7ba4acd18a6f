"""The header fields of tus 1.0 (https://tus.io/protocols/resumable-upload), one function each.

A field that was sent twice is joined with a comma, so it is malformed where its value is a number.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..contract.problems import Problem
from ..contract.request import RequestHead

if TYPE_CHECKING:
    from hashlib import _Hash

VERSION: Final = "1.0.0"
EXTENSIONS: Final = (
    *("checksum", "creation", "creation-defer-length", "creation-with-upload"),
    *("expiration", "termination"),
)
MEDIA_TYPE: Final = "application/offset+octet-stream"

# tus, "Checksum": sha1 is required. The others are what its clients can compute.
CHECKSUMS: Final[dict[str, "Callable[[], _Hash]"]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
}

# tus: "a non-negative integer". More digits would not fit in 64 bits.
_NUMBER: Final = re.compile(r"[0-9]{1,18}")
# tus, "Upload-Metadata": a key has no space and no comma and should be ASCII; a value is Base64.
_PAIR: Final = re.compile(r"([!-+\--~]+)(?: ([A-Za-z0-9+/]*={0,2}))?")
_CHECKSUM: Final = re.compile(r"([a-z0-9-]+) ([A-Za-z0-9+/]+={0,2})")


def check_version(head: RequestHead) -> None:
    """Raise Problem `upload_version` unless the client speaks our version (tus, "Tus-Resumable")."""
    given = head.field("tus-resumable")
    if given != VERSION:
        what = "there is no Tus-Resumable" if given is None else "it is another version"
        raise Problem(
            "upload_version",
            f"{what}: send Tus-Resumable: {VERSION}",
            headers=(("Tus-Version", VERSION),),
            rule="P2",
            field="tus-resumable",
        )


def offset(head: RequestHead) -> int:
    """Upload-Offset, which must be there. Raises Problem `upload_field`."""
    given = _number(head, "upload-offset", "P5")
    if given is None:
        raise Problem("upload_field", "Upload-Offset is missing", rule="P5", field="upload-offset")
    return given


def length(head: RequestHead) -> int | None:
    """Upload-Length, or None without it. Raises Problem `upload_field`."""
    return _number(head, "upload-length", "P3")


def length_of_new(head: RequestHead) -> int | None:
    """The length of a new upload, None if it is told later (tus, "Creation"). Raises Problem `upload_field`.

    One of Upload-Length and Upload-Defer-Length must be there.
    """
    given, deferred = length(head), head.field("upload-defer-length")
    if deferred not in (None, "1"):
        what = "Upload-Defer-Length is 1 or missing"
        raise Problem("upload_field", what, rule="P3", field="upload-defer-length")
    if (given is None) == (deferred is None):
        what = "send either Upload-Length or Upload-Defer-Length: 1"
        raise Problem("upload_field", what, rule="P3", field="upload-length")
    return given


def metadata(head: RequestHead) -> dict[str, bytes]:
    """The pairs of Upload-Metadata. Raises Problem `upload_field` if it is malformed (tus, "Creation")."""
    pairs: dict[str, bytes] = {}
    text = head.field("upload-metadata") or ""
    for entry in text.split(",") if text else ():
        match = _PAIR.fullmatch(entry.strip(" \t"))
        if match is None:
            raise _bad_metadata("an entry is not KEY or KEY BASE64")
        if match[1] in pairs:
            raise _bad_metadata("a key is there twice")
        pairs[match[1]] = _decoded(match[2] or "")
    return pairs


def text_of(pairs: dict[str, bytes], *keys: str) -> str | None:
    """The first of these entries that is there and is UTF-8 without control characters."""
    for key in keys:
        try:
            text = pairs.get(key, b"").decode("utf-8")
        except UnicodeDecodeError:
            continue
        if text and text.isprintable():
            return text
    return None


def checksum(head: RequestHead) -> "tuple[_Hash, bytes] | None":
    """The algorithm and the value of Upload-Checksum, or None without it (tus, "Checksum").

    Raises Problem `upload_field` for an algorithm that is not known, and for a malformed value.
    """
    text = head.field("upload-checksum")
    if text is None:
        return None
    match = _CHECKSUM.fullmatch(text)
    algorithm = CHECKSUMS.get(match[1]) if match else None
    if match is None or algorithm is None:
        what = f"Upload-Checksum is an algorithm ({', '.join(CHECKSUMS)}), a space and Base64"
        raise Problem("upload_field", what, rule="P6", field="upload-checksum")
    running = algorithm()
    try:
        value = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        value = b""
    if len(value) != running.digest_size:
        what = f"the value of Upload-Checksum is not a {match[1]} in Base64"
        raise Problem("upload_field", what, rule="P6", field="upload-checksum")
    return running, value


def _number(head: RequestHead, name: str, rule: str) -> int | None:
    text = head.field(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise Problem("upload_field", f"{name} is not a number of bytes", rule=rule, field=name)
    return int(text)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise _bad_metadata("a value is not Base64") from None


def _bad_metadata(what: str) -> Problem:
    return Problem("upload_field", f"Upload-Metadata: {what}", rule="P4", field="upload-metadata")
