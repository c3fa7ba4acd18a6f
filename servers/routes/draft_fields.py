"""The header fields of draft-ietf-httpbis-resumable-upload, as structured fields (RFC 9651).

The draft says of each field that any value but those of its type makes the field ignored (section "State").
"""

import re
from typing import Final

from ..contract.interim import Fields
from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import RequestHead

VERSIONS: Final = ("8", "9")
"""The interop versions that are accepted. 8 is that of the text that the comments cite."""

MEDIA_TYPE: Final = "application/partial-upload"
_PROBLEM_TYPE: Final = "https://iana.org/assignments/http-problem-types#"

# RFC 9651 4.2: blanks at the ends are no part of an item; parameters follow it. 3.3.1: 15 digits at most.
_PARAMETERS: Final = r"(?:; *[a-z*][a-z0-9_.*-]*(?:=[!-:<-~]+)?)*"
_INTEGER: Final = re.compile(rf" *([0-9]{{1,15}}){_PARAMETERS} *")
_BOOLEAN: Final = re.compile(rf" *\?([01]){_PARAMETERS} *")


def _match(item: re.Pattern[str], value: str | None) -> re.Match[str] | None:
    # Each request for an upload is asked for these fields, and few have them.
    return None if value is None else item.fullmatch(value)


def integer(head: RequestHead, name: str) -> int | None:
    """A field whose value is a number of bytes, or None if it is missing or has another value."""
    match = _match(_INTEGER, head.field(name))
    return None if match is None else int(match[1])


def is_complete(head: RequestHead) -> bool | None:
    """Upload-Complete, or None if it is missing or is not a Boolean (section "Completeness")."""
    match = _match(_BOOLEAN, head.field("upload-complete"))
    return None if match is None else match[1] == "1"


def version(head: RequestHead) -> str | None:
    """The interop version of the client if we know it (section "Draft Version Identification")."""
    match = _match(_INTEGER, head.field("upload-draft-interop-version"))
    return match[1] if match is not None and match[1] in VERSIONS else None


def length_of(head: RequestHead, offset: int) -> int | None:
    """The length of the upload, as far as this request says it (section "Length").

    `offset` is where its body begins. Raises Problem `upload_length` if it says two lengths.
    """
    given = integer(head, "upload-length")
    known = head.content_length is not None and not head.chunked
    from_content = offset + (head.content_length or 0) if is_complete(head) and known else None
    if given is not None and from_content is not None and given != from_content:
        raise inconsistent(f"Upload-Length says {given}, and the body ends at {from_content}")
    return from_content if given is None else given


def limits_of(limits: Limits, age: float = 0.0) -> Fields:
    """Upload-Limit (section "Limits"). `age` is the time since the last byte came, in seconds."""
    left = max(0, limits.resume_timeout - int(age))
    return (("Upload-Limit", f"max-size={limits.max_body}, max-age={left}"),)


def inconsistent(what: str) -> Problem:
    """Section "Inconsistent Length"."""
    members = {"type": f"{_PROBLEM_TYPE}inconsistent-upload-length"}
    return Problem("upload_length", what, rule="P7", field="upload-length", members=members)


def mismatching(expected: int, provided: int) -> Problem:
    """Section "Mismatching Offset"; section "Upload Append": 409 with the right offset."""
    return Problem(
        "upload_offset",
        f"the upload has {expected} bytes, and Upload-Offset says {provided}",
        headers=(("Upload-Offset", str(expected)), ("Upload-Complete", "?0")),
        rule="P5",
        field="upload-offset",
        members={
            "type": f"{_PROBLEM_TYPE}mismatching-upload-offset",
            "expected-offset": expected,
            "provided-offset": provided,
        },
    )


def completed() -> Problem:
    """Section "Completed Upload"."""
    what = "the upload is complete, and nothing can be appended"
    members = {"type": f"{_PROBLEM_TYPE}completed-upload"}
    return Problem(
        "upload_completed", what, headers=(("Upload-Complete", "?1"),), rule="P15", members=members
    )
