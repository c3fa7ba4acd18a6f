"""Faults that an upload endpoint may have, as changes of what it has read, and where compare must show them.

`express_app.js` has the same faults by the same names.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from clients.assessment.groups import Group, Kind

_LINE_ENDS = "Line ends other than CRLF are accepted in a form."
FAULTS: Mapping[str, tuple[Group, str]] = {
    "the last field is dropped": (Group.SILENT_LOSS, Kind.FIELD_MISSING),
    "only the last value of a name is kept": (Group.SILENT_LOSS, Kind.REPEATED_MISSING),
    "values are stripped": (Group.SILENT_LOSS, Kind.VALUE_CHANGED),
    "filenames are mangled": (Group.SILENT_LOSS, Kind.FILENAME_CHANGED),
    "the type of a part is lost": (Group.SILENT_LOSS, Kind.TYPE_CHANGED),
    "the last byte of a file is cut": (Group.SILENT_LOSS, Kind.BYTES_CHANGED),
    "a byte is added to a file": (Group.SILENT_LOSS, Kind.BYTES_ADDED),
    "empty files are dropped": (Group.SILENT_LOSS, Kind.FILE_MISSING),
    "a malformed form is an empty form": (Group.SILENT_LOSS, Kind.EMPTY_FORM),
    "a truncated body is an error of the server": (Group.CRASH, Kind.SERVER_ERROR),
    "LF is accepted as a line end": (Group.READ_DIFFERENTLY, _LINE_ENDS),
    "filename* is refused": (Group.REFUSES_CLIENTS, Kind.REFUSED),
}
"""By name: the group and the kind of its findings."""

Field = tuple[str, str]
File = tuple[str, str | None, str | None, bytes]
"""Name, filename, type, bytes."""


def body_with(fault: str, body: bytes) -> bytes:
    """The body that is parsed."""
    if fault == "LF is accepted as a line end":
        return body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return body


def status_with(fault: str, body: bytes) -> int:
    """The status for this body."""
    if fault == "a truncated body is an error of the server" and not body.rstrip().endswith(b"--"):
        return 500
    return 400 if fault == "filename* is refused" and b"filename*" in body else 200


def answer_with(fault: str, fields: Sequence[Field], files: Sequence[File]) -> dict[str, Any]:
    """The answer to a form."""
    if fault == "the last field is dropped":
        fields = fields[:-1]
    if fault == "only the last value of a name is kept":
        fields = list(dict(fields).items())
    if fault == "values are stripped":
        fields = [(name, value.strip()) for name, value in fields]
    if fault == "empty files are dropped":
        files = [file for file in files if file[3]]
    return {
        "form": [{"name": name, "value": value} for name, value in fields],
        "files": [_told(fault, *file) for file in files],
    }


def _told(fault: str, name: str, filename: str | None, media_type: str | None, data: bytes) -> dict[str, Any]:
    if fault == "filenames are mangled":
        filename = (filename or "").upper().replace(" ", "_")
    if fault == "the type of a part is lost":
        media_type = "application/octet-stream"
    if fault == "the last byte of a file is cut":
        data = data[:-1]
    if fault == "a byte is added to a file":
        data += b"\r"
    digest = sha256(data).hexdigest()
    return {
        "name": name,
        "filename": filename,
        "content_type": media_type,
        "size": len(data),
        "sha256": digest,
    }
