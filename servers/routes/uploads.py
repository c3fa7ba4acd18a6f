"""`/upload/` stores files, `/upload/{filename}` stores one raw file; the echo stores nothing."""

from ..contract.description import describe
from ..contract.request import ParsedRequest
from ..contract.responses import Response, json_response
from ..contract.route import METHODS, Context, Route


def describe_request(request: ParsedRequest, _context: Context) -> Response:
    """The result (contract section 3)."""
    return json_response(describe(request), head_only=request.head.method == "HEAD")


UPLOAD = Route("upload", r"/upload/?", ("POST", "PUT"), describe_request, body="stored")
PUT_FILE = Route("put_file", r"/upload/[^/]+", ("PUT",), describe_request, body="raw")
ECHO = Route("echo", r".*", METHODS, describe_request)
