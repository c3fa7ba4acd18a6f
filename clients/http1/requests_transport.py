"""Sends a call through `requests`, streaming. requests itself makes everything but a multipart body."""

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import requests
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.util import SKIP_HEADER
from urllib3.util.request import SKIPPABLE_HEADERS

from .body import Body
from .digest import Block
from .errors import BadResponse, Unreachable, UsageError
from .incoming_response import MAX_RESPONSE_BYTES, IncomingResponse, too_large
from .request import OnBlock, Request, build_request, counted
from .requests_adapter import DryRunDone, WatchedAdapter
from .response_parser import DecodedResponse, Response
from .socket_transport import reason, too_late, trusted_context
from .upload_call import Call
from .verify_upload import verify_upload
from .wire import Wire


def send(call: Call, wire: Wire, *, cafile: str | None = None, on_block: OnBlock | None = None) -> Response:
    """Send a call through `wire` and check the response against it. Raises as `request` does."""
    # This refuses what requests cannot send, or would send ambiguously, in the other client's words.
    request = build_request(**call.arguments())
    if cafile is not None:
        trusted_context(cafile)
    incoming = IncomingResponse(request, wire)
    wire.listen(incoming.feed)
    try:
        with watched_session(WatchedAdapter(wire)) as session:
            prepared = _prepare(session, call, request, on_block)
            response = _exchange(session, prepared, wire, cafile, incoming)
    except (requests.RequestException, HTTPError, TimeoutError) as error:
        raise client_error(error, request, wire, incoming) from None
    body = request.body
    if body is not None and body.receipt is None and not _is_streamed(call):
        for _ in body.blocks():  # requests sent its own rendering, which must have been the same as ours
            pass
    verify_upload(response, body)
    return response


def dry_run(call: Call, write: Callable[[Block], None]) -> None:
    """Give to `write` all bytes that `send` would send. No connection is made."""
    request = build_request(**call.arguments())
    try:
        with watched_session(WatchedAdapter(Wire(), write)) as session:
            session.send(_prepare(session, call, request, None), allow_redirects=False)
    except DryRunDone:
        return
    except requests.RequestException as error:
        raise client_error(error, request) from None


def watched_session(adapter: WatchedAdapter) -> requests.Session:
    """A session that sends through `adapter` and ignores the environment."""
    session = requests.Session()
    session.trust_env = False  # no proxies and no .netrc, as in the other client
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _exchange(
    session: requests.Session,
    prepared: requests.PreparedRequest,
    wire: Wire,
    cafile: str | None,
    incoming: IncomingResponse,
) -> Response:
    """The response as our parser read it; requests has only removed a content coding."""
    with session.send(
        prepared, stream=True, timeout=wire.remaining, verify=cafile or True, allow_redirects=False
    ) as reply:
        content = bytearray()
        for block in reply.iter_content(1 << 16):
            content += block
            if len(content) > MAX_RESPONSE_BYTES:
                raise too_large()
    response = incoming.whole()
    if content == response.body:
        return response
    return DecodedResponse(response.status, response.headers, bytes(content), response.body)


def _prepare(
    session: requests.Session, call: Call, request: Request, on_block: OnBlock | None
) -> requests.PreparedRequest:
    """What requests makes of the call. A streamed body is an iterable, and its type is set afterwards."""
    body = request.body
    streamed = body is not None and _is_streamed(call)
    data = call.data or {}
    if streamed and body:
        data = (_Stream if request.chunked else _SizedStream)(body, on_block)
    call_of_requests = requests.Request(
        call.method.upper(),
        call.url,
        params=call.params or {},
        headers=_headers(call),
        cookies=dict(call.cookies or {}),
        auth=call.auth,
        data=data,
        json=None if streamed else call.json,
    )
    prepared = session.prepare_request(call_of_requests)
    if streamed and body is not None:
        _complete_head(prepared, request, body)
    return prepared


def _headers(call: Call) -> dict[str, Any]:
    """The fields of the call. urllib3 has defaults of its own for two that requests removes."""
    headers: dict[str, Any] = dict(call.headers or {})
    for name, value in headers.items():
        if value is None and name.lower() in SKIPPABLE_HEADERS:
            headers[name] = SKIP_HEADER
    return headers


def _is_streamed(call: Call) -> bool:
    """Whether we give the body to requests as blocks. It encodes forms, JSON, str and bytes itself."""
    native = call.data is None or isinstance(call.data, (str, bytes, list, tuple, dict))
    return call.chunked or bool(call.files) or not native


class _Stream:
    """An iterable without a length: requests sends it in chunks."""

    def __init__(self, body: Body, on_block: OnBlock | None) -> None:
        self._body = body
        self._on_block = on_block

    def __iter__(self) -> Iterator[Block]:
        return counted(self._body.blocks(), self._on_block)


class _SizedStream(_Stream):
    """An iterable with a length: requests sends it with Content-Length."""

    def __len__(self) -> int:
        return self._body.length or 0


def _complete_head(prepared: requests.PreparedRequest, request: Request, body: Body) -> None:
    """Put Content-Type where requests puts that of its own bodies, behind the field of the framing."""
    fields = list(prepared.headers.items())
    prepared.headers.clear()
    has_type = any(name.lower() == "content-type" for name, _ in fields)
    for name, value in fields:
        if name == "Transfer-Encoding" and not request.chunked:  # requests says so that there are 0 bytes
            name, value = "Content-Length", "0"
        prepared.headers[name] = value
        if name in ("Content-Length", "Transfer-Encoding") and body.content_type and not has_type:
            prepared.headers["Content-Type"] = body.content_type


def client_error(
    error: Exception, request: Request, wire: Wire | None = None, incoming: IncomingResponse | None = None
) -> UsageError | Unreachable:
    """The socket client's sentence for the same failure, or why requests alone fails."""
    try:
        responded = incoming is not None and incoming.final() is not None
    except Unreachable as ours:
        return ours
    if isinstance(error, ValueError) and not responded:  # InvalidURL, InvalidHeader and similar errors
        return UsageError(str(error))
    peer = request.url.authority
    causes = list(causes_of(error))
    late = next((cause for cause in causes if isinstance(cause, TimeoutError)), None)
    if late is not None:
        return too_late(request.url, wire, late, incoming)
    system = next((cause for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
    texts = [text for cause in reversed(causes) if (text := str(cause))]
    what = reason(system) if system else next(iter(texts), type(causes[-1]).__name__)
    if responded:
        return BadResponse(f"requests cannot read the response from {peer}: {what}")
    if any(isinstance(cause, (NewConnectionError, ssl.SSLCertVerificationError)) for cause in causes):
        return Unreachable(f"cannot connect to {peer}: {what}")
    return Unreachable(f"no response from {peer}: {what}")


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """The errors from which `error` came, the outermost first; requests and urllib3 hide them in args too."""
    while error is not None:
        yield error
        hidden = (getattr(error, "reason", None), *error.args)
        inner = next((each for each in hidden if isinstance(each, BaseException)), None)
        error = error.__cause__ or inner or error.__context__
