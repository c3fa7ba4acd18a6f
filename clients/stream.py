"""Reads a stream of events and says whether it was one: python clients/stream.py URL"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.stream").main()

from typing import Any

import click
from rich.console import Console

from .cli.command import ClientCommand, say_error
from .cli.output import colour, refusal, standard_output
from .cli.time_limit import Seconds
from .http1.encode import as_utf8
from .http1.errors import UsageError
from .http1.request_url import parse_request_url
from .http1.upload_call import Call
from .http1.version import project_version
from .sse import requests_stream, socket_stream
from .sse.classification import Judgement, StreamVerdict, judge
from .sse.report import show_arrival, show_no_stream, show_verdict
from .sse.stream_recording import Arrival, Reception, receive
from .sse.streaming_response import OpenLive

CLIENTS: dict[str, OpenLive] = {"socket": socket_stream.open_live, "requests": requests_stream.open_live}
NOT_A_STREAM = 1
_MAX_DELAY = 86400.0
# What to ask for when --data is not given, by the end of the path.
DEFAULT_DATA: dict[str, dict[str, Any]] = {
    "/stream_echo": {"query": "echo this", "delay": 0.3},
    "/v1/chat/completions": {
        "model": "echo",
        "messages": [{"role": "user", "content": "Say this again, word by word."}],
        "stream": True,
    },
}
_EPILOG = """
Exit status: 0 a real stream, one that cannot be judged, or with --no-stream a pseudo-stream; 1 a refusal,
no event stream, or one that was buffered on the way; 2 wrong usage; 3 no answer, or a stream that broke off;
130 Ctrl-C.
"""


@click.command(
    "stream", cls=ClientCommand, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.argument("url")
@click.option(
    "--client",
    type=click.Choice(tuple(CLIENTS)),
    default="socket",
    show_default=True,
    help="Who reads the stream.",
)
@click.option(
    "-d",
    "--data",
    metavar="JSON",
    help="The request's body, by POST. By default one that suits /stream_echo or /v1/chat/completions; for "
    "any other URL none, by GET.",
)
@click.option(
    "--no-stream",
    "whole",
    is_flag=True,
    help="Read the answer whole first: the pseudo-streaming of a careless client.",
)
@click.option(
    "--token",
    envvar="WIREPROOF_TOKEN",
    metavar="TOKEN",
    help="The server's token, as a Bearer credential (or WIREPROOF_TOKEN).",
)
@click.option(
    "--max-time",
    type=Seconds(),
    metavar="SECONDS",
    help="Stop reading after this time.",
)
@click.version_option(project_version(), message="%(prog)s %(version)s")
def main(url: str, client: str, whole: bool, max_time: float | None, **given: Any) -> None:
    """Read the Server-Sent Events of URL, print each with the time at which it came, and judge the stream."""
    console = Console(highlight=False, soft_wrap=True)

    def on_arrival(arrival: Arrival) -> None:
        show_arrival(console, arrival)

    standard_output()
    data = request_data(url, given["data"])
    call = stream_call(url, data, given["token"])
    reception = receive(call, CLIENTS[client], whole=whole, max_time=max_time, on_arrival=on_arrival)
    sys.exit(_report(console, reception, delay_of(data)))


def request_data(url: str, given: str | None) -> str | None:
    """The JSON text to send, or None. Raises UsageError for text that is no JSON, and for what is no URL."""
    if given is None:
        path = parse_request_url(url).target.partition("?")[0].rstrip("/")
        default = next((data for end, data in DEFAULT_DATA.items() if path.endswith(end)), None)
        return None if default is None else json.dumps(default)
    try:
        json.loads(given)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--data is not JSON: {error}") from None
    return given


def delay_of(data: str | None) -> float | None:
    """The delay in seconds for which the request asks, as `/stream_echo` understands it, or None."""
    value = json.loads(data) if data is not None else None
    delay = value.get("delay") if isinstance(value, dict) else None
    if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= _MAX_DELAY:
        return None
    return float(delay)


def stream_call(url: str, data: str | None, token: str | None = None) -> Call:
    """A request for an event stream: a POST of JSON, or a GET as an EventSource makes it."""
    headers: dict[str, str | bytes | None] = {"Accept": "text/event-stream"}
    if data is not None:
        headers["Content-Type"] = "application/json"
    if token:
        headers["Authorization"] = as_utf8(f"Bearer {token}")
    body = None if data is None else as_utf8(data)
    return Call("GET" if data is None else "POST", url, data=body, headers=headers)


def _report(console: Console, reception: Reception, delay: float | None) -> int:
    """Show what there is to say at the end; return the exit status."""
    if not 200 <= reception.response.status < 300:
        click.echo(refusal(reception.response), err=True, color=colour(sys.stderr))
        return NOT_A_STREAM
    if not reception.is_event_stream:
        show_no_stream(console, reception)
        return NOT_A_STREAM
    judgement = judge(reception.times, delay=delay, read_whole=reception.read_whole)
    show_verdict(console, reception, judgement)
    if reception.broken is not None:
        say_error(str(reception.broken))
        return reception.broken.exit_status
    return _status(judgement)


def _status(judgement: Judgement) -> int:
    return NOT_A_STREAM if judgement.verdict is StreamVerdict.BUFFERED else 0


if __name__ == "__main__":
    main()
