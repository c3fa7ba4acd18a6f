"""Uploads with bytes made by hand on a socket: python clients/socket_upload.py URL -F file=@a.txt

`request` and `post` take the arguments of the functions of these names in requests, and put the same bytes on
the wire. Only User-Agent and Accept-Encoding differ, and a form with a file of unknown length goes in chunks.
"""

import sys
from importlib import import_module
from pathlib import Path

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.socket_upload").main()

from .cli.upload_command import upload_command
from .http1 import socket_transport
from .http1.upload_call import Requests

_requests = Requests(socket_transport.send)
request, post = _requests.request, _requests.post
main = upload_command("socket_upload", "Send a request made by hand to URL.", {"socket": socket_transport})

if __name__ == "__main__":
    main()
