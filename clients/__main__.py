"""The command `wireproof`; from a checkout that is not installed: `python -m clients`."""

import sys
from importlib import import_module
from pathlib import Path

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.__main__").main()

import click

from .cli.version_option import version_option

# Each sub-command is `main` of the module of its name. The summaries stand here, because --help loads none.
SUMMARIES = {
    "serve": "Start a server that takes uploads.",
    "two-hosts": "Start two servers, an object store and haproxy, to try them out.",
    "upload": "Send a file, a form or any other request, and show the response.",
    "download": "Download a file, and go on where an earlier try broke off.",
    "stream": "Read a stream of events and say whether it really was one.",
    "replay": "Send requests of a server's history again, byte for byte.",
    "compare": "Send recorded requests to several servers and compare their responses.",
    "fuzz": "Send generated requests to several servers and compare their responses.",
    "benchmark": "Measure how fast servers take the same uploads.",
    "matrix": "Show how the parsers of others read the same uploads.",
    "cases": "List the recorded requests, or show one.",
    "streamlit": "Start a page that shows what Streamlit makes of uploads.",
}
# A module `streamlit` would hide the package of this name: the folder of the page is searched first.
_MODULES = {"streamlit": "streamlit_page", "two-hosts": "two_hosts"}


class LazyGroup(click.Group):
    """Imports a sub-command when it is run, so that `wireproof --help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUMMARIES:
            return None
        command = import_module(f".{_MODULES.get(cmd_name, cmd_name)}", __package__).main
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.group("wireproof", cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@version_option("wireproof")
def main() -> None:
    """Upload files over HTTP, see every byte, and compare how servers read them."""


if __name__ == "__main__":
    main(prog_name="wireproof")
