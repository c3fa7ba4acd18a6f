"""`/healthz`: whether requests can be served and uploads can be stored."""

from ..contract.problems import Problem
from ..contract.request import ParsedRequest
from ..contract.responses import Response, json_response
from ..contract.route import Context, Route


def health(request: ParsedRequest, context: Context) -> Response:
    """Respond with 200. Raises Problem `shutting_down` and `store_unavailable`."""
    if context.shutdown.announced:
        raise Problem("shutting_down", "requests are still served, but this server stops soon")
    if not context.store.is_writable():
        raise Problem("store_unavailable", "uploads cannot be stored; the log says why")
    return json_response({"status": "ok"}, head_only=request.head.method == "HEAD")


HEALTH = Route("healthz", r"/healthz", ("GET",), health, open=True, uses_store=True)
