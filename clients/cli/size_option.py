"""A number of bytes on a command line: 1048576, 512K, 8M, 8MiB, 1G."""

import re

import click

_SIZE = re.compile(r"([0-9]{1,15})(?:([KMG])(?:i?B)?)?", re.IGNORECASE)
_SHIFTS = {"": 0, "K": 10, "M": 20, "G": 30}


def size_in(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """The callback of an option: at least one byte. K, M and G are powers of 1024."""
    if value is None:
        return None
    found = _SIZE.fullmatch(value)
    size = int(found[1]) << _SHIFTS[(found[2] or "").upper()] if found else 0
    if not size:
        raise click.BadParameter(f"{value!r} is not a size, such as 8M", context, parameter)
    return size
