"""gunicorn's log, which never makes a worker or the master wait for standard error."""

from typing import Any

from gunicorn import glogging

from ..contract import error_log
from ..contract.redaction import without_queries
from ..settings import Settings


class Logger(glogging.Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's class for its log. Files and the access log stay as its own settings say.

    The usual format of the access log shows no secret.
    """

    def setup(self, cfg: Any) -> None:
        """Make the handlers, at the start and after each SIGHUP."""
        super().setup(cfg)
        error_log.set_up("gunicorn.error", as_json=Settings.from_environment().log_json)

    def atoms(self, *request: Any) -> dict[str, Any]:
        """What the access log may show: no query, and no name of a user, which may be a token (H176)."""
        atoms: dict[str, Any] = super().atoms(*request)
        shown = {name: without_queries(atoms[name]) for name in ("r", "f")}
        return atoms | shown | {"q": "", "u": "-"}
