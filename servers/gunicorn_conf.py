"""Production settings: `gunicorn -c servers/gunicorn_conf.py`.

Address, store, limits, workers and token come from the environment, as for every backend (`settings.py`).
In an installation: `gunicorn -c python:wireproof.servers.gunicorn_conf`. No application has to be named.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

if __package__:
    from .allocator import reuse_large_blocks
    from .descriptors import connections_within
    from .flask_server.gunicorn_log import Logger
    from .flask_server.gunicorn_shutdown import delay_stop
    from .flask_server.gunicorn_worker import Worker
    from .settings import Settings, SettingsError, StartError
else:  # gunicorn loads a file by its path, without a package
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from servers.allocator import reuse_large_blocks
    from servers.descriptors import connections_within
    from servers.flask_server.gunicorn_log import Logger
    from servers.flask_server.gunicorn_shutdown import delay_stop
    from servers.flask_server.gunicorn_worker import Worker
    from servers.settings import Settings, SettingsError, StartError


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
# do, so there are more threads than the work needs (G10). One address may hold 64 of them, see our worker.
threads = 80
# Beyond `max_connections` our worker answers at once. gunicorn keeps no connection alive for which it might
# have no thread, so its own number must be larger than that of the threads.
worker_connections = max(connections_within(_limits.max_connections, threads), 2 * threads)
keepalive = _limits.keep_alive_timeout
graceful_timeout = _settings.grace_period

# Each worker shows that it lives by a file there. In memory, a slow disk stops no worker, and the temporary
# folder may be read-only. None: the temporary folder.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
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


@contextmanager
def _as_a_worker(cfg: Any) -> Iterator[None]:
    """With the rights of the user and the group of the workers (`--user`, `--group`)."""
    uid, gid = os.geteuid(), os.getegid()
    if (uid, gid) == (cfg.uid, cfg.gid):  # a sandbox may forbid the calls, even those that change nothing
        yield
        return
    os.setegid(cfg.gid)
    os.seteuid(cfg.uid)
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)


def on_starting(server: Any) -> None:
    """Open the store and the metrics for all workers, also for later ones: a worker never makes them anew.

    Ends with one message if the store takes no uploads, or if no folder is writable for `worker_tmp_dir`.
    """
    reuse_large_blocks()  # the workers inherit it, and an upload in pieces goes from thread to thread
    try:
        with _as_a_worker(server.cfg):
            _settings.open_store()
            _settings.open_metrics(forks=True)
    except SettingsError as error:
        _end(error)
    try:
        tempfile.TemporaryFile(dir=server.cfg.worker_tmp_dir).close()
    except OSError as error:
        why = f"no temporary folder is writable ({error.strerror}): name one with --worker-tmp-dir"
        _end(StartError(why))
    delay_stop(server, _settings.shutdown_delay)


def on_reload(server: Any) -> None:
    """SIGHUP: read the file of tokens anew. The workers get the tokens from this process."""
    _settings.read_tokens_again(server.log.error_log)


def pre_exec(server: Any) -> None:
    """Let the next master (SIGUSR2) use the store that is there. It must not make it anew either."""
    if not _settings.store_in_memory:
        server.cfg.env_orig["WIREPROOF_EXISTING_STORE"] = "1"


def when_ready(server: Any) -> None:
    """Refuse to listen on other addresses without a token (contract section 8). `--bind` is checked too."""
    for listener in server.LISTENERS:
        address = listener.getsockname()
        try:
            if isinstance(address, tuple):
                _settings.check_bind(address[0])
        except SettingsError as error:
            _end(error)
