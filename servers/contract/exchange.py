"""What happens to one request, on every backend alike: check the head, take the body, respond."""

import errno
from dataclasses import replace

from .appending import AppendBuilder
from .body import BodyBuilder, JsonBuilder, OpaqueBuilder, SpoolBuilder, UrlencodedBuilder, body_builder
from .digests import BodyDigests, carries_digests, repr_digest, wanted_digest
from .interim import Fields
from .load import Permit
from .method_override import effective
from .parsers import Parsers
from .problems import Problem
from .request import MediaType, ParsedBody, ParsedRequest, RequestHead
from .request_files import Data, RequestFiles
from .responses import Response, problem_response
from .route import Context, RouteTable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Exchange:
    """Steps 6 to 10 of contract section 4: method and route, access, size, content type, body.

    Create it with a head that passed steps 1 to 5. Pass the decoded body to `feed`, in pieces of any size,
    then call `finish`. When one of them raises Problem, the upload has been undone. Call `abort` if the
    client disconnects. An upload counts among those at once until its response is made, or until `abort`.

    An event loop must not wait for the disk, so it uses other methods:

        in the loop    `hold` for each piece, then `end`
        in a thread    `ask_store` first if it `must_ask_store`; `write` or `feed` when much is
                       kept (`must_write`); `respond` if it `waits`; `abort` if the
                       request `has_begun` in the store

    When `hold` or `end` raises Problem, call `abort`, which waits only if the request `has_begun`. Only one
    thread may use an exchange at a time.
    """

    def __init__(self, head: RequestHead, table: RouteTable, parsers: Parsers, context: Context) -> None:
        self.head = head
        head = effective(head)
        self._parsers = parsers
        self._context = context
        self._size = 0
        self._builder: BodyBuilder | None = None
        self._route = route = table.find(head)
        context.access.check_access(
            head,
            private=route.private,
            needs_token=not route.open,
            uploads=route.uploads,
            shared=route.shared,
        )
        self._check_size(head.content_length or 0, rule="B41", field="content-length")
        self._check_whole_file()
        self._media_type = self._read_content_type()
        self._digests = self._read_digests()
        self._wants_digest = wanted_digest(head, parsers)
        self._appending = None if route.appends is None else route.appends(head, self._media_type, context)
        store = None if route.body == "described" and route.appends is None else context.store
        self._files = RequestFiles(store, spooled=route.body == "spooled", appending=self._appending)
        if head.content_length and not head.chunked:
            self._builder = self._begin_body()
        self._permit = self._admit()

    @property
    def has_files(self) -> bool:
        """Whether the body has had a file so far, so that adding bytes takes time: they are hashed."""
        return self._files.count > 0

    @property
    def stores_files(self) -> bool:
        """Whether the files of the body go to the store."""
        return self._files.are_stored

    @property
    def unwritten(self) -> int:
        """How many bytes of files are kept in memory, and not in the store yet."""
        return self._files.unwritten

    @property
    def has_begun(self) -> bool:
        """Whether the store has something of this request, so that `abort` may wait for the disk."""
        return self._files.have_begun

    @property
    def waits(self) -> bool:
        """Whether `respond` may wait for the disk, or take milliseconds. Valid after `end`.

        A small upload to a store that does not wait takes less time than to hand it to a thread.
        """
        stores = self.stores_files and self.has_files and (self._context.store.waits or self.has_begun)
        return self._route.uses_store or self._route.computes or stores

    @property
    def uses_disk(self) -> bool:
        """Whether `respond`, if it `waits`, may wait for the disk. Otherwise it only takes a while."""
        return not self._route.computes

    @property
    def must_ask_store(self) -> bool:
        """Whether `ask_store` has something to do: for an upload that comes in pieces, and for files that
        have a known size, in a store that keeps room.
        """
        return self._appending is not None or (
            self._context.store.keeps_free
            and self.stores_files
            and bool(self._builder)
            and not isinstance(self._builder, JsonBuilder | UrlencodedBuilder | SpoolBuilder)
        )

    def ask_store(self) -> None:
        """Refuse an upload that is too large for the store, before its body. Raises Problem.

        It may wait for the disk. A chunked body has no size yet. It is refused when it has become too large.
        An upload that comes in pieces is created or taken over, and its offset is compared.
        """
        if self.must_ask_store:
            with _UndoneOnFailure(self):
                if self._appending is not None:
                    self._appending.begin()
                else:
                    self._context.store.require_room(self.head.content_length or 0)

    def take_interim(self) -> Fields | None:
        """The fields of a 104 that is to be sent now, once; not to a client of HTTP/1.0. Ask for it after
        `ask_store`, and after bytes were written. Whoever takes it sends it.
        """
        return None if self._appending is None else self._appending.take_interim()

    def must_write(self, most: int) -> bool:
        """Whether `write` is to be called before more of the body is looked at.

        So many bytes are kept, or more than an upload in pieces takes. That is refused before what follows.
        """
        kept = self.unwritten
        return kept >= most or (self._appending is not None and not self._appending.takes(kept))

    def hold(self, data: Data) -> None:
        """Add the next bytes of the body, without waiting for the disk. Raises Problem."""
        if not data:
            return
        self._size += len(data)
        self._check_size(self._size, rule="B43", field=None)
        if self._digests is not None:
            self._digests.update(data)
        if self._builder is None:
            self._builder = self._begin_body()
        self._builder.feed(data)

    def write(self) -> None:
        """Give the store everything that was kept. Raises Problem."""
        with _UndoneOnFailure(self):
            self._files.write()

    def feed(self, *pieces: Data) -> None:
        """Add the next bytes of the body, and write its files. Raises Problem."""
        with _UndoneOnFailure(self), self._files.waiting():
            for piece in pieces:
                self.hold(piece)

    def end(self) -> None:
        """The body is complete. Does not wait for the disk. Raises Problem."""
        if self._builder is None and self._route.body == "raw":
            self._builder = self._begin_body()  # a raw upload of zero bytes is an empty file
        if self._builder is not None:
            self._builder.end()

    def respond(self) -> Response:
        """The response, after `end`. Stored files are durable then. Raises Problem."""
        with _UndoneOnFailure(self):
            self._files.write()
            body = self._builder.body() if self._builder else ParsedBody(media_type=self._media_type)
            if self._digests is not None:
                self._digests.check(body.sha256)
            self._files.publish()
            request = ParsedRequest(self.head, body, self._wants_digest, self._appending)
            response = self._with_digest(self._route.handler(request, self._context))
            self._files.forget_spool()
        self._release()
        return replace(response, stored=body.files) if self.stores_files and body.files else response

    def finish(self) -> Response:
        """`end` and `respond`. Call it after the whole body. Raises Problem."""
        with _UndoneOnFailure(self):
            self.end()
        return self.respond()

    def abort(self) -> None:
        """Undo what was stored for a request that gets no 2xx, which has ended. Never raises."""
        self._files.abort()
        self._release()

    def refuse(self, problem: Problem) -> Response:
        """The response for a Problem raised by this exchange. For HEAD it has no body."""
        self.abort()
        return problem_response(problem, head=self.head)

    def _admit(self) -> Permit | None:
        """Count an upload, which is a request with a body to a route that stores. Raises Problem."""
        if self.stores_files and (self.head.content_length or self.head.chunked):
            return self._context.load.uploads.acquire(self._context.client)
        return None

    def _release(self) -> None:
        if self._permit is not None:
            self._permit.release()

    def _check_size(self, size: int, *, rule: str, field: str | None) -> None:
        limit = self._context.limits.max_body
        if size > limit:
            raise Problem("body_too_large", f"a body may have at most {limit} bytes", rule=rule, field=field)

    def _check_whole_file(self) -> None:
        # Content-Range says that the body is a piece of the file (RFC 9110 14.5, W1). Its value does not
        # matter. In a POST the field means nothing (RFC 9110 14.4).
        partial = self.head.method == "PUT" and self.head.field("content-range") is not None
        if partial and self._route.body in ("stored", "raw"):
            what = "send the whole file, in a PUT without Content-Range"
            raise Problem("partial_put", what, rule="W1", field="content-range")

    def _read_content_type(self) -> MediaType | None:
        if self._route.body == "spooled":
            return None  # it belongs to the body that is passed on: whoever gets it reads it
        value = self.head.field("content-type")
        media_type = self._parsers.content_type(value) if value else None
        if self._route.body == "raw" and media_type and media_type.is_form_data:
            # The file would have the boundary and the part headers in it (W2).
            what = "send the file alone, or the form to /upload/"
            raise Problem("unsupported_media_type", what, rule="W2", field="content-type")
        return media_type

    def _read_digests(self) -> BodyDigests | None:
        if self._route.body == "spooled" or not carries_digests(self.head):
            return None  # the digests of a body that is passed on belong to it, as its Content-Type does
        has_parts = self._media_type is not None and self._media_type.is_form_data
        if self._route.appends is not None:
            # Repr-Digest is that of the whole upload, of which the body is a piece.
            digests = BodyDigests(self.head, self._parsers, hashes_all=True, names=("content-digest",))
        else:
            digests = BodyDigests(self.head, self._parsers, hashes_all=has_parts)
        return digests if digests.are_given else None

    def _with_digest(self, response: Response) -> Response:
        if not self._wants_digest or response.status != 200 or not isinstance(response.body, bytes):
            return response
        field = repr_digest(self._wants_digest, response.body)
        return replace(response, headers=(*response.headers, field))

    def _begin_body(self) -> BodyBuilder:
        if self._appending is not None:
            return AppendBuilder(self._files)
        if self._route.body == "spooled":
            return SpoolBuilder(self._files)
        if self._route.body == "raw":
            return OpaqueBuilder(self.head, self._media_type, self._files, filename=self.head.last_segment)
        return body_builder(self.head, self._media_type, self._parsers, self._files, self._context.limits)


class _UndoneOnFailure:
    """A context that aborts the exchange if anything is raised in it. Of an OSError it makes a Problem."""

    # A class, since it is entered several times for each request: a generator takes twice as long.
    __slots__ = ("_exchange",)

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None:
            return
        self._exchange.abort()
        if isinstance(error, OSError):
            raise store_problem(error) from error


def store_problem(error: OSError) -> Problem:
    """The problem that an error of the store leads to."""
    if error.errno in _FULL:
        return Problem("insufficient_storage", "the store has no room for this upload")
    return Problem("store_unavailable", f"the store cannot be used: {error.strerror or 'unknown error'}")
