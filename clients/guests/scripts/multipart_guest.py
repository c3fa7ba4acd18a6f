"""multipart (defnull), by its function for WSGI."""

import sys

from answer import file_entry, serve_form_reader
from multipart import MultipartError, parse_form_data


def read(environ):
    forms, files = parse_form_data(environ)
    found = [file_entry(name, f.filename, f.content_type, f.file.read()) for name, f in files.iterallitems()]
    return list(forms.iterallitems()), found


serve_form_reader(read, sys.argv[1], (MultipartError, ValueError))
