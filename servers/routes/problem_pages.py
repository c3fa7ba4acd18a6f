"""`/problems/{code}`: what a problem code means."""

from ..contract.problems import PROBLEMS, Problem
from ..contract.request import ParsedRequest
from ..contract.responses import Response, json_response
from ..contract.route import Context, Route


def explain(request: ParsedRequest, _context: Context) -> Response:
    """The title, status, rules and RFC section of a problem code. Raises Problem `not_found`."""
    code = request.head.path.rpartition("/")[2]
    kind = PROBLEMS.get(code)
    if kind is None:
        raise Problem("not_found", f"there is no problem code {code!a}", rule="S3", field="target")
    members = {
        "code": kind.code,
        "title": kind.title,
        "status": kind.status,
        "rules": list(kind.rules),
        "reference": kind.reference,
    }
    return json_response(members, head_only=request.head.method == "HEAD")


PROBLEM_PAGES = Route("problems", r"/problems/[^/]+", ("GET",), explain, open=True, shared=True)
