"""The IETF's Resumable Uploads for HTTP (draft-ietf-httpbis-resumable-upload).

An upload is made "carefully", by a request without content: then its URL is known before the first byte is
sent, whether or not the server and all proxies pass interim responses on (section "Careful Upload Creation").
"""

import re
from urllib.parse import quote

from ..http1.encode import as_utf8
from ..http1.errors import BadResponse
from ..http1.request import OnBlock
from ..http1.response_parser import Response
from .protocol import Limits, ResumableProtocol, Upload, known, offset_in
from .requester import FieldValues, Refused
from .sent_file import SentFile

MEDIA_TYPE = "application/partial-upload"
# Section "Draft Version Identification". Servers look at it only before they send 104, which is not needed.
INTEROP_VERSION = "8"
_VERSION_FIELD: FieldValues = {"Upload-Draft-Interop-Version": INTEROP_VERSION}
_COMPLETE, _INCOMPLETE = "?1", "?0"
_MEMBER = re.compile(r"([a-z*][a-z0-9_.*-]*)(?:=(-?[0-9]{1,15}|[^\",;]*))?(?:;[^\",]*)?")
# attr-char of RFC 8187, section 3.2.1, without letters, digits and the four that `quote` never encodes.
_ATTR_CHARS = "!#$&+^`|"
_NOT_PLAIN = re.compile(r'[^ -~]|["%/\\]')


class Draft(ResumableProtocol):
    """The draft. The client says which request completes an upload."""

    name = "draft"
    title = "the IETF's draft of resumable uploads"

    def create(self, file: SentFile) -> Upload:
        """A POST without content (section "Upload Creation"). An empty file is complete with it."""
        empty = file.size == 0
        fields = {
            **_VERSION_FIELD,
            "Upload-Complete": _COMPLETE if empty else _INCOMPLETE,
            "Upload-Length": str(file.size),
            "Content-Type": "application/octet-stream",
            "Content-Disposition": _disposition(file.name),
        }
        endpoint = self.requester.endpoint
        body = file.piece(0, 0) if empty else None
        response = self.requester.request("POST", endpoint, fields, body)
        if not 200 <= response.status < 300:
            raise Refused(response)
        url = endpoint if empty else self.requester.resolve(response)
        return Upload(url, 0, empty, response, limits_in(response))

    def find(self, url: str, file: SentFile) -> Upload:
        """HEAD (section "Offset Retrieval")."""
        response = known(self.requester.request("HEAD", url, _VERSION_FIELD))
        complete = _is_complete(response)
        if complete is None:
            raise BadResponse("the server does not tell whether the upload is complete: no Upload-Complete")
        return Upload(url, offset_in(response, file.size), complete, response, limits_in(response))

    def append(self, upload: Upload, end: int, file: SentFile, on_block: OnBlock) -> Upload:
        """PATCH (section "Upload Append"). A final response that says `Upload-Complete: ?1` is the last one.

        Its status is then that of the processing of the file, and another try would not change it.
        """
        last = end == file.size
        fields = {
            **_VERSION_FIELD,
            "Upload-Complete": _COMPLETE if last else _INCOMPLETE,
            "Upload-Offset": str(upload.offset),
            "Content-Type": MEDIA_TYPE,
        }
        piece = file.piece(upload.offset, end)
        response = self.requester.request("PATCH", upload.url, fields, piece, on_block)
        complete = _is_complete(response)
        if complete and response.status >= 300:
            raise Refused(response, transient=False)
        known(response)
        if complete is None and last:  # the field is a MUST; without it HEAD has to tell
            return self.find(upload.url, file)
        limits = limits_in(response).narrowed(upload.limits)
        return Upload(upload.url, end, bool(complete), response, limits)


def speaks_draft(response: Response) -> bool:
    """Whether the answer to OPTIONS says that uploads can be made there (section "Limits")."""
    accepted = (response.header("accept-patch") or "").split(",")
    return MEDIA_TYPE in {item.partition(";")[0].strip(" \t").lower() for item in accepted}


def limits_in(response: Response) -> Limits:
    """The limits in Upload-Limit, a dictionary of integers (RFC 9651, section 3.2).

    A field that cannot be read, or has another value for a known key, is ignored as a whole.
    """
    value = response.header("upload-limit")
    if value is None:
        return Limits()
    found = {}
    for item in value.split(","):
        member = _MEMBER.fullmatch(item.strip(" \t"))
        if member is None:
            return Limits()
        found[member[1]] = member[2] or ""
    known_values = [found.get(key) for key in ("max-size", "max-append-size")]
    if any(each is not None and not (each.isascii() and each.isdigit()) for each in known_values):
        return Limits()
    max_size, max_append = (None if each is None else int(each) for each in known_values)
    return Limits(max_size, max_append or None)


def _is_complete(response: Response) -> bool | None:
    """Upload-Complete, a boolean; None without one and for anything else."""
    return {_COMPLETE: True, _INCOMPLETE: False}.get(response.header("upload-complete") or "")


def _disposition(name: str) -> str:
    """Both forms of a file name (RFC 6266, section 4.3); the draft recommends the type `inline`."""
    plain = _NOT_PLAIN.sub("_", name)
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(as_utf8(name), safe=_ATTR_CHARS)}"
