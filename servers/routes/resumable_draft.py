"""Uploads that come in pieces, by the IETF's draft-ietf-httpbis-resumable-upload.

    POST, PUT /upload/, PUT /upload/{filename}    with Upload-Complete: creates an upload
    HEAD /resumable/{id}                          how many bytes it has, and whether it is complete
    PATCH /resumable/{id}                         appends the next bytes
    DELETE /resumable/{id}                        removes it

The upload is one file, as the body of `PUT /upload/{filename}` is. A request with Upload-Complete: ?1 asks
only that a plain upload can be resumed. So it is one if its body would be stored as one file, and for any
other type it stays what it is: text, JSON and forms are small or have parts.

Comments cite sections of the draft by their names.
"""

from dataclasses import replace
from typing import Final

from ..contract.appending import Appending
from ..contract.description import describe
from ..contract.interim import Fields
from ..contract.problems import Problem
from ..contract.request import MediaType, ParsedRequest, RequestHead
from ..contract.responses import DYNAMIC, Response, canonical_response
from ..contract.route import Context, Route
from ..storage.resumable import Known, ResumableUpload
from . import draft_fields as fields
from .tus_fields import MEDIA_TYPE as TUS_MEDIA_TYPE
from .upload_notes import Notes, take_over, with_file

_PARSED: Final = ("multipart/form-data", "application/x-www-form-urlencoded", "application/json")
_RAW_PATH: Final = r"/upload/[^/]+"


class _Piece(Appending):
    """A request with a piece of an upload."""

    def __init__(self, head: RequestHead, context: Context) -> None:
        # "Content Digests": a piece with another digest is not appended.
        super().__init__(head, context, checked=head.field("content-digest") is not None)
        self._version = fields.version(head)
        self._is_last = bool(fields.is_complete(head))

    def learn_length(self, upload: ResumableUpload) -> None:
        """ "Length": what several requests say must match. Raises Problem."""
        length = fields.length_of(self.head, upload.offset)
        if length is None or length == upload.known.length:
            return
        if upload.known.length is not None or length < upload.offset:
            raise fields.inconsistent(f"the length is {length} here, and was {upload.known.length}")
        if length > self.context.limits.max_body:
            raise self.too_large()
        upload.set_length(length)

    def too_large(self) -> Problem:
        """ "Limits": a 413 must include Upload-Limit, which the routes add."""
        what = f"an upload may have at most {self.context.limits.max_body} bytes"
        return Problem("body_too_large", what, rule="P3", field="upload-length")

    def too_long(self, length: int) -> Problem:
        """ "Upload Append": the upload must become invalid when its offset would exceed its length."""
        self.upload.remove()
        return fields.inconsistent(f"the upload has {length} bytes, and more were sent: it is removed")

    def tell(self, given: Fields) -> None:
        """Let the server send a 104, if the client knows this version of the draft."""
        if self._version is not None:
            self.interim = (*given, ("Upload-Draft-Interop-Version", self._version))

    def appended(self) -> None:
        """ "Upload Append": the server should tell the offset while the body comes."""
        if self._version is not None and self.progress_is_due:
            self.upload.sync()
            self.tell((("Upload-Offset", str(self.upload.offset)),))

    def respond(self, request: ParsedRequest, given: Fields, status: int) -> Response:
        """The whole body is appended. Raises Problem and OSError."""
        upload = self.upload
        if not self._is_last:
            upload.sync()
            return Response(
                status,
                (*DYNAMIC, *given, ("Upload-Offset", str(upload.offset)), ("Upload-Complete", "?0")),
            )
        if upload.known.length not in (None, upload.offset):
            upload.sync()
            raise fields.inconsistent(f"the upload has {upload.known.length} bytes, not {upload.offset}")
        stored = upload.finish()
        described = with_file(request, upload)
        response = canonical_response(describe(described))
        # "Upload Append": "the response MUST include the Upload-Complete header field with a true value".
        further = (("Upload-Complete", "?1"), ("Content-Location", f"/files/{stored.sha256}"))
        return replace(response, headers=(*response.headers, *further), stored=described.body.files)


class _Creation(_Piece):
    """A request that begins an upload ("Upload Creation")."""

    def __init__(self, head: RequestHead, media_type: MediaType | None, context: Context) -> None:
        if media_type is not None and media_type.is_form_data:
            what = "send the file alone, or the whole form without Upload-Complete: ?0"
            raise Problem("upload_media_type", what, rule="P12", field="content-type")
        super().__init__(head, context)
        self._media_type = media_type
        self._length = length = fields.length_of(head, 0)
        if length is not None and length > context.limits.max_body:
            raise self.too_large()
        if length is not None and (head.content_length or 0) > length:
            raise fields.inconsistent(f"the upload has {length} bytes, and the body has more")

    def open(self) -> ResumableUpload:
        store = self.context.store
        if store.keeps_free:
            store.require_room(self._length or 0)
        named = self.head.path.removeprefix("/upload").removeprefix("/")
        notes = Notes(self.head.last_segment if named else None, self.head.field("content-type") or None)
        return store.resumables.create(Known(self._length, notes.as_text()))

    def check_open(self) -> None:
        # "Upload Creation": a 104 must include Location, and Upload-Limit if there are limits.
        self.tell((*self._location(), *fields.limits_of(self.context.limits)))

    def abort(self) -> None:
        # If nobody was told its name, nobody could continue it.
        if self.has_upload and not self.was_told:
            self.remove()
        super().abort()

    def answer(self, request: ParsedRequest) -> Response:
        if self._is_last:
            request = replace(request, body=replace(request.body, media_type=self._media_type))
        return self.respond(request, () if self._is_last else self._location(), 201)

    def _location(self) -> Fields:
        return (("Location", f"/resumable/{self.upload.id}"),)


class _Append(_Piece):
    """PATCH ("Upload Append")."""

    def __init__(self, head: RequestHead, media_type: MediaType | None, context: Context) -> None:
        if media_type is None or media_type.essence != fields.MEDIA_TYPE:
            what = f"send the piece as {fields.MEDIA_TYPE}"
            raise Problem("upload_media_type", what, rule="P8", field="content-type")
        offset = fields.integer(head, "upload-offset")
        if offset is None:
            what = "Upload-Offset is missing or is not a number of bytes"
            raise Problem("upload_field", what, rule="P5", field="upload-offset")
        if fields.is_complete(head) is None:
            what = "Upload-Complete is missing or is not a Boolean: ?1 or ?0"
            raise Problem("upload_field", what, rule="P13", field="upload-complete")
        super().__init__(head, context)
        self._offset = offset

    def open(self) -> ResumableUpload:
        return take_over(self.context, self.head.last_segment)

    def check_open(self) -> None:
        upload = self.upload
        if upload.known.stored is not None:
            # "Upload Append": bytes behind a complete upload are an inconsistent length.
            if self.head.chunked or self.head.content_length:
                raise fields.inconsistent("the upload is complete, and more bytes were sent")
            raise fields.completed()
        if upload.offset != self._offset:
            raise fields.mismatching(upload.offset, self._offset)
        self.learn_length(upload)

    def answer(self, request: ParsedRequest) -> Response:
        return self.respond(request, (), 204)


class _Look(Appending):
    """HEAD ("Offset Retrieval")."""

    def __init__(self, head: RequestHead, _media_type: MediaType | None, context: Context) -> None:
        super().__init__(head, context, ignored=True)

    def open(self) -> ResumableUpload:
        return take_over(self.context, self.head.last_segment)

    def answer(self, _request: ParsedRequest) -> Response:
        upload, length = self.upload, self.upload.known.length
        upload.sync()
        stored = upload.known.stored
        given: Fields = (
            ("Upload-Offset", str(upload.offset)),
            ("Upload-Complete", "?0" if stored is None else "?1"),
            *fields.limits_of(self.context.limits, upload.age),
        )
        if length is not None:
            given = (*given, ("Upload-Length", str(length)))
        if stored is not None:
            # "Responses to Uploads": what the missed response would have said.
            given = (*given, ("Content-Location", f"/files/{stored.sha256}"))
        return Response(204, (*DYNAMIC, *given))


class _Removal(_Look):
    """DELETE ("Upload Cancellation")."""

    def answer(self, _request: ParsedRequest) -> Response:
        self.upload.remove()
        return Response(204, DYNAMIC)


_METHODS = {"PATCH": _Append, "HEAD": _Look, "DELETE": _Removal}


def _on_upload(head: RequestHead, media_type: MediaType | None, context: Context) -> Appending:
    return _METHODS[head.method](head, media_type, context)


def _begins(head: RequestHead) -> bool:
    """Whether a request to `/upload/` begins an upload that can be resumed."""
    complete = fields.is_complete(head)
    if complete is None or fields.version(head) is None or head.method not in ("POST", "PUT"):
        return False
    essence = (head.field("content-type") or "").partition(";")[0].strip(" \t").lower()
    if not complete:
        return True
    # A body with a digest is not appended before it is whole, so nothing of it could be resumed.
    if head.field("content-digest") is not None or head.field("repr-digest") is not None:
        return False
    return bool(essence) and not (
        essence in _PARSED or essence.startswith("text/") or essence.endswith("+json")
    )


def _begins_named(head: RequestHead) -> bool:
    """Whether a request to `/upload/{filename}` does."""
    if head.method != "PUT" or fields.version(head) is None:
        return False
    has_digest = head.field("content-digest") is not None or head.field("repr-digest") is not None
    complete = fields.is_complete(head)
    return complete is False or (complete is True and not has_digest)


def _is_draft(head: RequestHead) -> bool:
    """Whether a request for an upload is one of the draft, and not one of tus."""
    if head.field("tus-resumable") is not None or head.method not in _METHODS:
        return False
    essence = (head.field("content-type") or "").partition(";")[0].strip(" \t").lower()
    return essence != TUS_MEDIA_TYPE


def _answer(request: ParsedRequest, _context: Context) -> Response:
    assert request.appending is not None, "this route appends"
    return request.appending.finish(request)


CREATE_DRAFT = Route(
    "begin_upload",
    r"/upload/?",
    ("POST", "PUT"),
    _answer,
    body="stored",
    uses_store=True,
    uploads=True,
    shared=True,
    when=_begins,
    appends=_Creation,
    fields=fields.limits_of,
)
CREATE_NAMED_DRAFT = Route(
    "begin_named_upload",
    _RAW_PATH,
    ("PUT",),
    _answer,
    body="raw",
    uses_store=True,
    uploads=True,
    shared=True,
    when=_begins_named,
    appends=_Creation,
    fields=fields.limits_of,
)
APPEND_DRAFT = Route(
    "continue_upload",
    r"/resumable/[^/]+",
    ("DELETE", "HEAD", "PATCH"),
    _answer,
    uses_store=True,
    uploads=True,
    shared=True,
    when=_is_draft,
    appends=_on_upload,
    fields=fields.limits_of,
)
