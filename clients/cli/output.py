"""Shows a response: the result on standard output, a refusal in words on standard error.

Text from a server is made printable before it reaches a terminal.
"""

import json
import os
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import click

from ..http1.digest import Block
from ..http1.errors import UploadFailed
from ..http1.response_parser import DecodedResponse, Response

_MAX_SHOWN = 2000


def show_response(
    response: Response,
    *,
    output: Path | None,
    raw: bool,
    head: bytes = b"",
    without_body: bool = False,
    in_words: bool = True,
) -> None:
    """Write `head` and the body to `output` or standard output; say `in_words` when the status is not 2xx.

    On a terminal JSON is indented, unless `raw`, and a refusal is shown in words alone. `raw` also keeps a
    content coding. Without a head and a body no file is made. Raises UploadFailed when the output cannot be
    written.
    """
    refused = not 200 <= response.status < 300
    body = response.received if raw and isinstance(response, DecodedResponse) else response.body
    if without_body:
        body = b""
    if output is not None:
        if head or not without_body:
            _write_file(output, head + body)
    elif (head or body) and (raw or not standard_output().isatty()):
        byte_writer(standard_output(), escaped=False)(head + body)
    else:
        if head:
            click.echo(printable(head.decode("latin-1").replace("\r\n", "\n")), nl=False)
        if body and not refused:
            click.echo(pretty(response))
    if refused and in_words:
        click.echo(refusal(response), err=True, color=colour(sys.stderr))


def standard_output() -> BinaryIO:
    """Standard output for bytes. Raises UploadFailed when it is closed."""
    if sys.stdout is None:  # >&-
        raise UploadFailed("cannot write the output: standard output is closed")
    return sys.stdout.buffer


def pretty(response: Response) -> str:
    """The body for a terminal."""
    if response.is_json:
        try:
            return printable(json.dumps(response.json(), indent=2, ensure_ascii=False))
        except ValueError:
            pass  # its type says JSON, but it is not: it is shown as it is
    return printable(response.body.decode("utf-8", "replace"))


def refusal(response: Response) -> str:
    """A refusal in words: status and code, title, detail. For another service it is the body.

    Each of them is cut when it is long.
    """
    problem = _problem(response)
    status = f"{response.status} {_phrase(response.status)}".strip()
    if problem is None:
        text = printable(response.body[:_MAX_SHOWN].decode("utf-8", "replace")).strip()
        return click.style(f"refused: {status}", fg="red") + (f"\n  {text}" if text else "")
    code = printable(str(problem.get("code", ""))[:_MAX_SHOWN])
    lines = [click.style(f"refused: {status}" + (f" ({code})" if code else ""), fg="red")]
    for member in ("title", "detail"):
        if problem.get(member):
            lines.append("  " + printable(str(problem[member])[:_MAX_SHOWN]))
    return "\n".join(lines)


def _problem(response: Response) -> dict[str, object] | None:
    """The members of an RFC 9457 problem, or None."""
    value = response.json_object() or {}
    return value if "title" in value or "detail" in value else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _write_file(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UploadFailed(f"cannot write {path}: {error.strerror}") from None


def printable(text: str) -> str:
    """`text` with escapes for all that is neither printable nor a line end. In JSON they mean the same."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 | code >> 10:04x}\\u{0xDC00 | code & 0x3FF:04x}"
    return f"\\u{code:04x}"


def colour(stream: object) -> bool:
    """Whether to use colours: on a terminal, without NO_COLOR (https://no-color.org)."""
    isatty = getattr(stream, "isatty", lambda: False)
    return bool(isatty()) and not os.environ.get("NO_COLOR")


def byte_writer(
    stream: BinaryIO, terminal_colour: str | None = None, *, escaped: bool = True
) -> Callable[[Block], None]:
    """A function that writes blocks to `stream`: verbatim, but on a terminal with control bytes `escaped`.

    On a terminal the text has `terminal_colour`, unless NO_COLOR is set. The function raises UploadFailed: an
    OSError for a full disk would look like a fault of the connection whose bytes are shown.
    """

    def verbatim(block: Block) -> None:
        try:
            stream.write(block)
            stream.flush()
        except OSError as error:
            raise UploadFailed(f"cannot write the output: {error.strerror or error}") from None

    def in_escapes(block: Block) -> None:
        text = "".join(_shown_byte(byte) for byte in bytes(block))
        if terminal_colour and colour(stream):
            text = click.style(text, fg=terminal_colour)
        verbatim(text.encode("ascii"))

    return in_escapes if escaped and stream.isatty() else verbatim


def _shown_byte(byte: int) -> str:
    if byte in (0x0A, 0x0D):
        return {0x0D: "\\r", 0x0A: "\\n\n"}[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"
