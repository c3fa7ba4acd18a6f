"""Runs a backend with a planted bug: `python -m tests.planted_bugs BACKEND NAME [ARGUMENT ...]`."""

import sys

from tests.planted_bugs import PLANTED_BUGS


def main(backend: str, name: str, *arguments: str) -> None:
    """Apply the patch, then run the backend as its own command does."""
    chosen = PLANTED_BUGS[name]
    if chosen.backend != backend:
        raise SystemExit(f"{name} is a bug of {chosen.backend}, not of {backend}")
    chosen.patch()
    sys.argv = [backend, *arguments]
    if backend == "socket":
        from servers.socket_upload import main as serve

        serve()
    else:
        from gunicorn.app.wsgiapp import run

        run()


if __name__ == "__main__":
    main(*sys.argv[1:])
