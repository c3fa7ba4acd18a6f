"""`/metrics`: what the server counts, for Prometheus."""

from ..contract.problems import Problem
from ..contract.request import ParsedRequest
from ..contract.responses import DYNAMIC, Response
from ..contract.route import Context, Route

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus's text-based exposition format."""


def metrics(request: ParsedRequest, context: Context) -> Response:
    """The values of all processes of this server. Raises Problem `not_found` when metrics are off."""
    if context.metrics is None:
        what = "metrics are off: start the server with --metrics or WIREPROOF_METRICS=1"
        raise Problem("not_found", what, rule="S3", field="target")
    try:
        text = context.metrics.exposition()
    except OSError as error:
        raise Problem("internal", f"the metrics cannot be read: {error}") from error
    return Response(200, (("Content-Type", TEXT_FORMAT), *DYNAMIC), text, request.head.method == "HEAD")


METRICS = Route("metrics", r"/metrics", ("GET",), metrics, private=True, computes=True)
