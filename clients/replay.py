"""Sends requests again, to the byte: python clients/replay.py ID... [--from URL] [--to URL ...]

The history of a running server has the bytes of requests that it has received. A file may have them too.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.replay").main()

import click

from .cli.command import ClientCommand
from .cli.output import printable
from .cli.time_limit import Seconds
from .cli.version_option import version_option
from .comparison.equality import first_difference
from .http1.errors import Unreachable, UsageError
from .http1.exchange import Exchange, exchange, request_methods, whole
from .http1.request_url import server_address
from .http1.response_parser import Response
from .http1.sent_request import is_whole, requests_in

_EPILOG = """
Exit status: 0 all servers responded and agree; 1 they differ, or one gave no whole response; 2 wrong usage,
which includes a request whose bytes are not all there; 3 the server with the history cannot be reached.
"""


@click.command("replay", cls=ClientCommand, epilog=_EPILOG)
@click.argument("requests", nargs=-1, required=True, metavar="ID|FILE...")
@click.option(
    "--from",
    "source",
    default="http://127.0.0.1:8000",
    show_default=True,
    metavar="URL",
    help="The server whose history has the requests.",
)
@click.option(
    "--to",
    "targets",
    multiple=True,
    metavar="URL",
    help="A server to send to; may be repeated.  [default: those that the page of the other server sends to]",
)
@click.option(
    "--token",
    envvar="WIREPROOF_TOKEN",
    metavar="TOKEN",
    help="The token of the server with the history (or WIREPROOF_TOKEN). It is not added to the requests.",
)
@click.option(
    "--max-time",
    type=Seconds(),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="Time for each exchange.",
)
@version_option("wireproof replay")
def main(
    *, requests: Sequence[str], source: str, targets: Sequence[str], token: str | None, max_time: float
) -> None:
    """Send requests again, byte for byte, and compare the responses.

    ID is the number of a request in the history of a server, FILE a file with the bytes of a request.
    """
    history = _History(source, token)
    addresses = {url: server_address(url) for url in targets} or history.peers()
    agreed = [_replay(name, history, addresses, max_time) for name in requests]
    sys.exit(0 if all(agreed) else 1)


class _History:
    """What a running server tells of the requests that it has received."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = url
        self._address = server_address(url)
        self._token = token

    def request(self, number: int) -> bytes:
        """The bytes of a request. Raises UsageError if they are not all there, or not as they were."""
        described = self._json(f"/requests/{number}")
        if described.get("redacted"):
            raise UsageError(f"request {number} had credentials, which the history does not keep")
        request = self._get(f"/requests/{number}.http").body
        total = described.get("total")
        if len(request) != total:
            raise UsageError(f"the history keeps {len(request)} of the {total} bytes of request {number}")
        return request

    def peers(self) -> dict[str, tuple[str, int]]:
        """The servers that the page of the server sends to, by name."""
        backends = self._json("/ui/server").get("backends")
        if not isinstance(backends, list) or not backends:
            raise UsageError(f"{self._url} names no server to send to: use --to")
        return {str(one["name"]): server_address(str(one["url"])) for one in backends}

    def _json(self, path: str) -> dict[str, Any]:
        value = self._get(path).json_object()
        if value is None:
            raise Unreachable(f"{self._url}{path} is not the JSON of a wireproof server")
        return value

    def _get(self, path: str) -> Response:
        """A 200 response. Raises Unreachable, and UsageError for a refusal."""
        host, port = self._address
        head = f"GET {path} HTTP/1.1\r\nHost: {self._url.partition('//')[2].rstrip('/')}\r\n"
        if self._token:
            head += f"Authorization: Bearer {self._token}\r\n"
        got = exchange(host, port, [head.encode() + b"\r\n"], is_whole=True)
        if not got.responses:
            why = got.failure or "the connection was closed without a response"
            raise Unreachable(f"no response from {self._url}: {why}")
        response = got.responses[0]
        if response.status != 200:
            detail = (response.json_object() or {}).get("detail", "")
            raise UsageError(f"{self._url}{path}: {response.status} {detail}".rstrip())
        return response


def _replay(name: str, history: _History, addresses: dict[str, tuple[str, int]], max_time: float) -> bool:
    """Send one request to all servers, and show what came. Returns whether they agree."""
    request = history.request(int(name)) if name.isascii() and name.isdigit() else _read(Path(name))
    complete = is_whole(request)
    expected = len(list(requests_in(request))) if complete else 1
    line = request.partition(b"\r\n")[0][:200].decode("latin-1")
    click.echo(printable(f"{name}: {len(request):,} bytes, {line}"))
    column = max(map(len, addresses))
    exchanges = []
    for server, (host, port) in addresses.items():
        got = exchange(
            host,
            port,
            whole(request),
            methods=request_methods(request, expected),
            expected_responses=expected,
            seconds=max_time,
            is_whole=complete,
        )
        exchanges.append(got)
        click.echo(f"  {server.ljust(column)}  {_outcome(got)}")
    return _agree(exchanges)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None


def _outcome(got: Exchange) -> str:
    """What came back, in one line."""
    if got.failure:
        return printable(got.failure)
    if got.closed:
        return "closed without a response"
    return ", ".join(_status(response) for response in got.responses)


def _status(response: Response) -> str:
    code = (response.json_object() or {}).get("code") if response.status >= 400 else None
    return f"{response.status} {printable(code)}" if isinstance(code, str) else f"{response.status}"


def _agree(exchanges: Sequence[Exchange]) -> bool:
    """Say whether all responses are equal."""
    if any(got.failure for got in exchanges):
        return False
    for other in exchanges[1:]:
        difference = first_difference(exchanges[0], other)
        if difference is not None:
            click.echo(printable(f"  different: {difference}"))
            return False
    if len(exchanges) > 1:
        click.echo("  equal")
    return True


if __name__ == "__main__":
    main()
