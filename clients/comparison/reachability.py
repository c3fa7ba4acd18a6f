"""Whether a backend can still be reached. Compare and fuzz stop soon after one of them is gone."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..http1.exchange import Exchange, exchange

_PROBE = b"GET /healthz HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n"
_PROBE_SECONDS = 10.0


def why_unreachable(host: str, port: int) -> str:
    """Why nothing comes back for GET /healthz, or "". Any response will do, even a malformed one."""
    probed = exchange(host, port, [_PROBE], seconds=_PROBE_SECONDS, is_whole=True)
    return "it closes without a response" if probed.closed else probed.no_response


@dataclass(slots=True)
class Reachability:
    """`gone` has the name of each backend that can no longer be reached, and why. Threads may share it."""

    gone: dict[str, str] = field(default_factory=dict)

    def check(self, name: str, host: str, port: int, exchanges: Iterable[Exchange]) -> None:
        """Ask the backend itself when one of its exchanges brought no response."""
        if name not in self.gone and any(one.closed or one.no_response for one in exchanges):
            why = why_unreachable(host, port)
            if why:
                self.gone[name] = f"http://{host}:{port}: {why}"
