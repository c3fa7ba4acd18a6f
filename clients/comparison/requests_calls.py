"""Makes the calls of the blog post with `requests` itself, and reads the responses for the comparison.

A call sends the same bytes to every backend and every port. So everything that would vary is fixed: Host, the
User-Agent and Accept-Encoding of the version of the post, and the boundary, which requests cannot set.
"""

from __future__ import annotations

from contextlib import ExitStack
from fnmatch import fnmatchcase

import requests

from ..http1.exchange import EXCHANGE_SECONDS, Exchange
from ..http1.response_parser import Response
from .cases import Case, tier_of
from .expectation import Expectation
from .post_calls import BOUNDARY, SAMPLE, PostCall, post_calls

FIXED_FIELDS = {
    "Host": "localhost:8000",
    "User-Agent": "python-requests/2.31.0",
    "Accept-Encoding": "gzip, deflate, br",
}
_BOUNDARY_MARK = "boundary="


def load_post_calls(pattern: str = "*") -> list[Case]:
    """The calls whose name matches `pattern`, a glob, as cases of `requests`. Raises CaseError."""
    return [
        Case(
            name=name,
            title=call.title,
            rules=call.rules,
            tier=tier_of(call.rules, name),
            request=wire_bytes(prepare(call, "http://localhost:8000")),
            expect=Expectation.parse(call.expect),
            client="requests",
        )
        for name, call in sorted(post_calls().items())
        if fnmatchcase(name, pattern)
    ]


def send_call(name: str, host: str, port: int, *, seconds: float = EXCHANGE_SECONDS) -> Exchange:
    """Make a call and read the response; never raises for what the backend does."""
    call = post_calls()[name]
    with requests.Session() as session:
        session.trust_env = False  # no proxy from the environment
        try:
            prepared = prepare(call, f"http://{host}:{port}")
            reply = session.send(prepared, timeout=seconds, allow_redirects=False, stream=call.stream)
            body = b"".join(reply.iter_content(None))
        except requests.ConnectionError as error:
            return _ended(error)
        except requests.RequestException as error:
            return Exchange(no_response=f"requests: {type(error).__name__}: {error}")
        headers = tuple((field_name.lower(), value) for field_name, value in reply.raw.headers.items())
        return Exchange((Response(reply.status_code, headers, body),))


def prepare(call: PostCall, base_url: str) -> requests.PreparedRequest:
    """The call's request for the backend at `base_url`, with everything fixed that would vary."""
    arguments = dict(call.arguments)
    headers = {**FIXED_FIELDS, **arguments.pop("headers", {})}
    with ExitStack() as stack, requests.Session() as session:
        session.trust_env = False  # a ~/.netrc would add credentials
        if call.files is not None:
            arguments["files"] = call.files(lambda: stack.enter_context(SAMPLE.open("rb")))
        request = requests.Request(call.method, base_url + call.target, headers=headers, **arguments)
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


def _ended(error: requests.ConnectionError) -> Exchange:
    """A close without a response, which a case may expect, or another failure of the connection."""
    if "RemoteDisconnected" in str(error) or "ConnectionResetError" in str(error):
        return Exchange(closed=True)
    return Exchange(no_response=f"requests: {error}")
