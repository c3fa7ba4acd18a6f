"""Compares sizes and hashes in a response with what was sent: a status 200 alone proves nothing."""

from collections.abc import Iterator
from typing import Any

from .body import Body, Receipt
from .errors import UploadFailed
from .response_parser import Response

_SHOWN_DIFFERENCES = 10
# A value of the response may be of any length; a SHA-256 is shown whole.
_SHOWN_CHARACTERS = 80


class NotVerified(UploadFailed):
    """The `response` has a status 2xx, and it does not describe what was sent."""

    def __init__(self, why: str, response: Response) -> None:
        super().__init__(why)
        self.response = response


def verify_upload(response: Response, body: Body | None) -> None:
    """Compare the description in a 2xx response (contract section 3) with what was sent.

    A response with another status, or from another service, has no description and passes. Raises NotVerified
    with all that differs.
    """
    described = _description(response)
    if described is None:
        return
    receipt = body.receipt if body else Receipt(0, None)
    if receipt is None:
        raise NotVerified(f"{response.status} came before the whole body had been sent", response)
    differences = list(_differences(described, receipt))
    if differences:
        why = "; ".join(differences[:_SHOWN_DIFFERENCES])
        more = len(differences) - _SHOWN_DIFFERENCES
        why += f"; and {more} differences more" if more > 0 else ""
        raise NotVerified(f"the response does not describe what was sent: {why}", response)


def _description(response: Response) -> dict[str, Any] | None:
    if not (200 <= response.status < 300 and response.is_json and response.body):
        return None  # the response to HEAD has no body
    try:
        value = response.json()
    except ValueError:
        raise NotVerified("the response says that it is JSON, but it is not", response) from None
    is_description = isinstance(value, dict) and isinstance(value.get("body"), dict) and "files" in value
    return value if is_description else None


def _differences(described: dict[str, Any], receipt: Receipt) -> Iterator[str]:
    body, files = described["body"], described["files"]
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        yield "files is not a list of objects"
        return
    yield from _compare("body.size", body.get("size"), receipt.size)
    if body.get("sha256") is not None and receipt.sha256 is not None:
        yield from _compare("body.sha256", body["sha256"], receipt.sha256)
    if receipt.parts:
        yield from _compare_parts(files, receipt)
    elif body.get("kind") == "bytes":
        for position, file in enumerate(files):
            yield from _compare(f"files[{position}].size", file.get("size"), receipt.size)
            yield from _compare(f"files[{position}].sha256", file.get("sha256"), receipt.sha256)


def _compare_parts(files: list[dict[str, Any]], receipt: Receipt) -> Iterator[str]:
    """`index` is the position among all parts; every part with a file name must be among the files."""
    parts = dict(enumerate(receipt.parts))
    missing = {index for index, part in parts.items() if part.filename is not None}
    for position, file in enumerate(files):
        index = file.get("index")
        part = parts.get(index) if isinstance(index, int) else None
        if part is None:
            yield f"files[{position}] is not a part that was sent"
            continue
        missing.discard(index)
        yield from _compare(f"files[{position}].size", file.get("size"), part.size)
        yield from _compare(f"files[{position}].sha256", file.get("sha256"), part.sha256)
    for index in sorted(missing):
        yield f"the file {parts[index].filename!r} is missing"


def _compare(what: str, described: object, sent: object) -> Iterator[str]:
    if described != sent:
        yield f"{what} is {_shortened(str(described))}, but {sent} was sent"


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."
