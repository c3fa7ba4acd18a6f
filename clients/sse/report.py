"""Shows a stream on the terminal: each event as it comes, then the plot and the verdict with its evidence.

What comes from a server is made printable first. rich leaves colours out for NO_COLOR and where no terminal
is.
"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from ..cli.output import pretty, printable
from .classification import Judgement, StreamVerdict
from .event_stream import Comment
from .plot import plot
from .stream_recording import Arrival, Reception

_STYLES = {
    StreamVerdict.REAL: "bold green",
    StreamVerdict.PSEUDO: "bold yellow",
    StreamVerdict.BUFFERED: "bold red",
    StreamVerdict.UNDECIDED: "bold",
}
_INDENT = " " * 12


def show_arrival(console: Console, arrival: Arrival) -> None:
    """One event or comment with its time, at once; further lines of its data are indented."""
    item = arrival.item
    if isinstance(item, Comment):
        text, style = f": {printable(item.text)}", "dim"
    else:
        kind = "" if item.type == "message" else f"{printable(item.type)}: "
        text, style = kind + printable(item.data).replace("\n", "\n" + _INDENT), ""
    console.print(Text(f"{arrival.at:>8.3f} s  ", "cyan").append(text, style))


def show_verdict(console: Console, reception: Reception, judgement: Judgement) -> None:
    """The plot, the verdict and the sentences that show why."""
    console.print()
    for line in plot(reception.times):
        console.print(Text(line))
    console.print(Text("\nverdict: ").append(str(judgement.verdict), _STYLES[judgement.verdict]))
    for sentence in (*judgement.evidence, *_facts(reception)):
        console.print(Text(f"  {sentence}"))


def show_no_stream(console: Console, reception: Reception) -> None:
    """An answer that is no event stream: what it is, and why there is nothing to judge."""
    kind = printable(reception.response.header("content-type") or "without a Content-Type")
    console.print(Text(pretty(reception.response)))
    console.print(Text(f"\nverdict: no event stream, but one answer ({kind}) at {reception.last_byte:.3f} s"))


def _facts(reception: Reception) -> list[str]:
    """What the wire tells, whoever read it."""
    span = f"from {reception.first_byte:.3f} s to {reception.last_byte:.3f} s"
    facts = [f"on the wire: {span}, in {reception.reads} reads"]
    comments = len(reception.arrivals) - len(reception.events)
    if comments:
        facts.append(f"comments between the events: {comments}")
    if reception.unfinished:
        facts.append("the stream ended inside an event, which counts for nothing")
    return facts
