"""Bottle: a parser of its own."""

import sys

import bottle
from answer import file_entry, serve_wsgi, told


@bottle.post("/")
def upload():
    request = bottle.request
    files = [
        file_entry(n, f.raw_filename, f.content_type, f.file.read()) for n, f in request.files.allitems()
    ]
    return {**told(request.forms.decode().allitems(), files), "json": request.json}


serve_wsgi(bottle.default_app(), sys.argv[1])
