"""A request: its head as bytes and its body in blocks, framed as requests and http.client frame it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from .body import Body, EmptyFraming, choose_body
from .digest import Block
from .encode import basic_credentials, cookie_field
from .errors import UsageError
from .request_url import RequestUrl, parse_request_url
from .version import project_version

# method = token; field-name = token                                       RFC 9110, sections 9.1 and 5.1
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# "field values containing CR, LF, or NUL characters are invalid and dangerous"     RFC 9110, section 5.5
_FIELD_VALUE = re.compile(r"[^\r\n\0]*")

OnBlock: TypeAlias = Callable[[int], None]
"""Gets the size of each block that is sent."""

# A smaller chunk is copied to go out in one piece with its size line.
_COPIED_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Request:
    """A request that can be sent. `fields` are in the order of the wire; `chunked` is the body's framing."""

    method: str
    url: RequestUrl
    fields: tuple[tuple[str, bytes], ...]
    body: Body | None = None
    chunked: bool = False

    def head(self) -> bytes:
        """The request line, the fields and the empty line (RFC 9112, section 2.1)."""
        lines = [f"{self.method} {self.url.target} HTTP/1.1\r\n".encode("ascii")]
        lines += [b"%s: %s\r\n" % (name.encode("ascii"), value) for name, value in self.fields]
        return b"".join(lines) + b"\r\n"

    def field(self, name: str) -> bytes | None:
        """The value of the field `name` (in lower case), or None."""
        return next((value for each, value in self.fields if each.lower() == name), None)

    def blocks(self, on_block: OnBlock | None = None) -> Iterator[Block]:
        """The body as on the wire, with chunked coding; `on_block` gets the size of each block."""
        if self.body is None:
            return iter(())
        blocks = counted(self.body.blocks(), on_block)
        return _chunked(blocks) if self.chunked else blocks


class Fields:
    """Fields by their names, in any case: setting one again keeps its place."""

    def __init__(self) -> None:
        self._fields: dict[str, tuple[str, bytes]] = {}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._fields

    def update(self, headers: Mapping[str, str | bytes | None]) -> None:
        """Set what a caller gives. None removes a field, unless a later name in another case sets it."""
        removed: set[str] = set()
        for name, value in headers.items():
            self.set(name, b"" if value is None else value)
            (removed.add if value is None else removed.discard)(name.lower())
        for name in removed:
            del self._fields[name]

    def set(self, name: str, value: str | bytes) -> None:
        """Set one field. Raises UsageError when name or value would not be one field line."""
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if _TOKEN.fullmatch(name) is None or _FIELD_VALUE.fullmatch(text) is None:
            raise UsageError(f"not a field: {name!r}: {value!r}")
        self._fields[name.lower()] = (name, _latin1(name, text))

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Names and values in order."""
        return iter(self._fields.values())


def build_request(
    method: str,
    url: str | bytes,
    *,
    params: Any = None,
    data: Any = None,
    json: Any = None,
    files: Any = None,
    headers: Mapping[str, str | bytes | None] | None = None,
    cookies: Mapping[str, str | None] | None = None,
    auth: tuple[Any, Any] | None = None,
    boundary: str | None = None,
    chunked: bool = False,
) -> Request:
    """The request for a call with the arguments of requests; `boundary` and `chunked` are ours.

    Raises UsageError for arguments that do not make a request.
    """
    if _TOKEN.fullmatch(method) is None:
        raise UsageError(f"{method!r} is not a method")
    method = method.upper()
    request_url = parse_request_url(url, params)
    fields = Fields()
    # What a session of requests always sends, but with identity, as we decode no coding.
    fields.set("User-Agent", f"wireproof/{project_version()}")
    fields.set("Accept-Encoding", "identity")
    fields.set("Accept", "*/*")
    fields.set("Connection", "keep-alive")
    fields.update(headers or {})
    cookie = cookie_field(cookies or {})
    if cookie is not None and "cookie" not in fields:
        fields.set("Cookie", cookie)
    body = choose_body(data, json, files, boundary)
    _set_framing(fields, method, body, chunked)
    if body is not None and body.content_type is not None and "content-type" not in fields:
        fields.set("Content-Type", body.content_type)
    auth = auth or request_url.credentials
    if auth is not None:
        fields.set("Authorization", basic_credentials(*auth))
    is_chunked = body is not None and "content-length" not in fields
    return Request(method, request_url, _on_the_wire(fields, request_url, is_chunked), body, is_chunked)


def _set_framing(fields: Fields, method: str, body: Body | None, chunked: bool) -> None:
    """Content-Length or Transfer-Encoding, as requests decides it (RFC 9112, section 6)."""
    if "transfer-encoding" in fields:
        raise UsageError("Transfer-Encoding cannot be given: it follows from the body")
    if body is None:
        if method not in ("GET", "HEAD") and "content-length" not in fields:
            fields.set("Content-Length", "0")
        return
    if "content-length" in fields and (chunked or not body.length):
        raise UsageError("Content-Length cannot be given: it follows from the body")
    if chunked or body.length is None:
        fields.set("Transfer-Encoding", "chunked")
    elif body.length or body.when_empty is EmptyFraming.LENGTH:
        fields.set("Content-Length", str(body.length))
    elif body.when_empty is EmptyFraming.CHUNKED:
        fields.set("Transfer-Encoding", "chunked")


def _on_the_wire(fields: Fields, url: RequestUrl, chunked: bool) -> tuple[tuple[str, bytes], ...]:
    """http.client puts Host first, and urllib3 a Transfer-Encoding that requests did not set after it."""
    first: list[tuple[str, bytes]] = []
    if "host" not in fields:
        first.append(("Host", url.authority.encode("ascii")))
    if chunked and "transfer-encoding" not in fields:
        first.append(("Transfer-Encoding", b"chunked"))
    return (*first, *fields.items())


def _latin1(name: str, text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise UsageError(f"the field {name} is not ISO-8859-1: give its value as bytes") from None


def counted(blocks: Iterator[Block], on_block: OnBlock | None) -> Iterator[Block]:
    """`blocks`; `on_block` is called with the size of each when the next one is asked for."""
    for block in blocks:
        yield block
        if on_block is not None:
            on_block(len(block))


def _chunked(blocks: Iterator[Block]) -> Iterator[Block]:
    """A chunk a block, then the last chunk and no trailers (RFC 9112, section 7.1)."""
    for block in blocks:
        if len(block) < _COPIED_BYTES:
            yield b"%x\r\n%b\r\n" % (len(block), bytes(block))
        else:
            yield b"%x\r\n" % len(block)
            yield block
            yield b"\r\n"
    yield b"0\r\n\r\n"
