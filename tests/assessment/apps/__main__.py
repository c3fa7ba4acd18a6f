"""`python -m tests.assessment.apps FRAMEWORK PORT [FAULT]`: serves one of the applications."""

import sys

import uvicorn
from werkzeug.serving import run_simple

from clients.launch import HOST

from .fastapi_app import create_app as fastapi_app
from .flask_app import create_app as flask_app
from .flask_app import strict_app


def main(framework: str, port: str, fault: str = "") -> None:
    """Serve until the process ends."""
    if framework == "fastapi":
        uvicorn.run(fastapi_app(fault), host=HOST, port=int(port), log_level="critical", ws="none")
    else:
        app = strict_app() if framework == "strict" else flask_app(fault)
        run_simple(HOST, int(port), app, threaded=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
