"""104 (Upload Resumption Supported), for which ASGI has no way: the protocol class brings one."""

from typing import Final

from starlette.types import Scope

from ..contract.exchange import Exchange
from ..contract.interim import on_the_wire

WRITE_EXTENSION: Final = "wireproof.write"
"""The extension of a scope that writes bytes to the connection at once. HTTP/1.0 has none."""


def tell(scope: Scope, exchange: Exchange) -> None:
    """Send what the exchange has to say before its response.

    Under a protocol class that is not ours nothing is sent, and the exchange learns that.
    """
    write = scope.get("extensions", {}).get(WRITE_EXTENSION)
    if write is not None and (fields := exchange.take_interim()):
        write(on_the_wire(fields))
