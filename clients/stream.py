"""Reads a stream of events and says whether it was a real one: python clients/stream.py URL

What comes from a server is made printable first. rich uses colours only on a terminal without NO_COLOR.
"""

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
from rich.text import Text

from .cli.command import ClientCommand, say_error
from .cli.output import colour, pretty, printable, refusal, standard_output
from .cli.time_limit import Seconds
from .cli.version_option import version_option
from .http1.encode import as_utf8
from .http1.errors import UsageError
from .http1.request_url import parse_request_url
from .http1.upload_call import Call
from .sse import requests_stream, socket_stream
from .sse.classification import Classification, StreamKind, classify_stream
from .sse.event_stream import Comment
from .sse.plot import plot
from .sse.stream_recording import Arrival, StreamRecording, record
from .sse.streaming_response import OpenStream

CLIENTS: dict[str, OpenStream] = {
    "socket": socket_stream.open_stream,
    "requests": requests_stream.open_stream,
}
NOT_A_STREAM = 1
_MAX_DELAY = 86400.0
_STYLES = {
    StreamKind.REAL: "bold green",
    StreamKind.PSEUDO: "bold yellow",
    StreamKind.BUFFERED: "bold red",
    StreamKind.UNDECIDED: "bold",
}
_INDENT = " " * 12
# What to ask for when --data is not given, by the end of the path.
DEFAULT_DATA: dict[str, dict[str, Any]] = {
    "/stream_echo": {"query": "echo this", "delay": 0.3},
    "/v1/chat/completions": {
        "model": "echo",
        "messages": [{"role": "user", "content": "Say this again, word by word."}],
        "stream": True,
        "delay": 0.1,  # of the servers here; OpenAI has no such member
    },
}
_EPILOG = """
Exit status: 0 a real stream, an undecided one, or with --no-stream a pseudo-stream; 1 a refusal, a response
that is not an event stream, a stream that was buffered on the way, or output that cannot be written; 2 wrong
usage; 3 no response, or a stream that broke off; 130 Ctrl-C.
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
    help="What reads the stream: bytes made by hand on a socket, or requests.",
)
@click.option(
    "-d",
    "--data",
    metavar="JSON",
    help="The body of a POST. The default suits /stream_echo or /v1/chat/completions; any other URL is read "
    "with a GET.",
)
@click.option(
    "--no-stream",
    "whole",
    is_flag=True,
    help="Read the whole response before its first event, as a careless client does.",
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
@version_option("wireproof stream")
def main(url: str, client: str, whole: bool, max_time: float | None, **given: Any) -> None:
    """Read the Server-Sent Events of URL, print each with its time, and say whether the stream was real."""
    console = Console(highlight=False, soft_wrap=True)

    def on_arrival(arrival: Arrival) -> None:
        _show_arrival(console, arrival)

    standard_output()
    data = request_data(url, given["data"])
    call = stream_call(url, data, given["token"])
    recording = record(call, CLIENTS[client], whole=whole, max_time=max_time, on_arrival=on_arrival)
    sys.exit(_report(console, recording, delay_of(data)))


def request_data(url: str, given: str | None) -> str | None:
    """The JSON text to send, or None. Raises UsageError for text that is not JSON, and for an invalid URL."""
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
    """The delay in seconds for which the request asks, as the servers here understand it, or None."""
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


def _report(console: Console, recording: StreamRecording, delay: float | None) -> int:
    """Show the result at the end; return the exit status."""
    if not 200 <= recording.response.status < 300:
        click.echo(refusal(recording.response), err=True, color=colour(sys.stderr))
        return NOT_A_STREAM
    if not recording.is_event_stream:
        _show_other_response(console, recording)
        return NOT_A_STREAM
    classification = classify_stream(recording.times, delay=delay, read_whole=recording.read_whole)
    _show_classification(console, recording, classification)
    if recording.broken is not None:
        say_error(str(recording.broken))
        return recording.broken.exit_status
    return NOT_A_STREAM if classification.kind is StreamKind.BUFFERED else 0


def _show_arrival(console: Console, arrival: Arrival) -> None:
    """Print one event or comment with its time, at once; further lines of its data are indented."""
    item = arrival.item
    if isinstance(item, Comment):
        text, style = f": {printable(item.text)}", "dim"
    else:
        kind = "" if item.type == "message" else f"{printable(item.type)}: "
        text, style = kind + printable(item.data).replace("\n", "\n" + _INDENT), ""
    console.print(Text(f"{arrival.at:>8.3f} s  ", "cyan").append(text, style))


def _show_classification(
    console: Console, recording: StreamRecording, classification: Classification
) -> None:
    """Print the plot, the kind of the stream and the sentences that show why."""
    console.print()
    for line in plot(recording.times):
        console.print(Text(line))
    kind = classification.kind
    console.print(Text("\nverdict: ").append(str(kind), _STYLES[kind]))
    for sentence in (*classification.evidence, *_facts(recording)):
        console.print(Text(f"  {sentence}"))


def _show_other_response(console: Console, recording: StreamRecording) -> None:
    """Print a response that is not an event stream, and say so."""
    kind = printable(recording.response.header("content-type") or "without a Content-Type")
    console.print(Text(pretty(recording.response)))
    at = f"{recording.last_byte:.3f} s"
    console.print(Text(f"\nverdict: not an event stream, but one response ({kind}) at {at}"))


def _facts(recording: StreamRecording) -> list[str]:
    """What came on the wire, whatever the client made of it."""
    span = f"from {recording.first_byte:.3f} s to {recording.last_byte:.3f} s"
    facts = [f"on the wire: {span}, in {recording.reads} reads"]
    comments = len(recording.arrivals) - len(recording.events)
    if comments:
        facts.append(f"comments between the events: {comments}")
    if recording.unfinished:
        facts.append("the stream ended inside an event, which is not counted")
    return facts


if __name__ == "__main__":
    main()
