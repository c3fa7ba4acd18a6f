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

_SEE_THE_WIRE = ("socket", "gunicorn")


def backends(request: ParsedRequest, context: Context) -> list[dict[str, Any]]:
    """The servers that the page sends to: the peers, or this server with the URL that it was reached at."""
    if context.peers:
        from ..web.sending import states  # loads http.client, which no backend needs

        return [{**state, "wire": state["name"] in _SEE_THE_WIRE} for state in states(context)]
    url = f"http://{request.head.host or ''}"
    return [{"name": context.backend, "url": url, "wire": context.backend in _SEE_THE_WIRE, "up": True}]


def server_state(request: ParsedRequest, context: Context) -> Response:
    """Version, backends, history, limits, and the number of recorded requests."""
    from ..web import recorded

    value = {
        "version": version(),
        "backends": backends(request, context),
        "history": history_state(context),
        "limits": asdict(context.limits),
        "cases": recorded.count(),
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
