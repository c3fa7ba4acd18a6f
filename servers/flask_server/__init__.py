"""How the Flask application is hosted: Werkzeug's development server and gunicorn, made strict."""

from .strict_request import StrictRequest

__all__ = ["StrictRequest"]
