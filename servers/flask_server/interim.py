"""104 (Upload Resumption Supported), for which WSGI has no way: it goes to the socket of the connection."""

from typing import TYPE_CHECKING

from ..contract.exchange import Exchange
from ..contract.interim import on_the_wire

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def tell(environ: "WSGIEnvironment", exchange: Exchange) -> None:
    """Send what the exchange has to say before its response; nothing to HTTP/1.0 (RFC 9110 15.2).

    Under another WSGI server there is no socket, and the exchange learns that nothing was sent. A client that
    has gone is noticed by the next read.
    """
    sock = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if sock is None or environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        return
    if (fields := exchange.take_interim()) is not None:
        try:
            sock.sendall(on_the_wire(fields))
        except OSError:
            return
