"""How the FastAPI backend understands a request: bytes from the ASGI scope and python-multipart's events.

A third reading: it shares the contract with the other two, and no line of parsing.
"""

from .reading import PythonMultipartReading
from .scope import read_scope

__all__ = ["PythonMultipartReading", "read_scope"]
