"""`/ui/server`: what the page must know of this server."""

from dataclasses import asdict
from typing import Any

from ..contract.request import ParsedRequest
from ..contract.responses import Response, json_response
from ..contract.route import Context, Route
from ..contract.version import version
from ..web.body_sample import KEPT_BODY
from ..web.history import History
from ..web.history_writer import Busy, Failed


def backends(request: ParsedRequest, context: Context) -> list[dict[str, Any]]:
    """This server, with the URL that the client reached it at."""
    url = f"http://{request.head.host or ''}"
    return [
        {"name": context.backend, "url": url, "wire": context.backend in ("socket", "gunicorn"), "up": True}
    ]


def server_state(request: ParsedRequest, context: Context) -> Response:
    """Version, backends, history and limits."""
    value = {
        "version": version(),
        "backends": backends(request, context),
        "history": history_state(context),
        "limits": asdict(context.limits),
    }
    return json_response(value, head_only=request.head.method == "HEAD")


def history_state(context: Context) -> dict[str, Any] | None:
    """The bounds of the history, and whether it works; None when it is off."""
    history = context.history
    if not isinstance(history, History):
        return None
    bounds = {"requests": history.most, "body": KEPT_BODY}
    try:
        return {**bounds, **history.state()}
    except (Busy, Failed) as error:
        return {**bounds, "lost": history.writer.lost, "error": str(error)}


SERVER_STATE = Route("server_state", r"/ui/server", ("GET",), server_state, private=True, uses_store=True)
