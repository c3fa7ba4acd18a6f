"""urllib3: URL KIND."""

import os
import sys
from pathlib import Path

import urllib3

url, kind = sys.argv[1:]
plain, odd = Path(os.environ["PLAIN"]), Path(os.environ["ODD"])
fields: dict[str, str | bytes | tuple[str, str | bytes] | tuple[str, str | bytes, str]] = {
    "note": os.environ["NOTE"],
    "plain": (plain.name, plain.read_bytes()),
    "odd": (odd.name, odd.read_bytes()),
}
pool = urllib3.PoolManager()
if kind == "chunked":
    body, content_type = urllib3.encode_multipart_formdata(fields)
    pieces = (body[start : start + 10_000] for start in range(0, len(body), 10_000))
    headers = {"Content-Type": content_type}
    response = pool.request("POST", url, body=pieces, headers=headers, chunked=True)
else:
    headers = {"Expect": "100-continue"} if kind == "expect" else {}
    response = pool.request("POST", url, fields=fields, headers=headers)
assert response.status == 200, response.data
