"""How Flask's side understands a request: Werkzeug and the standard library, made strict.

Header data are native strings as WSGI has them: one character a byte (PEP 3333).
"""

from servers.flask_reading.environ import read_environ
from servers.flask_reading.forms import WerkzeugReading

__all__ = ["WerkzeugReading", "read_environ"]
