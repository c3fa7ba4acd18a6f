"""`/healthz`: whether requests can be served and the store is writable."""

from servers.contract.answers import Answer, json_answer
from servers.contract.problems import Problem
from servers.contract.request import ParsedRequest
from servers.routes.route import Context, Route


def health(request: ParsedRequest, context: Context) -> Answer:
    """200, or Problem `store_unavailable`."""
    if not context.store.is_writable():
        raise Problem("store_unavailable", "the store is not writable")
    return json_answer({"status": "ok"}, head_only=request.head.method == "HEAD")


HEALTH = Route("healthz", r"/healthz", ("GET",), health, open=True)
