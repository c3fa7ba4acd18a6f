"""Production settings: `gunicorn -c servers/gunicorn_conf.py`.

Address, store, limits, workers and token come from the environment, as for every backend (`settings.py`).
In an installation: `gunicorn -c python:wireproof.servers.gunicorn_conf`. No application has to be named.
"""

import sys
from pathlib import Path
from typing import Any, NoReturn

if __package__:
    from .descriptors import CONNECTIONS, raise_limit
    from .flask_server.gunicorn_log import Logger
    from .flask_server.gunicorn_worker import Worker
    from .settings import Settings, SettingsError
else:  # gunicorn loads a file by its path, without a package
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from servers.descriptors import CONNECTIONS, raise_limit
    from servers.flask_server.gunicorn_log import Logger
    from servers.flask_server.gunicorn_worker import Worker
    from servers.settings import Settings, SettingsError


def _end(error: SettingsError) -> NoReturn:
    """End gunicorn with one sentence instead of a traceback."""
    print(f"Error: {error}", file=sys.stderr)
    raise SystemExit(error.exit_status) from None


try:
    _settings = Settings.from_environment()
except SettingsError as error:
    _end(error)
_limits = _settings.limits

_host = _settings.host.strip("[]")
bind = f"[{_host}]:{_settings.port}" if ":" in _host else f"{_host}:{_settings.port}"
workers = _settings.processes
wsgi_app = f"{__package__ or 'servers'}.flask_upload:app"
worker_class = Worker
logger_class = Logger
# Each request with a complete head holds a thread. Slow heads and idle connections hold none, but slow bodies
# do, so there are more threads than the work needs (G10).
threads = 64
# When a worker has this many connections, new ones wait until others end: behind idle ones as long as
# `keepalive` says. A thread may need four more descriptors for an upload, and the worker some for itself.
_reserved = 5 * threads + 64
_limit = raise_limit(CONNECTIONS + _reserved)
worker_connections = max(min(CONNECTIONS, _limit - _reserved), 2 * threads)
keepalive = _limits.keep_alive_timeout
graceful_timeout = 30
timeout = 30

# Our worker parses heads itself (flask_server/gunicorn_request.py). These are for gunicorn's own parser.
http_parser = "python"
permit_unconventional_http_method = True  # R38, R40: any token is 501, not 400
limit_request_line = _limits.max_request_line
limit_request_fields = _limits.max_fields
limit_request_field_size = _limits.max_field_line

# No peer is trusted to say where a request came from (H31, H32).
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

control_socket_disable = True


def on_starting(server: Any) -> None:
    """End with one message if the store cannot be used, before each worker would fail."""
    try:
        _settings.open_store()
    except SettingsError as error:
        _end(error)


def when_ready(server: Any) -> None:
    """Refuse to listen on other addresses without a token (contract section 8). `--bind` is checked too."""
    for listener in server.LISTENERS:
        address = listener.getsockname()
        try:
            if isinstance(address, tuple):
                _settings.check_bind(address[0])
        except SettingsError as error:
            _end(error)
