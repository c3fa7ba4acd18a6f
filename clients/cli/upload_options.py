"""The flags of the upload clients, in curl's spelling, and the Call that they make."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click

from ..http1.encode import as_utf8
from ..http1.errors import UsageError
from ..http1.upload_call import Call
from .connection_options import CACERT, MAX_TIME, SHOW_ERROR, SHOW_WIRE, SILENT, VERBOSE
from .data_options import StandardInput, body_from, url_with_data
from .form_option import parse_form
from .request_fields import (
    COOKIE,
    HEADER,
    TOKEN,
    USER,
    USER_AGENT,
    cookies_from,
    credentials_from,
    headers_from,
)
from .size_option import size_in
from .version_option import version_option

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.argument("url"),
    click.argument("paths", nargs=-1, metavar="[PATH]..."),
    click.option(
        "-F", "--form", multiple=True, metavar="NAME=CONTENT",
        help="A part of a multipart form: name=value, name=@path, name=@- (standard input) or name=<path "
        '(its content as a text field), with ;type=, ;filename= and ;headers="a: b". Repeatable.',
    ),
    click.option("--form-string", multiple=True, metavar="NAME=VALUE", help="Like -F, but verbatim."),
    click.option(
        "-d", "--data", multiple=True, metavar="DATA",
        help="A form body; @path is a file without its line ends. Several are joined with &.",
    ),
    click.option("--data-raw", multiple=True, metavar="DATA", help="Like -d, but @ has no meaning."),
    click.option("--data-binary", multiple=True, metavar="DATA", help="Like -d; files are sent as they are."),
    click.option(
        "--data-urlencode", multiple=True, metavar="DATA",
        help="Like -d, but encoded: content, name=content, @path or name@path.",
    ),
    click.option("-G", "--get", is_flag=True, help="Send what -d and the like give as the query of a GET."),
    click.option("--json", multiple=True, metavar="DATA", help="A JSON body, or @path. Several are joined."),
    click.option("-T", "--upload-file", metavar="PATH", help="PUT this file (- is standard input)."),
    click.option("--param", multiple=True, metavar="NAME=VALUE", help="A pair for the query. Repeatable."),
    HEADER,
    USER_AGENT,
    COOKIE,
    USER,
    TOKEN,
    click.option(
        "-X", "--request", "method", metavar="METHOD",
        help="The method; by default GET, POST with a body, PUT with -T.",
    ),
    click.option("--chunked", is_flag=True, help="Send the body in chunks, without a Content-Length."),
    click.option("--expect", is_flag=True,
        help="Send Expect: 100-continue. The socket client waits up to 1 s for the 100, requests does not."),
    click.option("--boundary", metavar="TEXT",
        help="The boundary of a multipart body; a random one by default."),
    click.option(
        "-o", "--output", metavar="PATH",
        help="Write the body of the response to this file (- is standard output).",
    ),
    click.option(
        "-O", "--remote-name", is_flag=True,
        help="Write it to a file in this folder, with the name that ends the path of the URL.",
    ),
    click.option("-i", "--include", is_flag=True, help="Write the head of the response before its body."),
    click.option(
        "-f", "--fail", is_flag=True,
        help="Write no body of a response with status 400 or more. The exit status is 1 without -f too.",
    ),
    SILENT,
    SHOW_ERROR,
    VERBOSE,
    click.option("--raw", is_flag=True, help="Print the body as received, on a terminal too."),
    MAX_TIME,
    click.option(
        "--retry", type=click.IntRange(min=0), metavar="N",
        help="Try again up to N times when there is no response, or one with status 408, 429, 500, 502, 503 "
        "or 504. An upload may be repeated, because equal bytes are stored once. Standard input cannot. "
        "With --resume N counts tries that got no further, and is 8 by default.",
    ),
    CACERT,
    SHOW_WIRE,
    click.option(
        "--resume", is_flag=True,
        help="Upload each PATH, a file or all files of a folder, so that it goes on where it broke off: "
        "after a lost connection, a restart of the server, and when the same command is given again.",
    ),
    click.option(
        "--protocol", type=click.Choice(("tus", "draft")),
        help="With --resume: tus 1.0, or the IETF's draft of resumable uploads. By default the server is "
        "asked, and the answer is shown.",
    ),
    click.option(
        "--parallel", type=click.IntRange(1, 64), default=4, show_default=True, metavar="N",
        help="With --resume: send so many files at the same time.",
    ),
    click.option(
        "--piece", callback=size_in, metavar="SIZE",
        help="With --resume: send at most so many bytes in a request, such as 8M.",
    ),
    click.option("--dry-run", is_flag=True, help="Print the bytes of the request and send nothing."),
    version_option("wireproof upload"),
)  # fmt: skip


def upload_options(command: _Command) -> _Command:
    """Give all flags to `command`, in the order in which --help shows them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def call_from(given: dict[str, Any]) -> Call:
    """The request that the flags describe. Raises UsageError for flags that do not go together."""
    if given["paths"]:
        raise UsageError("PATH is for --resume; -T PATH and -F NAME=@PATH send a file at once")
    standard_input = StandardInput()
    files = _files(given, standard_input)
    headers = headers_from(given)
    if given["get"] and (given["form"] or given["form_string"] or given["json"] or given["upload_file"]):
        raise UsageError("-G is for -d and its variants: it does not go together with -F, --json or -T")
    body = None if given["get"] else body_from(given, standard_input)
    removed = {name.lower() for name, value in headers.items() if value is None}
    if body is not None and "content-type" in removed:
        body.content_type = None  # -H 'Content-Type:' removes it
    if files and body is not None:
        raise UsageError("-F makes the whole body: it does not go together with -d, --json or -T")
    if given["retry"] and standard_input.used:
        raise UsageError("--retry needs a body that can be read again, and standard input cannot")
    method = given["method"] or ("PUT" if given["upload_file"] else "POST" if files or body else "GET")
    url = given["url"]
    if given["upload_file"]:
        url = _with_filename(url, given["upload_file"])
    elif given["get"]:
        url = url_with_data(given, standard_input)
    return Call(
        method,
        url,
        params=_pairs("--param", given["param"]),
        data=body,
        files=files,
        headers=headers,
        cookies=cookies_from(given),
        auth=credentials_from(given),
        boundary=given["boundary"],
        chunked=given["chunked"],
    )


def _files(given: dict[str, Any], standard_input: StandardInput) -> list[tuple[str, tuple[Any, ...]]]:
    """The parts of -F and --form-string in the order of the command line, as in curl."""
    forms = iter([parse_form(text).as_file(standard_input) for text in given["form"]])
    strings = iter(_pairs("--form-string", given["form_string"]))
    files: list[tuple[str, tuple[Any, ...]]] = []
    for kind in given["order"]:
        if kind == "form":
            files.append(next(forms))
        elif kind == "form_string":
            name, value = next(strings)
            files.append((name, (None, value)))
    return files


def _with_filename(url: str, path: str) -> str:
    """Append the file's name to a URL that ends with a slash, as curl does."""
    end = min((url.index(mark) for mark in "?#" if mark in url), default=len(url))
    if path == "-" or not url[:end].endswith("/"):
        return url
    return url[:end] + quote(as_utf8(Path(path).name), safe="") + url[end:]


def remote_name(url: str) -> str:
    """The name that ends the path of `url`, as written there, for -O. Raises UsageError without one."""
    path = re.split("[?#]", url.partition("://")[2], maxsplit=1)[0].partition("/")[2]
    name = path.rpartition("/")[2]
    if name in (".", "..") or Path(name).name != name or not name:
        raise UsageError(f"-O: the path of {url!r} does not end with the name of a file; use -o PATH")
    return name


def _pairs(flag: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{flag} {text!r}: expected name=value")
        pairs.append((name, value))
    return pairs
