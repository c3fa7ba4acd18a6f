"""The options of compare for a URL that takes uploads, and which of its options go with which level."""

import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from ..comparison.cases import Case
from ..comparison.options import name_and_url, unlike_names
from ..http1.errors import UsageError
from ..http1.socket_transport import trusted_context
from .endpoint import Endpoint, Fields, endpoint_at
from .fitting import KINDS, kind_of
from .probing import Level

Command = TypeVar("Command", bound=Callable[..., Any])
# field-name ":" OWS field-value                                          RFC 9112, section 5
_FIELD = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
# These decide what is sent, and every request has its own.
_NOT_ADDED = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "user-agent", "connection"}
)
# By the name of the parameter.
_NOT_FOR_BYTES = ("behind", "write_known", "fields", "token", "cacert", "insecure")
_ONLY_FOR_BYTES = ("ignored", "fail_fast", "clients")
_ONLY_FOR_ONE = ("behind", "write_known")


def endpoint_options(command: Command) -> Command:
    """The options for URLs of others; they are the `options` of the functions below."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def filtered(cases: Sequence[Case], options: Mapping[str, Any]) -> list[Case]:
    """The cases of `--only` and `--rules`."""
    only, rules = options["only"], options["rules"]
    unknown = sorted(set(only) - set(KINDS))
    if unknown:
        raise click.UsageError(f"--only: {', '.join(unknown)} is not among {', '.join(KINDS)}")
    return [
        case
        for case in cases
        if (not only or kind_of(case.request) in only)
        and (not rules or any(fnmatchcase(rule, pattern) for rule in case.rules for pattern in rules))
    ]


def endpoints(values: Sequence[str], options: Mapping[str, Any]) -> list[Endpoint]:
    """The endpoints at `URL` or `NAME=URL`. Raises UsageError of click for what is none."""
    fields, tls = _fields(options), _context(options)
    try:
        found = [endpoint_at(url, fields, tls, name) for name, url in map(name_and_url, values)]
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    unlike_names([endpoint.name for endpoint in found])
    return found


def server_behind(options: Mapping[str, Any]) -> Endpoint | None:
    """The endpoint of `--behind`, if it is given."""
    return endpoints([options["behind"]], options)[0] if options["behind"] else None


def refuse_options_without_effect(context: click.Context, level: Level, urls: int) -> None:
    """Raises UsageError for an option that has no meaning at this level, or for so many URLs."""
    names = _NOT_FOR_BYTES if level is Level.BYTES else _ONLY_FOR_BYTES
    given = [
        parameter
        for parameter in context.command.params
        if context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    ]
    for parameter in given:
        if parameter.name in names:
            which = "parsed and status" if level is Level.BYTES else "bytes"
            raise click.UsageError(f"{parameter.opts[0]} is for --level {which}, and this is {level.value}")
        if parameter.name in _ONLY_FOR_ONE and urls != 1:
            raise click.UsageError(f"{parameter.opts[0]} is for one URL")
        if parameter.name == "every" and level is not Level.BYTES and not context.params["html_path"]:
            raise click.UsageError("--all is for --level bytes, or for --html")
        if parameter.name == "backends" and urls:
            raise click.UsageError("--backends is for a comparison without URLs")


def _fields(options: Mapping[str, Any]) -> Fields:
    """The fields of `-H` and `--token`. Raises UsageError for what cannot be added to every request."""
    lines = [*options["fields"]]
    if options["token"]:
        lines.append(f"Authorization: Bearer {options['token']}")
    fields = []
    for line in lines:
        matched = _FIELD.fullmatch(line)
        if matched is None:
            raise click.UsageError(f"{line!r} is not 'NAME: VALUE' in ISO-8859-1")
        if matched[1].lower() in _NOT_ADDED:
            raise click.UsageError(f"-H cannot set {matched[1]}: every case has its own")
        fields.append((matched[1], matched[2]))
    if sum(name.lower() == "authorization" for name, _ in fields) > 1:
        raise click.UsageError("there are two Authorization fields: give --token or -H")
    return tuple(fields)


def _context(options: Mapping[str, Any]) -> ssl.SSLContext:
    try:
        context = trusted_context(options["cacert"])
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    if options["insecure"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> list[str]:
    return [name.strip() for name in (value or "").split(",") if name.strip()]


_OPTIONS = (
    click.option(
        "--level",
        type=click.Choice([level.value for level in Level]),
        help="What is compared: every byte, what the answers tell, or the status. Default: by the answers.",
    ),
    click.option(
        "--only", metavar="KINDS", callback=_names, help=f"Only these kinds of body: {', '.join(KINDS)}."
    ),
    click.option("--rules", metavar="GLOBS", callback=_names, help="Only cases of such rules, as M*,J5."),
    click.option(
        "-H", "fields", metavar="FIELD", multiple=True, help="Add 'NAME: VALUE' to each request. Repeatable."
    ),
    click.option("--token", metavar="TOKEN", help="Add 'Authorization: Bearer TOKEN' to each request."),
    click.option("--cacert", metavar="PATH", help="For https: trust the certificates of this file."),
    click.option("--insecure", is_flag=True, help="For https: accept every certificate."),
    click.option(
        "--behind", metavar="URL", help="The server behind the proxy of the URL, to tell them apart."
    ),
    click.option(
        "--write-known",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Write today's findings as a baseline for --known.",
    ),
    click.option(
        "--html",
        "html_path",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Write one HTML page, in which each byte of a request is explained.",
    ),
)
