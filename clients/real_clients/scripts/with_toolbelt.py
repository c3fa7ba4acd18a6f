"""requests-toolbelt's streaming encoder: URL KIND."""

import os
import sys
from pathlib import Path

import requests
from requests_toolbelt import MultipartEncoder

url, kind = sys.argv[1:]
plain, odd = Path(os.environ["PLAIN"]), Path(os.environ["ODD"])
with plain.open("rb") as plain_file, odd.open("rb") as odd_file:
    encoder = MultipartEncoder(
        {
            "note": os.environ["NOTE"],
            "plain": (plain.name, plain_file, "text/plain"),
            "odd": (odd.name, odd_file, "application/octet-stream"),
        }
    )
    headers = {"Content-Type": encoder.content_type}
    if kind == "expect":
        headers["Expect"] = "100-continue"
    body = iter(lambda: encoder.read(10_000), b"") if kind == "chunked" else encoder
    requests.post(url, data=body, headers=headers).raise_for_status()
