"""httpx: URL KIND."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import httpx

url, kind = sys.argv[1:]
with (
    Path(os.environ["PLAIN"]).open("rb") as plain,
    Path(os.environ["ODD"]).open("rb") as odd,
    httpx.Client(trust_env=False) as client,
):
    headers = {"Expect": "100-continue"} if kind == "expect" else {}
    files = {"plain": plain, "odd": odd}
    request = client.build_request(
        "POST", url, data={"note": os.environ["NOTE"]}, files=files, headers=headers
    )
    if kind == "chunked":
        # Content without a length is sent in chunks; the multipart stays the one that httpx makes.
        assert isinstance(request.stream, Iterable)
        pieces = iter(list(request.stream))
        headers["Content-Type"] = request.headers["Content-Type"]
        request = client.build_request("POST", url, content=pieces, headers=headers)
    client.send(request).raise_for_status()
