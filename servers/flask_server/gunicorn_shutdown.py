"""gunicorn announces its stop before it stops accepting, as `Shutdown` says."""

import signal
from typing import Any, Final

from ..contract.shutdown import Shutdown

SHUTDOWN: Final = Shutdown()
"""Of this process, and of the workers that are forked from it. gunicorn itself has delay and grace."""


def delay_stop(arbiter: Any, seconds: int) -> None:
    """Make the master announce its stop at SIGTERM, and stop after so many seconds, or at a second SIGTERM.

    Meanwhile it is as before: it replaces workers that end. It must not wait in its handler, so the time that
    has passed is a signal too.
    """
    stop = arbiter.handle_term

    def handle_term() -> None:
        if SHUTDOWN.announced:
            signal.setitimer(signal.ITIMER_REAL, 0)
            stop()
        SHUTDOWN.announce()
        arbiter.log.info("/healthz is 503 for %d s, then the server stops", seconds)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    if seconds:
        arbiter.handle_term = handle_term
        signal.signal(signal.SIGALRM, lambda *_: arbiter.SIG_QUEUE.put_nowait(signal.SIGTERM))
