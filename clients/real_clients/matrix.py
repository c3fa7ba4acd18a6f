"""The facts of an upload for the table: what the client put on the wire."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..http1.sent_request import Sent
from .exchanges import Exchange

_BARE_BOUNDARY = re.compile(r"(boundary=)(\"?)[^\";]+")


@dataclass(frozen=True, slots=True)
class WireFacts:
    """One upload of one client. `odd` is how the client spells the odd file name."""

    requests: str
    framing: str
    expect: str
    content_types: str
    fields: str
    odd: str
    statuses: str


def wire_facts(exchanges: Sequence[Exchange]) -> WireFacts:
    """The facts of one upload, which may consist of several requests."""
    sent = [exchange.sent for exchange in exchanges]
    return WireFacts(
        requests=_listed(f"{each.method} {each.line.rpartition(' ')[2]}" for each in sent),
        framing=_listed(map(_framing, sent)),
        expect=_expect(exchanges),
        content_types=_listed(_content_type(each) for each in sent),
        fields=", ".join(name for name, _ in sent[-1].fields),
        odd=_odd_name(sent[-1]),
        statuses=_listed(str(exchange.response.status) for exchange in exchanges),
    )


def _listed(values: Iterable[str]) -> str:
    """Each value once, in order."""
    return ", ".join(dict.fromkeys(values))


def _framing(sent: Sent) -> str:
    if sent.field("Transfer-Encoding") is not None:
        return "chunked"
    return "length" if sent.field("Content-Length") is not None else "none"


def _expect(exchanges: Sequence[Exchange]) -> str:
    if all(exchange.sent.field("Expect") is None for exchange in exchanges):
        return ""
    return "yes, 100 sent" if any(exchange.continues for exchange in exchanges) else "yes, no 100"


def _content_type(sent: Sent) -> str:
    value = (sent.field("Content-Type") or b"none").decode("latin-1")
    return _BARE_BOUNDARY.sub(r"\1\2…", value)


def _odd_name(sent: Sent) -> str:
    """The parameters of the disposition of the part `odd`, or the last segment of the target."""
    boundary = sent.boundary
    if boundary is None:
        return readable(sent.line.split(" ")[1].rpartition("/")[2].encode("latin-1"))
    for part in sent.body.split(b"--" + boundary):
        head = part.partition(b"\r\n\r\n")[0]
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-disposition:") and re.search(rb'name="?odd"?', line):
                return readable(line[line.lower().index(b"filename") :])
    return ""


def readable(data: bytes) -> str:
    """The data as text: UTF-8, and other bytes as `\\xNN`."""
    return data.decode("utf-8", "backslashreplace")
