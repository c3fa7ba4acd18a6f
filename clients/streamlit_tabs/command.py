"""Starts Streamlit with the page, or draws the page when Streamlit runs it."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import click

from ..cli.version_option import version_option

_PAGE = Path(__file__).resolve().parents[1] / "streamlit_page.py"


def draw_or_start() -> None:
    """Draw the page when Streamlit runs this process; else start Streamlit in place of it."""
    runtime = sys.modules.get("streamlit.runtime")
    if runtime is not None and runtime.exists():
        import_module(".page", __package__).show()
    else:
        main()


@click.command("streamlit", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="Port.  [default: 8501]")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@version_option("wireproof streamlit")
def main(host: str | None, port: int | None, arguments: tuple[str, ...]) -> None:
    """Start a page that shows what Streamlit makes of uploaded files, and sends them on.

    Arguments behind -- go to Streamlit: wireproof streamlit -- --server.headless true
    """
    if find_spec("streamlit") is None:
        raise click.UsageError("the page needs the extra 'streamlit': pip install 'wireproof[streamlit]'")
    given = {"server.address": host, "server.port": port}
    options = [f"--{name}={value}" for name, value in given.items() if value is not None]
    command = [sys.executable, "-m", "streamlit", "run", str(_PAGE), *options, *arguments]
    os.execv(command[0], command)
