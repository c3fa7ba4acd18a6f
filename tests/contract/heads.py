"""Request heads as a parser would return them."""

from collections.abc import Mapping

from servers.contract.request import BasicCredentials, OtherCredentials, Pair, RequestHead


def head(
    method: str = "POST",
    path: str = "/",
    *,
    host: str | None = "localhost:8000",
    auth: BasicCredentials | OtherCredentials | None = None,
    content_length: int | None = None,
    chunked: bool = False,
    https_target: bool = False,
    fields: Mapping[str, str] | None = None,
) -> RequestHead:
    """A head with these fields (names in lower case)."""
    headers = fields or {}
    return RequestHead(
        method=method,
        target=path,
        path=path,
        host=host,
        args=(),
        headers=tuple(Pair(name, headers[name]) for name in sorted(headers)),
        cookies=(),
        auth=auth,
        content_length=content_length,
        chunked=chunked,
        last_segment=path.rpartition("/")[2],
        https_target=https_target,
    )
