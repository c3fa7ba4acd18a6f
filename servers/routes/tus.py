"""Uploads that come in pieces, by tus 1.0 (https://tus.io/protocols/resumable-upload).

    POST /resumable/         creates an upload (creation, creation-defer-length, creation-with-upload)
    HEAD /resumable/{id}     how many bytes it has
    PATCH /resumable/{id}    appends the next bytes (core, checksum)
    DELETE /resumable/{id}   removes it (termination)
    GET /resumable/{id}      describes it, as `/upload/` describes its files; this is no part of tus

An upload is complete when it has all of its bytes. It is published then, before its offset is told. If the
server was killed just before that, the next request of any kind publishes it.
"""

from dataclasses import replace

from ..contract.appending import Appending, too_long
from ..contract.description import describe
from ..contract.interim import Fields
from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import MediaType, ParsedRequest, RequestHead
from ..contract.request_files import Data
from ..contract.responses import DYNAMIC, Response, canonical_response
from ..contract.route import Context, Route
from ..storage.resumable import Known, ResumableUpload
from . import tus_fields as fields
from .upload_notes import Notes, expiry, file_of, take_over, with_file

# tus: "The Tus-Resumable header MUST be included in every request and response".
_ALWAYS: Fields = (("Tus-Resumable", fields.VERSION),)


class _Piece(Appending):
    """A request whose body is a piece of an upload."""

    def __init__(self, head: RequestHead, media_type: MediaType | None, context: Context) -> None:
        self._checksum = fields.checksum(head)
        super().__init__(head, context, checked=_is_checked(head))
        # tus, PATCH: "All PATCH requests MUST use Content-Type: application/offset+octet-stream". Creation
        # With Upload says the same of a POST with a body.
        has_body = head.chunked or bool(head.content_length)
        if (media_type is None or media_type.essence != fields.MEDIA_TYPE) and (
            has_body or head.method == "PATCH"
        ):
            what = f"send the piece as {fields.MEDIA_TYPE}"
            raise Problem("upload_media_type", what, rule="P8", field="content-type")

    def write(self, data: Data) -> None:
        if self._checksum is not None:
            self._checksum[0].update(data)
        super().write(data)

    def check_whole(self) -> None:
        """tus, Checksum: "the uploaded chunk MUST be discarded, and the upload and its offset MUST NOT be
        updated".
        """
        if self._checksum is not None and self._checksum[0].digest() != self._checksum[1]:
            what = "the piece has another checksum, and nothing of it was kept"
            raise Problem("upload_checksum", what, rule="P6", field="upload-checksum")


class _Creation(_Piece):
    """POST to the route that creates uploads."""

    def __init__(self, head: RequestHead, media_type: MediaType | None, context: Context) -> None:
        fields.check_version(head)
        if head.field("upload-concat") is not None:
            what = "the extension concatenation is not supported"
            raise Problem("upload_field", what, rule="P1", field="upload-concat")
        self._length = length = fields.length_of_new(head)
        pairs = fields.metadata(head)
        filename = fields.text_of(pairs, "filename", "name")
        content_type = fields.text_of(pairs, "filetype", "type")
        self._notes = Notes(filename, content_type, head.field("upload-metadata") or None)
        if length is not None and length > context.limits.max_body:
            # tus, Creation: "the Server MUST respond with the 413 Request Entity Too Large status".
            what = f"an upload may have at most {context.limits.max_body} bytes"
            raise Problem("body_too_large", what, rule="P3", field="upload-length")
        if length is not None and (head.content_length or 0) > length:
            raise too_long(length)
        super().__init__(head, media_type, context)

    def open(self) -> ResumableUpload:
        store = self.context.store
        if store.keeps_free:
            store.require_room(self._length or 0)
        return store.resumables.create(Known(self._length, self._notes.as_text()))

    def abort(self) -> None:
        # The client does not know its name, so nobody could continue it.
        if self.has_upload:
            self.remove()
        super().abort()

    def answer(self, request: ParsedRequest) -> Response:
        upload = _completed(self.upload)
        # A reference without a host: a proxy may serve it under another one.
        given: Fields = (("Location", f"/resumable/{upload.id}"), *_state(upload, self.context))
        if upload.known.stored is None:
            return Response(201, (*DYNAMIC, *given))
        return _described(request, upload, given, status=201)


class _Append(_Piece):
    """PATCH."""

    def __init__(self, head: RequestHead, media_type: MediaType | None, context: Context) -> None:
        fields.check_version(head)
        self._offset = fields.offset(head)
        self._length = fields.length(head)
        super().__init__(head, media_type, context)

    def open(self) -> ResumableUpload:
        return take_over(self.context, self.head.last_segment)

    def check_open(self) -> None:
        upload = self.upload
        if upload.offset != self._offset:
            # tus, PATCH: "the Server MUST respond with the 409 Conflict status".
            what = f"the upload has {upload.offset} bytes, and Upload-Offset says {self._offset}"
            headers = (("Upload-Offset", str(upload.offset)),)
            raise Problem("upload_offset", what, headers=headers, rule="P5", field="upload-offset")
        self._learn_length(upload)
        length = upload.known.length
        if length is not None and upload.offset + (self.head.content_length or 0) > length:
            raise too_long(length)

    def answer(self, request: ParsedRequest) -> Response:
        upload = _completed(self.upload)
        response = Response(204, (*DYNAMIC, *_state(upload, self.context)))
        stored = upload.known.stored
        return response if stored is None else replace(response, stored=(file_of(upload, stored),))

    def _learn_length(self, upload: ResumableUpload) -> None:
        """tus, Creation: "Once it is known the Client MUST set the Upload-Length header in the next PATCH
        request. Once set the length MUST NOT be changed."
        """
        length = self._length
        if length is None or length == upload.known.length:
            return
        if upload.known.length is not None or length < upload.offset:
            what = f"Upload-Length says {length}, which the upload does not have"
            raise Problem("upload_length", what, rule="P7", field="upload-length")
        if length > self.context.limits.max_body:
            what = f"an upload may have at most {self.context.limits.max_body} bytes"
            raise Problem("body_too_large", what, rule="P3", field="upload-length")
        upload.set_length(length)


class _Look(Appending):
    """HEAD and GET."""

    def __init__(self, head: RequestHead, _media_type: MediaType | None, context: Context) -> None:
        if head.method != "GET":
            fields.check_version(head)
        super().__init__(head, context, ignored=True)

    def open(self) -> ResumableUpload:
        return take_over(self.context, self.head.last_segment)

    def answer(self, request: ParsedRequest) -> Response:
        upload = _completed(self.upload)
        given = (*_state(upload, self.context), *_constants(upload))
        if self.head.method == "HEAD":
            return Response(200, (*DYNAMIC, *given))
        return _described(request, upload, given, status=200)


class _Removal(_Look):
    """DELETE. A file that the upload has become stays: others may have uploaded it too."""

    def answer(self, request: ParsedRequest) -> Response:
        self.upload.remove()
        return Response(204, DYNAMIC)


_METHODS = {"PATCH": _Append, "HEAD": _Look, "GET": _Look, "DELETE": _Removal}


def _on_upload(head: RequestHead, media_type: MediaType | None, context: Context) -> Appending:
    return _METHODS[head.method](head, media_type, context)


def _completed(upload: ResumableUpload) -> ResumableUpload:
    """The upload; its bytes are durable, and if it has all of them, it is published."""
    if upload.offset == upload.known.length:
        upload.finish()
    else:
        upload.sync()
    return upload


def _is_checked(head: RequestHead) -> bool:
    """Whether the body must be whole and right before any of it is appended."""
    return any(head.field(name) is not None for name in ("upload-checksum", "content-digest"))


def _state(upload: ResumableUpload, context: Context) -> Fields:
    """What every successful response says of an upload."""
    stored = upload.known.stored
    if stored is not None:
        return (("Upload-Offset", str(upload.offset)), ("Content-Location", f"/files/{stored.sha256}"))
    # tus, Expiration: "This header MUST be included in every PATCH response if the upload is going to
    # expire."
    return (("Upload-Offset", str(upload.offset)), ("Upload-Expires", expiry(upload, context.limits)))


def _constants(upload: ResumableUpload) -> Fields:
    """What HEAD says besides (tus, HEAD and Creation)."""
    length, metadata = upload.known.length, Notes.of(upload).metadata
    given = ("Upload-Defer-Length", "1") if length is None else ("Upload-Length", str(length))
    return (given,) if metadata is None else (given, ("Upload-Metadata", metadata))


def _described(request: ParsedRequest, upload: ResumableUpload, given: Fields, *, status: int) -> Response:
    described = with_file(request, upload)
    response = canonical_response(describe(described), status=status)
    return replace(response, headers=(*response.headers, *given), stored=described.body.files)


def _answer(request: ParsedRequest, _context: Context) -> Response:
    assert request.appending is not None, "this route appends"
    return request.appending.finish(request)


def _always(_limits: Limits) -> Fields:
    return _ALWAYS


def _offers(limits: Limits) -> Fields:
    """tus, OPTIONS: what the server can do."""
    return (
        ("Tus-Version", fields.VERSION),
        ("Tus-Extension", ",".join(fields.EXTENSIONS)),
        ("Tus-Max-Size", str(limits.max_body)),
        ("Tus-Checksum-Algorithm", ",".join(fields.CHECKSUMS)),
    )


CREATE = Route(
    "create_resumable",
    r"/resumable/?",
    ("POST",),
    _answer,
    uses_store=True,
    uploads=True,
    shared=True,
    appends=_Creation,
    fields=_always,
    offers=_offers,
)
APPEND = Route(
    "append_resumable",
    r"/resumable/[^/]+",
    ("DELETE", "GET", "HEAD", "PATCH"),
    _answer,
    uses_store=True,
    uploads=True,
    shared=True,
    appends=_on_upload,
    fields=_always,
    offers=_offers,
)
