"""WebOb, which Pyramid is made of: a copy of the FieldStorage that Python once had."""

import json
import sys

from answer import file_entry, serve_wsgi, told
from webob import Request, Response


def app(environ, start_response):
    request = Request(environ)
    fields, files = [], []
    for name, value in request.POST.items():
        if isinstance(value, str):
            fields.append((name, value))
        else:
            files.append(file_entry(name, value.filename, value.type, value.file.read()))
    body = request.json_body if request.content_type == "application/json" else None
    answer = {**told(fields, files), "json": body}
    return Response(json.dumps(answer), content_type="application/json", charset="UTF-8")(
        environ, start_response
    )


serve_wsgi(app, sys.argv[1])
