"""What each URL does, written once: `ROUTES` is mounted by every backend and drives the tests."""

from ..contract.exchange import Exchange
from ..contract.route import Context, Route, RouteTable
from .chat import CHAT, MODELS
from .files import FILES
from .health import HEALTH
from .problem_pages import PROBLEM_PAGES
from .stream_echo import STREAM_ECHO
from .uploads import ECHO, PUT_FILE, UPLOAD

ROUTES: tuple[Route, ...] = (UPLOAD, PUT_FILE, FILES, PROBLEM_PAGES, HEALTH, STREAM_ECHO, CHAT, MODELS, ECHO)
TABLE = RouteTable(ROUTES)

__all__ = ["ROUTES", "TABLE", "Context", "Exchange", "Route", "RouteTable"]
