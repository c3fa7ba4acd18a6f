"""What happens to one request, on every backend alike: check the head, take the body, respond."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ..storage.base import Upload
from .body import BodyBuilder, Data, OpaqueBuilder, body_builder
from .parsers import Parsers
from .problems import Problem
from .request import MediaType, ParsedBody, ParsedRequest, RequestHead
from .responses import Response, problem_response
from .route import Context, RouteTable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Exchange:
    """Steps 6 to 10 of contract section 4: method and route, access, size, content type, body.

    Create it with a head that passed steps 1 to 5, `feed` the decoded body in pieces of any size, then call
    `finish`. When a call raises Problem, the upload has been undone. Call `abort` if the client disconnects.
    """

    def __init__(self, head: RequestHead, table: RouteTable, parsers: Parsers, context: Context) -> None:
        self.head = head
        self._parsers = parsers
        self._context = context
        self._size = 0
        self._upload: Upload | None = None
        self._builder: BodyBuilder | None = None
        self._route = table.find(head)
        context.access.check_access(head, private=self._route.private, needs_token=not self._route.open)
        self._check_size(head.content_length or 0)
        self._check_whole_file()
        self._media_type = self._read_content_type()
        if head.content_length and not head.chunked:
            with self._undone_on_failure():
                self._builder = self._begin_body()

    @property
    def stores(self) -> bool:
        """Whether this request writes to the store, so that `finish` may wait for the disk."""
        return self._upload is not None

    def feed(self, data: Data) -> None:
        """Add the next bytes of the body. Raises Problem."""
        if not data:
            return
        with self._undone_on_failure():
            self._size += len(data)
            self._check_size(self._size)
            if self._builder is None:
                self._builder = self._begin_body()
            self._builder.feed(data)

    def finish(self) -> Response:
        """The response. Call it after the whole body; stored files are durable then. Raises Problem."""
        with self._undone_on_failure():
            request = ParsedRequest(self.head, self._finish_body())
            if self._upload is None:
                return self._route.handler(request, self._context)
            self._upload.publish()
            response = self._route.handler(request, self._context)
            return replace(response, stored=request.body.files)

    def abort(self) -> None:
        """Undo what was stored for a request that gets no 2xx. Never raises."""
        if self._upload is not None:
            self._upload.abort()

    def refuse(self, problem: Problem) -> Response:
        """The response for a Problem raised by this exchange. For HEAD it has no body."""
        self.abort()
        return problem_response(problem, head=self.head)

    def _check_size(self, size: int) -> None:
        limit = self._context.limits.max_body
        if size > limit:
            raise Problem("body_too_large", f"a body may have at most {limit} bytes")

    def _check_whole_file(self) -> None:
        # Content-Range says that the body is a piece of the file (RFC 9110 14.5, W1). Its value does not
        # matter. In a POST the field means nothing (RFC 9110 14.4).
        partial = self.head.method == "PUT" and self.head.field("content-range") is not None
        if partial and self._route.body != "described":
            raise Problem("partial_put", "send the whole file, in a PUT without Content-Range")

    def _read_content_type(self) -> MediaType | None:
        value = self.head.field("content-type")
        media_type = self._parsers.content_type(value) if value else None
        if self._route.body == "raw" and media_type and media_type.is_form_data:
            # The file would have the boundary and the part headers in it (W2).
            raise Problem("unsupported_media_type", "send the file alone, or the form to /upload/")
        return media_type

    def _begin_body(self) -> BodyBuilder:
        upload: Upload | None = None
        if self._route.body != "described":
            upload = self._upload = self._context.store.begin()
        if self._route.body == "raw":
            return OpaqueBuilder(self.head, self._media_type, upload, filename=self.head.last_segment)
        return body_builder(self.head, self._media_type, self._parsers, upload, self._context.limits)

    def _finish_body(self) -> ParsedBody:
        if self._builder is None and self._route.body == "raw":
            self._builder = self._begin_body()  # a raw upload of zero bytes is an empty file
        if self._builder is None:
            return ParsedBody(media_type=self._media_type)
        return self._builder.finish()

    @contextmanager
    def _undone_on_failure(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.abort()
            raise _store_problem(error) from error
        except BaseException:
            self.abort()
            raise


def _store_problem(error: OSError) -> Problem:
    if error.errno in _FULL:
        return Problem("insufficient_storage", "the store has no room for this upload")
    return Problem("store_unavailable", f"the store cannot be used: {error.strerror or 'unknown error'}")
