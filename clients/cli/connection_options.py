"""The flags that say how a command sends and what it prints of it, in curl's spelling."""

import click

from .time_limit import Seconds

SILENT = click.option(
    "-s",
    "--silent",
    is_flag=True,
    help="Print no progress, and no error but wrong usage.",
)
SHOW_ERROR = click.option("-S", "--show-error", is_flag=True, help="With -s, print errors nevertheless.")
VERBOSE = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Print the heads of the request (>) and of the responses (<) on standard error.",
)
MAX_TIME = click.option(
    "-m",
    "--max-time",
    type=Seconds(),
    metavar="SECONDS",
    help="Give up a try that takes longer than this.",
)
CACERT = click.option("--cacert", metavar="PATH", help="For https: trust the certificates of this file.")
SHOW_WIRE = click.option(
    "--show-wire", is_flag=True, help="Print the bytes sent and received on standard error."
)
