"""How Flask's side parses a request: Werkzeug and the standard library, made strict.

Header data are native strings as in WSGI: one character stands for one byte (PEP 3333). Nothing here opens a
socket or a file, or reads a clock.
"""

from .environ import read_environ
from .forms import WerkzeugParsers

__all__ = ["WerkzeugParsers", "read_environ"]
