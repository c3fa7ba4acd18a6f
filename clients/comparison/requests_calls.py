"""Makes the calls of the blog post with `requests` itself, and reads the responses for the comparison.

A call sends the same bytes to every backend and every port. So everything that would vary is fixed: the
fields of `post_calls.FIXED_FIELDS`, and the boundary, which requests cannot set.
"""

from contextlib import ExitStack

import requests
from urllib3.exceptions import NewConnectionError

from ..http1.exchange import EXCHANGE_SECONDS, Exchange
from ..http1.requests_transport import causes_of
from ..http1.response_parser import Response
from .cases import Case
from .post_calls import BOUNDARY, PostCall, cases_of, post_calls

_BOUNDARY_MARK = "boundary="


def load_post_calls(pattern: str = "*") -> list[Case]:
    """The calls whose name matches `pattern`, a glob, as cases of `requests`. Raises CaseError."""
    return cases_of("requests", lambda call: wire_bytes(prepare(call, "http://localhost:8000")), pattern)


def send_call(name: str, host: str, port: int, *, seconds: float = EXCHANGE_SECONDS) -> Exchange:
    """Make a call and read the response; never raises for what the backend does."""
    call = post_calls()[name]
    with requests.Session() as session:
        session.trust_env = False  # no proxy from the environment
        try:
            prepared = prepare(call, f"http://{host}:{port}")
            reply = session.send(prepared, timeout=seconds, allow_redirects=False, stream=call.stream)
            body = b"".join(reply.iter_content(None))
        except requests.RequestException as error:
            return _without_response(error)
        headers = tuple((field_name.lower(), value) for field_name, value in reply.raw.headers.items())
        return Exchange((Response(reply.status_code, headers, body),))


def _without_response(error: requests.RequestException) -> Exchange:
    causes = list(causes_of(error))
    if isinstance(error, requests.ConnectionError):
        if any(isinstance(cause, ConnectionResetError) for cause in causes):  # also http.client's own end
            return Exchange(closed=True)  # without a response, which a case may expect
        if any(isinstance(cause, NewConnectionError) for cause in causes):
            return Exchange(no_response=f"requests: {error}")
    if isinstance(error, requests.Timeout):
        return Exchange(no_response=f"requests: {error}")
    return Exchange(bad_response=f"requests: {type(error).__name__}: {error}")


def prepare(call: PostCall, base_url: str) -> requests.PreparedRequest:
    """The call's request for the backend at `base_url`, with everything fixed that would vary."""
    with ExitStack() as stack, requests.Session() as session:
        session.trust_env = False  # a ~/.netrc would add credentials
        request = requests.Request(call.method, base_url + call.target, **call.all_arguments(stack))
        prepared = session.prepare_request(request)
    _fix_boundary(prepared)
    return prepared


def wire_bytes(prepared: requests.PreparedRequest) -> bytes:
    """The bytes that a prepared request puts on the wire, to show them."""
    head = [f"{prepared.method} {prepared.path_url} HTTP/1.1"]
    head += [f"{name}: {value}" for name, value in prepared.headers.items()]
    body = prepared.body or b""
    return "\r\n".join([*head, "", ""]).encode("latin-1") + (body.encode() if isinstance(body, str) else body)


def _fix_boundary(prepared: requests.PreparedRequest) -> None:
    """Replace the boundary that requests chose. Both have 32 hex digits, so no length changes."""
    content_type = prepared.headers.get("Content-Type", "")
    if isinstance(prepared.body, bytes) and _BOUNDARY_MARK in content_type:
        drawn = content_type.partition(_BOUNDARY_MARK)[2]
        prepared.headers["Content-Type"] = content_type.replace(drawn, BOUNDARY)
        prepared.body = prepared.body.replace(drawn.encode(), BOUNDARY.encode())
