"""gunicorn announces its stop before it stops accepting, as `Shutdown` says, and loses no connection then."""

import signal
import time
from typing import Any, Final

from ..contract.shutdown import Shutdown
from ..handshakes import SETTLE_SECONDS, take_no_new

SHUTDOWN: Final = Shutdown()
"""Of this process, and of the workers that are forked from it. gunicorn itself has delay and grace."""


def _shares_its_sockets(arbiter: Any) -> bool:
    """Whether they are served on when this master stops: by another one (SIGUSR2), or by systemd."""
    return bool(arbiter.reexec_pid or arbiter.master_pid or arbiter.systemd)


def delay_stop(arbiter: Any, seconds: int) -> None:
    """Make the master announce its stop at SIGTERM, and stop after so many seconds, or at a second SIGTERM.

    Meanwhile it is as before: it replaces workers that end. So it must not wait long in its handler, and the
    end of the time is a signal too. With 0 seconds it stops at the first SIGTERM. In any case it lets the
    handshakes under way end.
    """
    stop = arbiter.handle_term

    def handle_term() -> None:
        if SHUTDOWN.announced or not seconds:
            signal.setitimer(signal.ITIMER_REAL, 0)
            if not _shares_its_sockets(arbiter) and take_no_new(arbiter.LISTENERS):
                time.sleep(SETTLE_SECONDS)
            stop()
        SHUTDOWN.announce()
        arbiter.log.info("/healthz is 503 for %d s, then the server stops", seconds)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    arbiter.handle_term = handle_term
    if seconds:
        signal.signal(signal.SIGALRM, lambda *_: arbiter.SIG_QUEUE.put_nowait(signal.SIGTERM))
