"""Backend 2: Flask. `flask run` for development, `gunicorn -c servers/gunicorn_conf.py` for production.

Flask reads a request by `flask_reading`; what a request means and what is answered is the shared contract.
"""

import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
from flask import Flask, request
from flask import Response as FlaskResponse
from werkzeug.exceptions import HTTPException

from .contract.exchange import Exchange
from .contract.problems import Problem
from .contract.redaction import WITHOUT_QUERIES
from .contract.responses import EventStream, FileSlice, Response, problem_response
from .contract.route import Context
from .flask_reading import WerkzeugParsers, read_environ
from .flask_server.body_input import BodyInput
from .flask_server.dev_server import DevConnection
from .routes import TABLE
from .settings import Settings, SettingsError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_PARSERS = WerkzeugParsers()


class PlainResponse(FlaskResponse):
    """Says nothing that the answer does not say: no Content-Type of its own."""

    default_mimetype = None


def create_app(settings: Settings | None = None) -> Flask:
    """The application; without `settings` they are read from the environment.

    Raises SettingsError.
    """
    settings = Settings.from_environment() if settings is None else settings
    context = settings.context(settings.open_store())
    settings.clean(context.store)
    logging.getLogger("werkzeug").addFilter(WITHOUT_QUERIES)
    app = Flask(__name__, static_folder=None)

    # Answering here, for every path, keeps Flask's routing (308, 404, 405) out of it.
    @app.before_request
    def answer_every_path() -> FlaskResponse:
        return _respond(request.environ, context, settings)

    @app.errorhandler(Exception)
    def hide(error: Exception) -> FlaskResponse:
        # Never Werkzeug's HTML (S3), and never more than the code of what went wrong.
        if not isinstance(error, HTTPException):
            app.logger.exception("a request failed")
        return _flask_response(problem_response(Problem("internal", "the request failed; the log says why")))

    return app


def _respond(environ: "WSGIEnvironment", context: Context, settings: Settings) -> FlaskResponse:
    """Steps 1 to 10 of the order of judgement (contract section 4)."""
    connection = DevConnection.of(environ, settings)
    try:
        head = read_environ(environ, context.limits)
    except Problem as problem:
        return _refusal(problem_response(problem), connection)
    body = BodyInput(environ, head, context.limits)
    try:
        connection.check_arrival()
        exchange = Exchange(head, TABLE, _PARSERS, context)
    except Problem as problem:
        response = problem_response(problem, head=head)
        return _flask_response(response) if body.ended else _refusal(response, connection)
    try:
        with connection.reading():
            for piece in body:
                exchange.feed(piece)
        return _flask_response(exchange.finish())
    except Problem as problem:
        response = exchange.refuse(problem)
        return _flask_response(response) if body.ended else _refusal(response, connection)
    except BaseException:
        exchange.abort()
        raise


def _flask_response(response: Response) -> FlaskResponse:
    if response.head_only or isinstance(response.body, bytes):
        response.close()
        body = b"" if response.head_only or not isinstance(response.body, bytes) else response.body
        flask_response = PlainResponse(body, response.status, list(response.headers))
    else:
        flask_response = PlainResponse(Sending(response.body), response.status, list(response.headers))
    flask_response.direct_passthrough = True
    if response.content_length is not None:
        flask_response.headers["Content-Length"] = str(response.content_length)
    return flask_response


class Sending:
    """A body that is made while it is sent; the server closes it at the end, or when the client has left.

    Closed even if its first byte was never asked for, which a generator would not be.
    """

    def __init__(self, body: FileSlice | EventStream) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self._body.blocks() if isinstance(self._body, FileSlice) else _paced(self._body)

    def close(self) -> None:
        """Called by the WSGI server (PEP 3333)."""
        self._body.close()


def _paced(stream: EventStream) -> Iterator[bytes]:
    """Each event goes to the server, which sends it at once, before the next one is made (S7)."""
    for event in stream.events:
        yield event.data
        if event.wait:
            time.sleep(event.wait)


def _refusal(response: Response, connection: DevConnection) -> FlaskResponse:
    """The answer to a request whose body was not read to its end (contract section 4).

    Of a HEAD Werkzeug would drop what it says of a malformed head, and the close that comes after it.
    """
    request.environ["REQUEST_METHOD"] = "GET"
    flask_response = _flask_response(response)
    flask_response.response = connection.close_after(flask_response.get_data())
    return flask_response


def __getattr__(name: str) -> Any:
    # Made when a server asks for it, so that importing this module opens no store.
    if name == "app":
        try:
            app = globals()["app"] = create_app()
        except SettingsError as error:
            raise click.UsageError(str(error)) from None  # shown as one by the server's command
        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
