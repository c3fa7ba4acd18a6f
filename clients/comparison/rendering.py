"""Requests and responses as text: printable, shortened, one line of text for each line of the message."""

from ..http1.exchange import Exchange
from ..http1.response_parser import Response
from .equality import COMPARED_HEADERS

_LINE_CHARACTERS = 160
_HEADER_LINES = 20
_RESPONSES = 10
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
    """The compared parts of the first responses, or how the connection ended without one."""
    shown = [_show_response(response) for response in exchange.responses[:_RESPONSES]]
    if len(exchange.responses) > _RESPONSES:
        shown.append(f"{INDENT}... ({len(exchange.responses)} responses)")
    if exchange.closed:
        shown.append(f"{INDENT}(closed without a response)")
    if exchange.failure:
        shown.append(f"{INDENT}({one_line(exchange.failure)})")
    return "\n".join(shown)


def one_line(text: str, most: int = 500) -> str:
    """The first `most` characters of a text from a server, with escapes for those that do not print."""
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text[:most])
    return shown if len(text) <= most else f"{shown} ... ({len(text)} characters)"


def _show_response(response: Response) -> str:
    fields = [f"{name}: {value}" for name, value in response.headers if name in COMPARED_HEADERS]
    lines = [f"{INDENT}{response.status}"]
    lines += [INDENT + one_line(field, _LINE_CHARACTERS) for field in fields[:_HEADER_LINES]]
    if len(fields) > _HEADER_LINES:
        lines.append(f"{INDENT}... ({len(fields)} compared fields)")
    body = response.body.rstrip(b"\n")
    if len(body) > _BODY_CHARACTERS:
        body = body[:_BODY_CHARACTERS] + f" ... ({len(response.body)} bytes)".encode()
    lines += [INDENT + _printable(line) for line in body.split(b"\n")]
    return "\n".join(lines)


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte <= 0x7E else f"\\x{byte:02x}" for byte in data)
