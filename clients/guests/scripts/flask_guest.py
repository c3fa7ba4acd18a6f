"""Flask: the form parser of Werkzeug."""

import sys

from answer import file_entry, serve_wsgi, told
from flask import Flask, request

app = Flask(__name__)


@app.post("/")
def upload():
    files = [file_entry(n, f.filename, f.content_type, f.read()) for n, f in request.files.items(multi=True)]
    return {
        **told(request.form.items(multi=True), files),
        "json": request.get_json() if request.is_json else None,
    }


serve_wsgi(app, sys.argv[1])
