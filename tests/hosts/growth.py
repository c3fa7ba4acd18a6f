"""Measures what more processes and a second host bring: python -m tests.hosts.growth

Needs wrk, and what the tests of this folder need. Each round measures everything once, in another order, so
what else the machine does slows all of them alike. Printed are the medians as ratios to one process.
"""

import argparse
import itertools
import random
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Final

import requests

from clients.launch import PROJECT_ROOT, start
from tests.hosts.layout import HOSTS, URL, Layout, behind_haproxy
from tests.hosts.network import ADDRESSES, Network
from tests.object_store import ObjectStore

_SCRIPT: Final = PROJECT_ROOT / "clients" / "benchmarking" / "wrk.lua"
_MARK: Final = "@12-DIGITS--@"
_CONNECTIONS: Final = 32
_SMALL: Final = 4096
_FILE: Final = bytes(range(256)) * 256
_WORKERS: Final = (1, 2, 4)
_BACKENDS: Final = ("socket", "gunicorn")
# No two uploads have the same content.
_NUMBERS: Final = itertools.count(0, 10_000_000)

_Setup = Callable[[], AbstractContextManager[str]]


@contextmanager
def _processes(backend: str, workers: int) -> Iterator[str]:
    """A server with a store in memory that all its processes share; gives its URL."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        env = {"WIREPROOF_WORKERS": str(workers), "WIREPROOF_DURABILITY": "fast", "WIREPROOF_QUIET": "1"}
        with start(backend, env=env, store=Path(folder)) as running:
            yield running.url


@contextmanager
def _hosts(backend: str, count: int, network: Network, store: ObjectStore) -> Iterator[str]:
    """One or two hosts of one process each, behind haproxy and on the object store."""
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(network, store, Path(folder), (backend, backend), f"growth-{backend}-{count}")
        layout.more = {"WIREPROOF_WORKERS": "1", "WIREPROOF_QUIET": "1"}
        try:
            for name in HOSTS[:count]:
                layout.start(name)
            with behind_haproxy(layout):
                yield URL
        finally:
            layout.stop()


def _rate(url: str, request: str, seconds: int) -> float:
    """Requests a second. Raises AssertionError if one was not answered with 200."""
    with tempfile.TemporaryDirectory() as folder:
        template, answers = Path(folder) / "template", Path(folder) / "answers"
        template.write_bytes(request.encode("ascii"))
        command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", "-s", str(_SCRIPT), url, "--"]
        arguments = [str(template), _MARK, str(next(_NUMBERS)), str(answers)]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
        (line,) = (line for line in done.stdout.splitlines() if line.startswith("MEASURED"))
        microseconds, failed = map(int, line.split()[1:3])
        assert failed == 0, f"{failed} connections failed"
        return _count(answers.read_bytes()) / microseconds * 1e6


def _count(answers: bytes) -> int:
    """How many answers there are. Raises AssertionError if one is not 200."""
    at = count = 0
    while at < len(answers):
        end = answers.index(b"\n", at)
        status, size = answers[at:end].split()
        assert status == b"200", f"an answer was {status.decode('ascii')}"
        at = end + 1 + int(size)
        count += 1
    return count


def _measure(setup: _Setup, seconds: int) -> tuple[float, float]:
    """The rates of uploads of 4 KiB, each another file, and of downloads of one file of 64 KiB."""
    with setup() as url:
        host = url.removeprefix("http://")
        with requests.Session() as session:
            session.trust_env = False
            said = session.put(f"{url}/upload/a", _FILE, timeout=60)
        href = said.json()["files"][0]["href"]
        body = _MARK + "x" * (_SMALL - 12)
        upload = f"PUT /upload/a HTTP/1.1\r\nHost: {host}\r\nContent-Length: {_SMALL}\r\n\r\n{body}"
        download = f"GET {href} HTTP/1.1\r\nHost: {host}\r\n\r\n"
        return _rate(url, upload, seconds), _rate(url, download, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description="What more processes and a second host bring.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    with Network() as network, network.entered("store"), ObjectStore(ADDRESSES["store"]) as store:
        setups: dict[tuple[str, str], _Setup] = {}
        for backend in _BACKENDS:
            for workers in _WORKERS:
                setups[backend, f"{workers} processes"] = partial(_processes, backend, workers)
            for count in (1, 2):
                setups[backend, f"{count} hosts"] = partial(_hosts, backend, count, network, store)
        rates: dict[tuple[str, str], list[tuple[float, float]]] = {name: [] for name in setups}
        for _ in range(options.rounds):
            for name in random.sample(list(setups), len(setups)):
                by_hosts = "hosts" in name[1]
                with network.entered("proxy") if by_hosts else nullcontext():
                    rates[name].append(_measure(setups[name], options.seconds))
    _show(rates)


def _show(rates: dict[tuple[str, str], list[tuple[float, float]]]) -> None:
    """A line for each setup: both medians as ratios to one process or one host, and as rates."""
    print("| server | setup | uploads | downloads | uploads/s | downloads/s |\n|---|---|---|---|---|---|")
    for (backend, setup), measured in rates.items():
        one = rates[backend, "1 hosts" if "hosts" in setup else "1 processes"]
        medians = [statistics.median(pair[kind] for pair in measured) for kind in (0, 1)]
        ratios = [
            statistics.median(pair[kind] / base[kind] for pair, base in zip(measured, one, strict=True))
            for kind in (0, 1)
        ]
        shown = " | ".join([f"{ratio:.2f}" for ratio in ratios] + [f"{median:.0f}" for median in medians])
        print(f"| {backend} | {setup} | {shown} |")


if __name__ == "__main__":
    main()
