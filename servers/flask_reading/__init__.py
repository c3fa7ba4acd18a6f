"""How Flask's side understands a request: Werkzeug and the standard library, made strict.

Header data are native strings as WSGI has them: one character a byte (PEP 3333).
"""

from .environ import read_environ
from .forms import WerkzeugParsers

__all__ = ["WerkzeugParsers", "read_environ"]
