"""The stock application with one line more."""

from servers.flask_server.strict_request import StrictRequest
from tests.third_party_servers.stock_flask import app

app.request_class = StrictRequest

__all__ = ["app"]
