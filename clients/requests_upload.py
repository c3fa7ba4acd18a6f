"""The same uploads through requests, streaming: python clients/requests_upload.py URL -F file=@a.txt

`requests.post(files=...)` holds the whole body in memory. Here requests gets our multipart body as an
iterable with a length, and makes everything else itself.
"""

import sys
from importlib import import_module
from pathlib import Path

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.requests_upload").main()

from .cli.upload_command import upload_command
from .http1 import requests_transport
from .http1.upload_call import Requests

_requests = Requests(requests_transport.send)
request, post = _requests.request, _requests.post
main = upload_command(
    "requests_upload", "Send a request through requests to URL.", {"requests": requests_transport}
)

if __name__ == "__main__":
    main()
