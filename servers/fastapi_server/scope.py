"""The head of a request from an ASGI scope, under any ASGI server."""

from starlette.types import Scope

from ..contract.limits import Limits
from ..contract.request import RequestHead
from ..sansio.connection import HeadReceived, RequestReader

HEAD_EXTENSION = "wireproof.head"
"""The key in `scope["extensions"]` of the RequestHead, if `sansio` has read it from the client's bytes."""


def read_scope(scope: Scope, limits: Limits) -> RequestHead:
    """Steps 1 to 5 of the order of judgement (contract section 4). Raises Problem.

    Without the extension the head is written again from what the server says of it, and read by `sansio`.
    What the server has repaired or dropped is lost then: an empty query, for example (R34).
    """
    known: RequestHead | None = scope.get("extensions", {}).get(HEAD_EXTENSION)
    if known is not None:
        return known
    query = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    # Without blanks that the client may not have sent, since they would count towards the limit (H30).
    fields = b"".join(b"%b:%b\r\n" % (name, value) for name, value in scope["headers"])
    words = (scope["method"].encode("ascii"), target, scope["http_version"].encode("ascii"))
    reader = RequestReader(limits)
    reader.feed(b"%b %b HTTP/%b\r\n" % words + fields + b"\r\n")
    received = reader.next_event()
    assert isinstance(received, HeadReceived)
    return received.head
