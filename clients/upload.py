"""Sends a file, a form or any other request: python clients/upload.py URL -F file=@a.txt"""

import sys
from importlib import import_module
from pathlib import Path

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.upload").main()

from .cli.upload_command import upload_command
from .http1 import requests_transport, socket_transport

main = upload_command(
    "upload",
    "Send a file, a form or any other request to URL, and show the response.",
    {"socket": socket_transport, "requests": requests_transport},
)

if __name__ == "__main__":
    main()
