"""`/upload/` stores files, `/upload/{filename}` stores one raw file; the echo stores nothing."""

from dataclasses import replace

from ..contract.description import describe
from ..contract.interim import Fields
from ..contract.limits import Limits
from ..contract.request import ParsedRequest
from ..contract.responses import Response, canonical_response
from ..contract.route import METHODS, Context, Route
from .draft_fields import MEDIA_TYPE, limits_of


def describe_request(request: ParsedRequest, _context: Context) -> Response:
    """The result (contract section 3)."""
    return canonical_response(describe(request), head_only=request.head.method == "HEAD")


def echo(request: ParsedRequest, context: Context) -> Response:
    """The result; for OPTIONS with the methods that an echo takes (W7)."""
    response = describe_request(request, context)
    if request.head.method != "OPTIONS":
        return response
    return replace(response, headers=(*response.headers, ("Allow", ECHO.allow)))


def _offers(limits: Limits) -> Fields:
    """What OPTIONS says of uploads that can be resumed (draft-ietf-httpbis-resumable-upload, "Limits")."""
    return (("Accept-Patch", MEDIA_TYPE), *limits_of(limits))


UPLOAD = Route(
    "upload",
    r"/upload/?",
    ("POST", "PUT"),
    describe_request,
    body="stored",
    uploads=True,
    shared=True,
    offers=_offers,
)
PUT_FILE = Route(
    "put_file",
    r"/upload/[^/]+",
    ("PUT",),
    describe_request,
    body="raw",
    uploads=True,
    shared=True,
    offers=_offers,
)
ECHO = Route("echo", r".*", METHODS, echo)
