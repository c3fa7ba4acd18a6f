"""What each URL does, written once: `ROUTES` is mounted by every backend and drives the tests."""

from servers.routes.chat import CHAT, MODELS
from servers.routes.exchange import Exchange
from servers.routes.files import FILES
from servers.routes.health import HEALTH
from servers.routes.problem_pages import PROBLEM_PAGES
from servers.routes.route import Context, Route, RouteTable
from servers.routes.stream_echo import STREAM_ECHO
from servers.routes.uploads import ECHO, PUT_FILE, UPLOAD

ROUTES: tuple[Route, ...] = (UPLOAD, PUT_FILE, FILES, PROBLEM_PAGES, HEALTH, STREAM_ECHO, CHAT, MODELS, ECHO)
TABLE = RouteTable(ROUTES)

__all__ = ["ROUTES", "TABLE", "Context", "Exchange", "Route", "RouteTable"]
