"""Requests and answers as text for a reader: printable, shortened, one line a line."""

from __future__ import annotations

from ..http1.exchange import Exchange
from ..http1.response_parser import Response
from .equality import COMPARED_HEADERS

_LINE_CHARACTERS = 160
_REQUEST_LINES = 14
_BODY_CHARACTERS = 1200
_INDENT = "    "


def show_request(request: bytes) -> str:
    """The request's first lines; line ends other than CRLF and unprintable bytes show as escapes."""
    return _shorten(request.split(b"\r\n"))


def show_exchange(exchange: Exchange) -> str:
    """The answers with what is compared of them, or how the connection ended without one."""
    shown = [_show_answer(response) for response in exchange.responses]
    if exchange.closed:
        shown.append(f"{_INDENT}(closed without an answer)")
    if exchange.no_response:
        shown.append(f"{_INDENT}({exchange.no_response})")
    return "\n".join(shown)


def _show_answer(response: Response) -> str:
    lines = [f"{_INDENT}{response.status}"]
    lines += [f"{_INDENT}{name}: {value}" for name, value in response.headers if name in COMPARED_HEADERS]
    body = response.body.rstrip(b"\n")
    if len(body) > _BODY_CHARACTERS:
        body = body[:_BODY_CHARACTERS] + f" ... ({len(response.body)} bytes)".encode()
    lines += [_INDENT + _printable(line) for line in body.split(b"\n")]
    return "\n".join(lines)


def _shorten(lines: list[bytes]) -> str:
    shown = []
    for line in lines[:_REQUEST_LINES]:
        text = _printable(line[:_LINE_CHARACTERS])
        shown.append(_INDENT + text + (f" ... ({len(line)} bytes)" if len(line) > _LINE_CHARACTERS else ""))
    if len(lines) > _REQUEST_LINES:
        rest = sum(len(line) + 2 for line in lines[_REQUEST_LINES:])
        shown.append(f"{_INDENT}... ({rest} bytes more)")
    return "\n".join(shown)


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte <= 0x7E else f"\\x{byte:02x}" for byte in data)
