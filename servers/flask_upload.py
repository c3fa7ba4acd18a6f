"""Backend 2: Flask. `flask run` for development, `gunicorn -c servers/gunicorn_conf.py` for production.

`flask_reading` parses the request. What a request means and what the response is, the shared contract says.
"""

import logging
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import click
from flask import Flask, request
from flask import Response as FlaskResponse
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from .contract.cors import with_permission
from .contract.exchange import Exchange
from .contract.limits import Limits
from .contract.problems import Problem
from .contract.redaction import WITHOUT_QUERIES
from .contract.remembered import MOST_RESULTS
from .contract.request import RequestHead
from .contract.request_log import RequestRecord
from .contract.responses import Response, problem_response
from .contract.route import Context
from .flask_reading import WerkzeugParsers, read_environ
from .flask_server.body_input import BodyInput
from .flask_server.dev_server import DevConnection, log_through
from .flask_server.gunicorn_request import RequestBody
from .flask_server.gunicorn_shutdown import SHUTDOWN
from .flask_server.interim import tell
from .flask_server.logged import Logged, record_of
from .flask_server.sending import Sending
from .routes import TABLE
from .settings import Settings, SettingsError, StartError, start_upkeep, sweep

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_PARSERS = WerkzeugParsers()


class BareResponse(FlaskResponse):
    """A Flask response with exactly the fields of ours."""

    default_mimetype = None
    automatically_set_content_length = False

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """Those that it was made with: nothing is derived, and nothing is left out."""
        return self.headers


class UploadApp(Flask):
    """A Flask application without Flask's routing: it would only be asked, and never heard."""

    def create_url_adapter(self, request: Any) -> None:
        """Nothing is matched, so there is no 308, 404 or 405 of Flask (contract section 4, step 6)."""


def create_app(settings: Settings | None = None) -> Flask:
    """The application. Without `settings` they are read from the environment.

    Raises SettingsError.
    """
    settings = Settings.from_environment() if settings is None else settings
    context = settings.context(settings.open_store(), settings.open_history(), "flask")
    sweep(context.store)
    start_upkeep(context.store, context.limits)
    logging.getLogger("werkzeug").addFilter(WITHOUT_QUERIES)
    app = UploadApp(__name__, static_folder=None)
    under_gunicorn = replace(context, backend="gunicorn", shutdown=SHUTDOWN)
    # Connections come from the same clients again and again.
    arrived_at, arrived_at_gunicorn = (
        lru_cache(MOST_RESULTS)(one.arrived_at) for one in (context, under_gunicorn)
    )
    app.wsgi_app = Logged(app.wsgi_app, context.log, context.history)  # type: ignore[method-assign]

    @app.before_request
    def handle_every_path() -> FlaskResponse:
        environ = request.environ
        sock = environ.get("werkzeug.socket") or environ.get("gunicorn.socket")
        if sock is None:
            return _handle(environ, context, settings)
        arrived = arrived_at_gunicorn if isinstance(environ["wsgi.input"], RequestBody) else arrived_at
        return _handle(environ, arrived(sock.getsockname(), (environ.get("REMOTE_ADDR", ""),)), settings)

    @app.errorhandler(Exception)
    def hide(error: Exception) -> FlaskResponse:
        # Neither Werkzeug's HTML (S3) nor details of what went wrong.
        if not isinstance(error, HTTPException):
            app.logger.exception("a request failed")
        response = problem_response(Problem("internal", "the request failed; the log says why"))
        return _to_flask(response, record_of(request.environ))

    return app


def _handle(environ: "WSGIEnvironment", context: Context, settings: Settings) -> FlaskResponse:
    """Steps 1 to 10 of contract section 4."""
    connection = DevConnection.of(environ, settings)
    record = record_of(environ)
    record.begin(environ["REQUEST_METHOD"], environ.get("REQUEST_URI") or environ.get("RAW_URI"))
    try:
        head = _read_head(environ, context.limits)
    except Problem as problem:
        return _refusal(problem_response(problem), environ, connection)
    record.begin(head.method, head.target)
    record.token = context.access.token_name(head)
    record.route = TABLE.name_of(head)
    capture = record.capture
    if capture is not None and context.backend == "flask":
        capture.head_complete(head)
    has_type = head.field("content-type") is not None
    body = BodyInput(environ, head, context.limits, has_type=has_type)
    response = with_permission(_judge(environ, head, body, connection, context), head, context, TABLE)
    return _to_flask(response, record) if body.ended else _refusal(response, environ, connection)


def _judge(
    environ: "WSGIEnvironment",
    head: RequestHead,
    body: BodyInput,
    connection: DevConnection,
    context: Context,
) -> Response:
    """Steps 6 to 10 of contract section 4."""
    record = record_of(environ)
    try:
        connection.check_arrival()
        exchange = Exchange(head, TABLE, _PARSERS, context)
        exchange.ask_store()
        tell(environ, exchange)
    except Problem as problem:
        _note_end(environ, body)
        return problem_response(problem, head=head)
    try:
        with connection.idle_timeout():
            for piece in body:
                record.received += len(piece)
                if record.capture is not None:
                    record.capture.body(piece)
                exchange.feed(piece)
                tell(environ, exchange)
        _note_end(environ, body)
        return exchange.finish()
    except Problem as problem:
        return exchange.refuse(problem)
    except BaseException:
        exchange.abort()
        raise


def _note_end(environ: "WSGIEnvironment", body: BodyInput) -> None:
    """Tell the history that the request is complete, if it is."""
    capture = record_of(environ).capture
    if capture is not None and body.ended:
        stream = environ["wsgi.input"]
        capture.complete(stream.behind if isinstance(stream, RequestBody) else 0, fed_again=True)


def _read_head(environ: "WSGIEnvironment", limits: Limits) -> RequestHead:
    """Steps 1 to 5 of contract section 4. Raises Problem.

    Our gunicorn worker has checked the head byte for byte. An environ shows joined and trimmed values, so a
    second check of it could only differ from the first.
    """
    body = environ["wsgi.input"]
    return body.head if isinstance(body, RequestBody) else read_environ(environ, limits)


def _to_flask(response: Response, record: RequestRecord) -> FlaskResponse:
    record.respond(response)
    body = response.body
    if response.head_only:
        response.close()
        body = b""
    sent = body if isinstance(body, bytes) else Sending(body)
    converted = BareResponse(sent, response.status, list(response.headers))
    converted.direct_passthrough = True
    if response.content_length is not None:
        converted.headers["Content-Length"] = str(response.content_length)
    return converted


def _refusal(response: Response, environ: "WSGIEnvironment", connection: DevConnection) -> FlaskResponse:
    """The response to a request whose body was not read to its end (contract section 4).

    The method becomes GET. For a HEAD, Werkzeug would drop the body with which a malformed head is refused,
    and the close after it.
    """
    environ["REQUEST_METHOD"] = "GET"
    record = record_of(environ)
    converted = _to_flask(response, record)
    converted.response = connection.close_after(converted.get_data(), record)
    return converted


def __getattr__(name: str) -> Any:
    # The application is made when a server asks for it, so that an import opens no store.
    if name == "app":
        try:
            settings = Settings.from_environment()
            app = globals()["app"] = create_app(settings)
            log_through(settings.log, app.logger, as_json=settings.log_json)
        except StartError as error:  # the server's command shows it in one sentence
            raise click.ClickException(str(error)) from None
        except SettingsError as error:
            raise click.UsageError(str(error)) from None
        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
