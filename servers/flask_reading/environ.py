"""A request head from a WSGI environ (PEP 3333), which any WSGI server gives to the application.

`flask run` needs this. Our gunicorn worker reads heads from their bytes (`wire_head`), and its environ is not
read. A server joins the lines of one name, drops blanks and hides a few faults completely. So a check here
must refuse only what is refused however its lines were sent.
"""

from typing import TYPE_CHECKING

from ..contract.limits import Limits
from ..contract.problems import Problem
from ..contract.request import RequestHead
from .abnf import BLANKS
from .fields import check_expect, check_size, check_value
from .head import Fields, assemble
from .request_line import join_request_line

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_BARE = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}


def read_environ(environ: "WSGIEnvironment", limits: Limits) -> RequestHead:
    """Steps 1 to 5 of contract section 4. Raises Problem."""
    line = join_request_line(
        environ["REQUEST_METHOD"], environ["RAW_URI"], environ["SERVER_PROTOCOL"], limits
    )
    fields: Fields = {}
    for key, value in environ.items():
        name = _field_name(key)
        if name is not None:
            fields[name] = [_checked(name, value, limits, http_1_0=line.http_1_0)]
    if len(fields) > limits.max_fields:  # joined lines count as one, so the true number is at least this
        raise Problem("headers_too_large", f"more than {limits.max_fields} fields (H29)", rule="H29")
    return assemble(line, fields)


def _field_name(key: str) -> str | None:
    if key.startswith("HTTP_"):
        # Names with "_" are dropped before, so each "_" here was a "-" (H17).
        return key[5:].replace("_", "-").lower()
    return _BARE.get(key)


def _checked(name: str, value: str, limits: Limits, *, http_1_0: bool) -> str:
    check_value(name, value)
    # Commas may have joined several lines, Cookie lines too. Only the text between two of them surely was in
    # one line (H30). Blanks may have stood before it.
    longest = max(map(len, value.split(",")))
    check_size(len(name) + len(":") + longest + len("\r\n"), limits)
    trimmed = value.strip(BLANKS)
    if name == "expect" and not http_1_0:
        for expectation in trimmed.split(","):
            check_expect(expectation.strip(BLANKS))
    return trimmed
