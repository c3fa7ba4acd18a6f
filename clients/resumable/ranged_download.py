"""A download that goes on where it broke off, by ranges (RFC 9110, sections 13.1.5 and 14).

The rest is asked for with If-Range and the strong ETag of the first response. The server sends it (206) if
the file is still the same one, and else the whole file (200). Without a strong ETag a download begins anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

from ..cli.progress import Advance
from ..http1.errors import BadResponse, UploadFailed
from ..http1.response_parser import Response
from ..http1.upload_call import Call
from ..sse.streaming_response import StreamingResponse
from .kept_transfers import KeptTransfer
from .part_file import PartFile
from .requester import Refused
from .retries import Retries
from .told_digest import WANTED, told_sha256

# opaque-tag of a strong validator                                         RFC 9110, section 8.8.3
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')
# Content-Range                                                            RFC 9110, section 14.4
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_NO_RANGE = re.compile(r"bytes \*/([0-9]{1,18})")
_MOST_REFUSAL_BYTES = 1 << 16

OpenCall = Callable[[Call], AbstractContextManager[StreamingResponse]]
OpenBar = Callable[[int | None], AbstractContextManager[Advance]]
"""Shows a bar for so many bytes, None where the size is not known."""


@dataclass(frozen=True, slots=True)
class _Version:
    """The version of the file of which FILE.part has the beginning, as its first response told it."""

    etag: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that is whole: its size, where it went on first, and whether the server told its SHA-256."""

    size: int
    resumed_at: int
    verified: bool


class RangedDownload:
    """Downloads what `call` asks for into `part`. `kept` has the version of what is there already."""

    def __init__(
        self,
        call: Call,
        open_call: OpenCall,
        part: PartFile,
        kept: KeptTransfer,
        retries: Retries,
        open_bar: OpenBar,
    ) -> None:
        self._call = call
        self._open_call = open_call
        self._part = part
        self._kept = kept
        self._retries = retries
        self._open_bar = open_bar
        self._version = _version_in(kept.value)
        self._resumed_at: int | None = None
        self._furthest = 0

    def run(self) -> Downloaded:
        """Download the file and give it its name.

        Raises Refused, Unreachable when too many tries got no further, and UploadFailed when the bytes are
        not those of the digest that the server told, or cannot be written.
        """
        if self._version is None and self._part.size:
            self._part.restart()  # nobody knows of which version they are
        told = self._retries.until_done(self._to_the_end)
        if told is not None and told != (sha256 := self._part.sha256()):
            self._begin_anew()
            raise UploadFailed(f"the SHA-256 of what came is {sha256}, but the server tells {told}")
        self._part.finish()
        self._kept.forget()
        return Downloaded(self._part.size, self._resumed_at or 0, told is not None)

    def _to_the_end(self) -> str | None:
        """One try. Returns the SHA-256 that the server tells of the whole file."""
        offset = self._part.size
        with self._open_call(self._with_range(offset)) as response:
            head = response.head
            if head.status == 416 and offset:
                return self._after_416(head)
            if head.status not in (200, 206):
                raise Refused(_with_body(response))
            coding = (head.header("content-encoding") or "identity").lower()
            if coding != "identity":
                raise UploadFailed(
                    f"the server sends the file in the coding {coding}, which was not asked for"
                )
            total = self._begin(head, offset)
            if self._resumed_at is None:
                self._resumed_at = self._part.size
            self._take(response, total)
            return told_sha256(head) or (self._version.sha256 if self._version else None)

    def _with_range(self, offset: int) -> Call:
        fields: dict[str, Any] = {**WANTED, **(self._call.headers or {})}
        if offset and self._version is not None:
            fields |= {"Range": f"bytes={offset}-", "If-Range": self._version.etag}
        return Call(
            "GET",
            self._call.url,
            headers=fields,
            cookies=self._call.cookies,
            auth=self._call.auth,
        )

    def _begin(self, head: Response, offset: int) -> int | None:
        """Prepare for the body. Returns the size of the whole file, None when it is not known."""
        if head.status == 200:
            self._begin_anew()
            etag = head.header("etag") or ""
            if _STRONG_ETAG.fullmatch(etag):
                self._version = _Version(etag, told_sha256(head))
                self._kept.keep(json.dumps(asdict(self._version)))
            length = head.header("content-length") or ""
            return int(length) if length.isascii() and length.isdigit() else None
        found = _RANGE.fullmatch(head.header("content-range") or "")
        etag_of_range = head.header("etag")
        if found is None or int(found[1]) != offset or self._version is None:
            given = head.header("content-range")
            raise UploadFailed(f"the server sent another range than bytes={offset}-: {given}")
        if etag_of_range not in (None, self._version.etag):
            self._begin_anew()
            raise BadResponse("the server sent a range of another version of the file")
        return None if found[3] == "*" else int(found[3])

    def _take(self, response: StreamingResponse, total: int | None) -> None:
        """Write the body as it comes."""
        with self._open_bar(total) as advance:
            if self._part.size:
                advance(self._part.size)
            for piece in response.pieces:
                self._part.write(piece)
                advance(len(piece))
                if self._part.size > self._furthest:
                    self._furthest = self._part.size
                    self._retries.got_further()
        if total is not None and self._part.size != total:
            raise BadResponse(f"the server sent {self._part.size} of {total} bytes, and called it the rest")

    def _after_416(self, head: Response) -> str | None:
        """The range is beyond the end: there are all bytes already, or more than there should be.

        A server looks at the range only if If-Range named its version (RFC 9110, section 13.1.5).
        """
        found = _NO_RANGE.fullmatch(head.header("content-range") or "")
        if found is not None and int(found[1]) == self._part.size and self._version is not None:
            self._resumed_at = self._part.size
            return self._version.sha256
        self._begin_anew()
        raise BadResponse("the server has fewer bytes than have come before; the download begins anew")

    def _begin_anew(self) -> None:
        self._version = None
        self._kept.forget()
        if self._part.size:
            self._part.restart()


def _version_in(value: str | None) -> _Version | None:
    """What an earlier process has kept, None where that is nothing, or not of this shape."""
    try:
        kept = json.loads(value or "")
        version = _Version(kept["etag"], kept["sha256"])
    except (ValueError, LookupError, TypeError):
        return None
    return version if _STRONG_ETAG.fullmatch(str(version.etag)) else None


def _with_body(response: StreamingResponse) -> Response:
    """A refusal with the beginning of its body."""
    body = b""
    for piece in response.pieces:
        body += piece
        if len(body) > _MOST_REFUSAL_BYTES:
            break
    return Response(response.head.status, response.head.headers, body)
