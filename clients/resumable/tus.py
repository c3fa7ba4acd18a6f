"""tus 1.0.0, its core and the extension Creation (https://tus.io/protocols/resumable-upload)."""

import mimetypes
from base64 import b64encode

from ..http1.encode import as_utf8
from ..http1.request import OnBlock
from ..http1.response_parser import Response
from .protocol import Limits, ResumableProtocol, Upload, known, number_in, offset_in
from .requester import FieldValues, Gone, Refused
from .sent_file import SentFile

VERSION = "1.0.0"
_VERSION_FIELD: FieldValues = {"Tus-Resumable": VERSION}


class Tus(ResumableProtocol):
    """tus 1.0.0. An upload is complete as soon as its offset is its length."""

    name = "tus"
    title = f"tus {VERSION}"

    def create(self, file: SentFile) -> Upload:
        """POST with Upload-Length and Upload-Metadata (extension Creation)."""
        fields = {**_VERSION_FIELD, "Upload-Length": str(file.size), "Upload-Metadata": _metadata(file)}
        response = self.requester.request("POST", self.requester.endpoint, fields)
        if response.status != 201:
            raise Refused(response)
        return Upload(self.requester.resolve(response), 0, file.size == 0, response)

    def find(self, url: str, file: SentFile) -> Upload:
        """HEAD (core protocol). 403 may say that the upload is not known, as 404 and 410 do."""
        response = self.requester.request("HEAD", url, _VERSION_FIELD)
        if response.status == 403:
            raise Gone(response)
        known(response)
        return _upload(url, offset_in(response, file.size), file, response)

    def append(self, upload: Upload, end: int, file: SentFile, on_block: OnBlock) -> Upload:
        """PATCH (core protocol)."""
        fields = {
            **_VERSION_FIELD,
            "Upload-Offset": str(upload.offset),
            "Content-Type": "application/offset+octet-stream",
        }
        piece = file.piece(upload.offset, end)
        response = self.requester.request("PATCH", upload.url, fields, piece, on_block)
        known(response)
        return _upload(upload.url, offset_in(response, file.size), file, response)


def limits_in(response: Response) -> Limits:
    """The limit in the answer to OPTIONS."""
    return Limits(max_size=number_in(response, "tus-max-size"))


def speaks_tus(response: Response) -> bool:
    """Whether the answer to OPTIONS says that version 1.0.0 is spoken there, with the extension Creation."""
    versions = response.header("tus-version") or ""
    extensions = response.header("tus-extension") or ""
    return VERSION in _listed(versions) and "creation" in _listed(extensions)


def _listed(value: str) -> set[str]:
    return {item.strip(" \t") for item in value.split(",")}


def _upload(url: str, offset: int, file: SentFile, response: Response) -> Upload:
    return Upload(url, offset, offset == file.size, response)


def _metadata(file: SentFile) -> str:
    """Upload-Metadata: "the key and value MUST be separated by a space", "the value MUST be Base64"."""
    pairs = {"filename": file.name}
    guessed, coding = mimetypes.guess_type(file.name)
    if guessed and not coding:
        pairs["filetype"] = guessed
    if file.relative != file.name:
        pairs["relativePath"] = file.relative
    return ",".join(f"{key} {b64encode(as_utf8(value)).decode('ascii')}" for key, value in pairs.items())
