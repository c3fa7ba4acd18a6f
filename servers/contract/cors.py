"""Which pages of other origins may read a response (CORS, Fetch section 3.2; contract section 8)."""

from dataclasses import replace

from .request import RequestHead
from .responses import Response
from .route import Context, RouteTable

MAX_AGE = 600
"""For so many seconds a browser may remember the answer to a preflight."""

# What a page may send besides the fields that need no permission. No `*`, which has no Authorization in it.
_ALLOWED = (
    "Authorization, Cache-Control, Content-Digest, Content-Type, If-Match, If-None-Match, If-Range, Range,"
    " Repr-Digest, Tus-Resumable, Upload-Checksum, Upload-Complete, Upload-Defer-Length,"
    " Upload-Draft-Interop-Version, Upload-Length, Upload-Metadata, Upload-Offset, Want-Repr-Digest,"
    " X-HTTP-Method-Override, X-Request-ID, X-Requested-With"
)
# What a page may read besides the fields that need no permission.
_EXPOSED = (
    "Accept-Patch, Accept-Ranges, Allow, Content-Disposition, Content-Location, Content-Range, ETag,"
    " Location, Repr-Digest, Retry-After, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable,"
    " Tus-Version, Upload-Complete, Upload-Defer-Length, Upload-Expires, Upload-Length, Upload-Limit,"
    " Upload-Metadata, Upload-Offset, WWW-Authenticate, Wireproof-Contract"
)
_VARY = ("Vary", "Origin")


def with_permission(response: Response, head: RequestHead, context: Context, table: RouteTable) -> Response:
    """The response as it is sent: with the fields of its route, and with CORS fields if the page that asked
    may read it.

    Without the setting `cors_origin` nothing changes. A browser never gets the permission to send its cookies
    and passwords.
    """
    if fields := table.fields_of(head, context.limits):
        there = {name for name, _ in response.headers}
        further = (field for field in fields if field[0] not in there)
        response = replace(response, headers=(*response.headers, *further))
    access = context.access
    if not access.cors_origins or not table.is_shared(head.path):
        return response
    origin = access.permitted_origin(head)
    if origin is None:
        return replace(response, headers=(*response.headers, _VARY))
    headers = [
        (name, "cross-origin" if name == "Cross-Origin-Resource-Policy" else value)
        for name, value in response.headers
    ]
    headers += [_VARY, ("Access-Control-Allow-Origin", origin)]
    if not access.is_permitted_preflight(head):
        headers.append(("Access-Control-Expose-Headers", _EXPOSED))
    elif response.status == 204:
        headers += [
            ("Access-Control-Allow-Methods", dict(headers)["Allow"]),
            ("Access-Control-Allow-Headers", _ALLOWED),
            ("Access-Control-Max-Age", str(MAX_AGE)),
        ]
    return replace(response, headers=tuple(headers))
