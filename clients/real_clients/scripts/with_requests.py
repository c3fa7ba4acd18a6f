"""requests, the newest and 2.20: URL KIND."""

import os
import sys
from pathlib import Path

import requests

url, kind = sys.argv[1:]
data = {"note": os.environ["NOTE"]}
headers = {"Expect": "100-continue"} if kind == "expect" else {}
session = requests.Session()
with Path(os.environ["PLAIN"]).open("rb") as plain, Path(os.environ["ODD"]).open("rb") as odd:
    files = {"plain": plain, "odd": odd}
    request = session.prepare_request(requests.Request("POST", url, data=data, files=files, headers=headers))
if kind == "chunked":
    # A body without a length is sent in chunks; the multipart stays the one that requests has made.
    body = request.body
    assert isinstance(body, bytes)
    pieces = (body[start : start + 10_000] for start in range(0, len(body), 10_000))
    headers["Content-Type"] = request.headers["Content-Type"]
    request = session.prepare_request(requests.Request("POST", url, data=pieces, headers=headers))
session.send(request).raise_for_status()
