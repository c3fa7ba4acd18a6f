"""The flags that make the fields of a request, in curl's spelling, and those fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ..http1.encode import as_utf8
from ..http1.errors import UsageError

HEADER = click.option(
    "-H",
    "--header",
    multiple=True,
    metavar="LINE",
    help="A header field 'Name: value'. 'Name:' removes the field, 'Name;' sends it empty. Repeatable.",
)
USER_AGENT = click.option(
    "-A", "--user-agent", metavar="TEXT", help="The User-Agent; an empty one is not sent."
)
COOKIE = click.option(
    "-b",
    "--cookie",
    multiple=True,
    metavar="NAME=VALUE",
    help="A cookie, or several: 'a=1; b=2'. Repeatable.",
)
USER = click.option(
    "-u",
    "--user",
    metavar="NAME:PASSWORD",
    help="Basic credentials. The command asks for a missing password.",
)
TOKEN = click.option(
    "--token",
    envvar="WIREPROOF_TOKEN",
    metavar="TOKEN",
    help="The server's token, sent as a Bearer credential (or WIREPROOF_TOKEN).",
)


def headers_from(given: Mapping[str, Any]) -> dict[str, str | bytes | None]:
    """The fields of -H, -A, --token and --expect. None removes a field. Raises UsageError."""
    headers: dict[str, str | bytes | None] = {}
    for line in given["header"]:
        name, value = _header(line)
        known = next((key for key in headers if key.lower() == name.lower()), name)
        earlier = headers.get(known)
        if isinstance(earlier, bytes) and value is not None:
            # They become one field (RFC 9110, section 5.3), because requests cannot send two of a name.
            value = earlier + (b"; " if name.lower() == "cookie" else b", ") + value
        headers[known] = value
    names = {name.lower() for name in headers}
    if given["user_agent"] is not None and "user-agent" not in names:
        headers["User-Agent"] = as_utf8(given["user_agent"]) or None
    if given.get("expect"):
        headers["Expect"] = "100-continue"
    if given["token"] and not given["user"] and "authorization" not in names:
        headers["Authorization"] = as_utf8(f"Bearer {given['token']}")
    return headers


def _header(line: str) -> tuple[str, bytes | None]:
    name, colon, value = line.partition(":")
    if colon:
        return name, as_utf8(value.strip(" \t")) or None
    if line.endswith(";"):
        return line[:-1], b""
    raise UsageError(f"-H {line!r}: expected 'Name: value', 'Name:' or 'Name;'")


def cookies_from(given: Mapping[str, Any]) -> dict[str, str | None]:
    """The cookies of -b. Raises UsageError."""
    cookies: dict[str, str | None] = {}
    for pair in (pair for text in given["cookie"] for pair in text.split(";") if pair.strip(" \t")):
        name, equals, value = pair.strip(" \t").partition("=")
        if not equals:
            raise UsageError(f"-b {pair!r}: expected name=value")
        if name in cookies:
            raise UsageError(f"-b: the cookie {name!r} is given twice; -H 'Cookie: ...' can send it twice")
        cookies[name] = as_utf8(value).decode("latin-1")
    return cookies


def credentials_from(given: Mapping[str, Any]) -> tuple[bytes, bytes] | None:
    """Name and password of -u. A missing password is asked for."""
    user = given["user"]
    if user is None:
        return None
    name, colon, password = user.partition(":")
    if not colon:
        password = click.prompt(f"Password for {name!r}", hide_input=True, err=True)
    return as_utf8(name), as_utf8(password)
