"""A small application of Flask."""

import io
from typing import Any

from flask import Flask, Response, abort, request

from servers.flask_server import StrictRequest

from .faults import answer_with, body_with, status_with


def create_app(fault: str) -> Flask:
    """The application with this fault; "" for none."""
    app = Flask(__name__)

    @app.before_request
    def change_body() -> Response | None:
        if fault:
            sent = request.get_data(cache=False)
            if (status := status_with(fault, sent)) != 200:
                abort(status)
            body = body_with(fault, sent)
            request.environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
            request.environ.pop("HTTP_TRANSFER_ENCODING", None)
            vars(request).pop("stream", None)
        return None

    @app.post("/upload")
    def upload() -> dict[str, Any]:
        files = [
            (name, file.filename, file.content_type, file.read())
            for name, file in request.files.items(multi=True)
        ]
        return answer_with(fault, list(request.form.items(multi=True)), files)

    return app


def strict_app() -> Flask:
    """The application without a fault, and with the strict reading."""
    app = create_app("")
    app.request_class = StrictRequest
    return app
