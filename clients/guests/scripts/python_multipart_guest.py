"""python-multipart alone, by its function for forms."""

import sys

from answer import file_entry, serve_form_reader
from python_multipart import parse_form
from python_multipart.exceptions import FormParserError


def read(environ):
    fields, files = [], []

    def on_file(file):
        file.file_object.seek(0)
        files.append(file_entry(file.field_name, file.file_name, file.content_type, file.file_object.read()))

    headers = {"Content-Type": environ["CONTENT_TYPE"], "Content-Length": environ["CONTENT_LENGTH"]}
    parse_form(
        headers, environ["wsgi.input"], lambda field: fields.append((field.field_name, field.value)), on_file
    )
    return fields, files


serve_form_reader(read, sys.argv[1], (FormParserError, ValueError))
