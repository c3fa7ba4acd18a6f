"""Planted bugs, which compare must find: `python -m tests.planted_bugs BACKEND NAME [ARGUMENT ...]`.

This command patches one bug into a backend, `socket` or `gunicorn` (the Flask side), and runs the backend
with these arguments. Real servers have, or had, each of the bugs. A patch replaces an attribute of a module
or a class, and fails when the attribute does not exist. The code of the backends has no part in it.
"""

from tests.planted_bugs import in_the_flask_side, in_the_socket_server
from tests.planted_bugs.registry import PLANTED_BUGS, PlantedBug

__all__ = ["PLANTED_BUGS", "PlantedBug", "in_the_flask_side", "in_the_socket_server"]
