"""`/ui/rules`: what each rule of the contract says, for the page."""

from ..contract.request import ParsedRequest
from ..contract.responses import Response, json_response
from ..contract.route import Context, Route


def rule_texts(request: ParsedRequest, _context: Context) -> Response:
    """The texts by the names of the rules; none if the file of the rules is not installed."""
    from ..web.rule_texts import texts

    return json_response(dict(texts()), head_only=request.head.method == "HEAD")


RULES = Route("rules", r"/ui/rules", ("GET",), rule_texts)
