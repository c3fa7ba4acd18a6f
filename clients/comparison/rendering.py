"""Requests and responses as text: printable, shortened, one line of text for each line of the message."""

from ..http1.exchange import Exchange
from ..http1.response_parser import Response
from .equality import COMPARED_HEADERS

_LINE_CHARACTERS = 160
_REQUEST_LINES = 14
_BODY_CHARACTERS = 1200
INDENT = "    "


def show_request(request: bytes, lines: int = _REQUEST_LINES, *, size_format: str = "d") -> str:
    """The first `lines` lines of the request. A line ends with CRLF; other unprintable bytes are `\\xNN`."""
    all_lines = request.split(b"\r\n")
    shown = []
    for line in all_lines[:lines]:
        text = INDENT + _printable(line[:_LINE_CHARACTERS])
        shown.append(
            text + (f" ... ({len(line):{size_format}} bytes)" if len(line) > _LINE_CHARACTERS else "")
        )
    if len(all_lines) > lines:
        rest = len(b"\r\n".join(all_lines[lines:]))
        shown.append(f"{INDENT}... ({rest:{size_format}} bytes more)")
    return "\n".join(shown)


def show_exchange(exchange: Exchange) -> str:
    """The compared parts of the responses, or how the connection ended without one."""
    shown = [_show_response(response) for response in exchange.responses]
    if exchange.closed:
        shown.append(f"{INDENT}(closed without a response)")
    if exchange.no_response:
        shown.append(f"{INDENT}({exchange.no_response})")
    return "\n".join(shown)


def _show_response(response: Response) -> str:
    lines = [f"{INDENT}{response.status}"]
    lines += [f"{INDENT}{name}: {value}" for name, value in response.headers if name in COMPARED_HEADERS]
    body = response.body.rstrip(b"\n")
    if len(body) > _BODY_CHARACTERS:
        body = body[:_BODY_CHARACTERS] + f" ... ({len(response.body)} bytes)".encode()
    lines += [INDENT + _printable(line) for line in body.split(b"\n")]
    return "\n".join(lines)


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte <= 0x7E else f"\\x{byte:02x}" for byte in data)
