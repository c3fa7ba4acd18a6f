"""Serves a WSGI or ASGI application in this process, on a free port of 127.0.0.1."""

import inspect
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..launch import HOST, free_port

_START_SECONDS = 20.0


class ServeError(Exception):
    """The application cannot be served; the message says why."""


def served(app: Any) -> Any:
    """A context manager with the URL of the application, without a final slash. May raise ServeError."""
    return _asgi(app) if is_asgi(app) else _wsgi(app)


def is_asgi(app: Any) -> bool:
    """Whether an application is called with `scope, receive, send`."""
    call = app if inspect.isfunction(app) or inspect.ismethod(app) else type(app).__call__
    return inspect.iscoroutinefunction(call)


@contextmanager
def _wsgi(app: Any) -> Iterator[str]:
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *arguments: Any) -> None:
            """Nothing: the requests are in the report."""

    server = make_server(HOST, 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, name="wsgi")
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _asgi(app: Any) -> Iterator[str]:
    try:
        import uvicorn
    except ImportError:
        raise ServeError("an ASGI application needs uvicorn: pip install uvicorn") from None
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, HOST, port, log_level="critical", ws="none"))
    thread = threading.Thread(target=server.run, name="asgi")
    thread.start()
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise ServeError("uvicorn did not start the application")
            time.sleep(0.01)
        yield f"http://{HOST}:{port}"
    finally:
        server.should_exit = True
        thread.join()
