"""Sends one message to several of the configured servers at once, and compares what they respond."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from ..contract.peers import Peer
from ..contract.problems import Problem
from ..contract.route import Context
from .agreement import agreement, differences
from .delivery import Run, deliver, responds
from .message import Message

MAX_SENDS = 2
"""So many sends run in one process at a time: each waits in a thread for servers, maybe for this one."""

OWN_NAME = "self"
"""The name of this server where the setting `peers` gives it none."""

_sends = threading.BoundedSemaphore(MAX_SENDS)


def peers_of(context: Context) -> tuple[Peer, ...]:
    """The servers that requests may be sent to. Without the setting `peers` it is this server alone."""
    if context.peers or context.address is None:
        return context.peers
    return (Peer(OWN_NAME, context.address),)


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


def send_to_all(message: Message, peers: Sequence[Peer]) -> list[Run]:
    """Send the same bytes to each peer, at once. The runs are in the order of the peers."""
    with ThreadPoolExecutor(len(peers), "send") as pool:
        return list(pool.map(lambda peer: deliver(message, peer), peers))


def describe(runs: Sequence[Run], request_id: int | None) -> dict[str, Any]:
    """What the page gets of a send; `request_id` is the row of the request in the history."""
    return {
        "id": request_id,
        "runs": [run.describe() for run in runs],
        "agreement": agreement(runs),
        "diffs": [list(difference) for difference in differences(runs)],
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
