"""Sends one message to several of the configured servers at once, and compares what they respond."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from ..contract.peers import Peer
from ..contract.problems import Problem
from ..contract.route import Context
from .delivery import deliver, responds
from .history import History
from .history_writer import Busy, Failed
from .message import Message
from .outcome import Outcome
from .outcome_comparison import agreement, differences
from .sent_requests import last_change, row_after

MAX_SENDS = 2
"""So many sends run in one process at a time: each waits in a thread for servers, maybe for this one."""

_sends = threading.BoundedSemaphore(MAX_SENDS)


def peers_of(context: Context) -> tuple[Peer, ...]:
    """The servers that requests may be sent to. Without the setting `peers` it is this server alone."""
    return context.peers or (() if context.own is None else (context.own,))


def named_peers(context: Context, names: Sequence[str] | None) -> tuple[Peer, ...]:
    """The peers with these names, or all for None. Raises Problem `bad_value`."""
    peers = {peer.name: peer for peer in peers_of(context)}
    if not peers:
        raise Problem("bad_value", "no server to send to is known; --peers or WIREPROOF_PEERS names some")
    if names is None:
        return tuple(peers.values())
    unknown = [name for name in names if name not in peers]
    if unknown or not names:
        what = f"{unknown[0]!a} is no server of this page" if unknown else "no server is named"
        raise Problem("bad_value", f"{what}; there are {', '.join(peers)}")
    return tuple(peers[name] for name in dict.fromkeys(names))


@contextmanager
def a_send() -> Iterator[None]:
    """One of the sends of this process. Raises Problem `overloaded` when all are under way."""
    if not _sends.acquire(blocking=False):
        raise Problem(
            "overloaded",
            f"{MAX_SENDS} requests of this page are being sent already; try again in a second",
            headers=(("Retry-After", "1"),),
        )
    try:
        yield
    finally:
        _sends.release()


def send_to_all(message: Message, peers: Sequence[Peer]) -> list[Outcome]:
    """Send the same bytes to each peer, at once. The outcomes are in the order of the peers."""
    with ThreadPoolExecutor(len(peers), "send") as pool:
        return list(pool.map(lambda peer: deliver(message, peer), peers))


def send_and_describe(message: Message, peers: Sequence[Peer], context: Context) -> dict[str, Any]:
    """Send the message to all peers, and describe what came and where the request is in the history."""
    history = context.history if isinstance(context.history, History) else None
    try:
        change = None if history is None else last_change(history)
    except (Busy, Failed):
        change = None
    outcomes = send_to_all(message, peers)
    found = None if history is None or change is None else row_after(history, change, message)
    return describe(outcomes, found)


def describe(outcomes: Sequence[Outcome], request_id: int | None) -> dict[str, Any]:
    """What the page gets of a send; `request_id` is the row of the request in the history."""
    return {
        "id": request_id,
        "runs": [outcome.describe() for outcome in outcomes],
        "agreement": agreement(outcomes),
        "diffs": [list(difference) for difference in differences(outcomes)],
    }


def states(context: Context) -> list[dict[str, Any]]:
    """Each peer with its name, its URL and whether it responds, for `/ui/server`. Takes at most a second."""
    peers = peers_of(context)
    if not peers:
        return []
    with ThreadPoolExecutor(len(peers), "state") as pool:
        up = pool.map(responds, peers)
        return [
            {"name": peer.name, "url": peer.url, "up": is_up} for peer, is_up in zip(peers, up, strict=True)
        ]
