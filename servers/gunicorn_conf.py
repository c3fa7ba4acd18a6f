"""Production settings: `gunicorn -c servers/gunicorn_conf.py`.

Installed: `gunicorn -c python:wireproof.servers.gunicorn_conf`.
"""

import sys
from pathlib import Path

if __package__:
    from .flask_server.gunicorn_settings import *  # noqa: F403
else:  # gunicorn loads a file by its path: name its package, so that relative imports work
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from servers.flask_server.gunicorn_settings import *  # noqa: F403
