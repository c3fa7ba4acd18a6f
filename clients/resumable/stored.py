"""What the last response of an upload tells of the stored file, compared with the file that was sent."""

import re
from urllib.parse import urljoin

from ..http1.errors import UploadFailed
from .file_upload import Uploaded
from .told_digest import check_told_sha256

# `/files/{sha256}` of a server with this contract, which the field Wireproof-Contract tells.
_NAMED_BY_HASH = re.compile(r"/files/([0-9a-f]{64})")


def stored_in_words(done: Uploaded) -> str:
    """One line: the file, its size, where it is, and what is known of it.

    Raises UploadFailed when the server tells another SHA-256 than that of the file.
    """
    facts = [f"{done.file.size} bytes"]
    if done.resumed_at:
        facts.append(f"went on at {done.resumed_at}")
    place = _place(done)
    if _is_verified(done, place):
        facts.append("SHA-256 verified")
    return f"{done.file.shown}: {', '.join(facts)}, {urljoin(done.url, place) if place else done.url}"


def _place(done: Uploaded) -> str | None:
    """Where the file is, as a description, or Content-Location (RFC 9110, section 8.7), says."""
    files = (done.response.json_object() or {}).get("files")
    if isinstance(files, list) and len(files) == 1 and isinstance(files[0], dict):
        href = files[0].get("href")
        if isinstance(href, str):
            return href
    return done.response.header("content-location")


def _is_verified(done: Uploaded, place: str | None) -> bool:
    sha256 = done.file.sha256()
    verified = check_told_sha256(done.response, sha256)
    named = _NAMED_BY_HASH.fullmatch(place or "")
    if named is None or done.response.header("wireproof-contract") is None:
        return verified
    if named[1] != sha256:
        raise UploadFailed(f"the server has stored other bytes: {place}, but the SHA-256 is {sha256}")
    return True
