"""gunicorn's log, which never makes a worker or the master wait for standard error."""

from typing import Any

from gunicorn import glogging

from ..contract import error_log
from ..settings import Settings


class Logger(glogging.Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's class for its log. Files and the access log stay as its own settings say."""

    def setup(self, cfg: Any) -> None:
        """Make the handlers, at the start and after each SIGHUP."""
        super().setup(cfg)
        error_log.set_up("gunicorn.error", as_json=Settings.from_environment().log_json)
