"""How the Python guests answer: fields and files in order, as JSON. It needs the standard library alone."""

import json
from hashlib import sha256
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


def file_entry(name, filename, content_type, data):
    """One file."""
    digest = sha256(data).hexdigest()
    return {
        "name": name,
        "filename": filename,
        "content_type": content_type,
        "size": len(data),
        "sha256": digest,
    }


def told(fields, files):
    """The answer to a form: `fields` are pairs of name and value, `files` the entries of files."""
    return {"form": [{"name": name, "value": value} for name, value in fields], "files": files}


def told_text(fields, files):
    """The same as JSON. Bytes in names and values that are not UTF-8 are shown as escapes."""
    return json.dumps(
        told(fields, files), default=lambda data: bytes(data).decode("utf-8", "backslashreplace")
    )


class _Patient(WSGIServer):
    request_queue_size = 128


class _Quiet(WSGIRequestHandler):
    def log_message(self, *arguments):
        """Nothing."""


def serve_wsgi(app, port):
    """Serve a WSGI application until the process ends."""
    make_server("127.0.0.1", int(port), app, _Patient, _Quiet).serve_forever()


def serve_form_reader(read, port, refusals=()):
    """Serve a function that reads a WSGI environment; `refusals` are its errors for bad input."""

    def app(environ, start_response):
        try:
            status, text = "200 OK", told_text(*read(environ))
        except refusals as error:
            status, text = "400 Bad Request", json.dumps({"error": str(error)})
        body = text.encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    serve_wsgi(app, port)
