"""What each URL does, the same on every backend. `TABLE` finds the route of a request in `ROUTES`."""

from ..contract.route import Route, RouteTable
from .chat import CHAT
from .files import FILES
from .health import HEALTH
from .metrics import METRICS
from .models import MODEL, MODELS
from .page import HOME, PAGE, PAGE_FILES
from .problem_pages import PROBLEM_PAGES
from .request_events import REQUEST_EVENTS
from .requests import BODY_BYTES, HAR, ONE_REQUEST, REQUESTS, SPANS, WIRE_BYTES
from .resumable_draft import APPEND_DRAFT, CREATE_DRAFT, CREATE_NAMED_DRAFT
from .rule_texts import RULES
from .sending import CASES, REPLAY, SEND
from .server_state import SERVER_STATE
from .stream_echo import STREAM_ECHO
from .tus import APPEND, CREATE
from .uploads import ECHO, PUT_FILE, UPLOAD

ROUTES: tuple[Route, ...] = (
    *(CREATE_DRAFT, CREATE_NAMED_DRAFT, APPEND_DRAFT, CREATE, APPEND),
    *(UPLOAD, PUT_FILE, FILES, PROBLEM_PAGES, HEALTH, METRICS, STREAM_ECHO, CHAT, MODELS, MODEL),
    *(HOME, PAGE, PAGE_FILES, SERVER_STATE, RULES, SEND, CASES, REPLAY),
    *(REQUESTS, REQUEST_EVENTS, ONE_REQUEST, SPANS, WIRE_BYTES, BODY_BYTES, HAR),
    ECHO,
)
TABLE = RouteTable(ROUTES)

__all__ = ["ROUTES", "TABLE"]
