"""http.client: URL KIND. It has no multipart: the field is urlencoded, and each file is the body of a PUT."""

import os
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

url, kind = urlsplit(sys.argv[1]), sys.argv[2]
connection = HTTPConnection(url.netloc)


def send(method: str, target: str, body: Any, headers: dict[str, str]) -> None:
    """One request on the one connection."""
    if kind == "expect":
        headers["Expect"] = "100-continue"
    connection.request(method, target, body, headers)
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, body


form = urlencode({"note": os.environ["NOTE"]})
send("POST", url.path, form, {"Content-Type": "application/x-www-form-urlencoded"})
for path in (Path(os.environ["PLAIN"]), Path(os.environ["ODD"])):
    # An open file has no length to http.client: it is sent in chunks.
    with path.open("rb") as file:
        send("PUT", url.path + quote(path.name), file if kind == "chunked" else file.read(), {})
