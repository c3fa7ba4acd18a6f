"""`/v1/models` and `/v1/models/{model}`: the one model, with OpenAI's interface (contract section 6)."""

from typing import Any

from ..contract.problems import Problem
from ..contract.request import ParsedRequest
from ..contract.responses import Response, json_response
from ..contract.route import Context, Route

CREATED = 1_700_000_000
"""When the model was made, in Unix time. Responses hold no time of day."""

_ECHO: dict[str, Any] = {"id": "echo", "object": "model", "created": CREATED, "owned_by": "wireproof"}


def models(request: ParsedRequest, _context: Context) -> Response:
    """The list of models, which has one entry."""
    return json_response({"object": "list", "data": [_ECHO]}, head_only=request.head.method == "HEAD")


def model(request: ParsedRequest, _context: Context) -> Response:
    """One model. Raises Problem `not_found` for any name but that of the one model."""
    name = request.head.last_segment
    if name != _ECHO["id"]:
        what = f"there is no model {name[:80]!a}, only {_ECHO['id']}"
        raise Problem("not_found", what, rule="S3", field="target")
    return json_response(_ECHO, head_only=request.head.method == "HEAD")


MODELS = Route("models", r"/v1/models", ("GET",), models)
MODEL = Route("model", r"/v1/models/[^/]+", ("GET",), model)
