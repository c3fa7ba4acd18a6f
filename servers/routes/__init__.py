"""What each URL does, the same on every backend. `TABLE` finds the route of a request in `ROUTES`."""

from ..contract.route import Route, RouteTable
from .chat import CHAT
from .files import FILES
from .health import HEALTH
from .models import MODEL, MODELS
from .problem_pages import PROBLEM_PAGES
from .rule_texts import RULES
from .stream_echo import STREAM_ECHO
from .uploads import ECHO, PUT_FILE, UPLOAD

ROUTES: tuple[Route, ...] = (
    *(UPLOAD, PUT_FILE, FILES, PROBLEM_PAGES, HEALTH, STREAM_ECHO, CHAT, MODELS, MODEL),
    RULES,
    ECHO,
)
TABLE = RouteTable(ROUTES)

__all__ = ["ROUTES", "TABLE"]
