"""The variables `WIREPROOF_...`: which there are, and how messages name a setting."""

import difflib
import logging
from collections.abc import Collection, Iterable, Mapping
from functools import cache

LOG = logging.getLogger("wireproof.settings")
PREFIX = "WIREPROOF_"
# `wireproof serve` hands its flags on in variables. This one lists them, so that messages can name the flags.
_SERVE_FLAGS = PREFIX + "SERVE_FLAGS"
# Variables that only the tests read.
_TESTS = ("AXE", "BUDGET", "CLIENTS_MATRIX", "CLIENTS_REQUIRED", "CORPUS", "GUESTS", "REAL_CLIENTS", "SEED")


def variable(setting: str) -> str:
    """The variable of a setting: `WIREPROOF_PORT` for `port`."""
    return PREFIX + setting.upper()


def names_for_messages(
    settings: Iterable[str], flags: Iterable[str], environ: Mapping[str, str]
) -> dict[str, str]:
    """For each setting the name that its user knows: `--port` if it came from a flag, else its variable."""
    from_flags = {*flags, *environ.get(_SERVE_FLAGS, "").split(",")}
    return {
        setting: "--" + setting.replace("_", "-") if setting in from_flags else variable(setting)
        for setting in settings
    }


def warn_of_unknown(environ: Mapping[str, str], settings: Collection[str]) -> None:
    """Log one line for each variable `WIREPROOF_...` that is no setting, with the name that is nearest."""
    known = {_SERVE_FLAGS, *map(variable, (*settings, *_TESTS))}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            given = name.removeprefix(PREFIX).lower()
            nearest = difflib.get_close_matches(given, sorted(settings), n=1, cutoff=0.7)
            hint = f"; did you mean {variable(nearest[0])}?" if nearest else ""
            warn_once(f"the variable {name!a} has no effect, because there is no such setting{hint}")


@cache
def warn_once(message: str) -> None:
    """Log the message, unless this process or the one that it was forked from has already done so."""
    LOG.warning("%s", message)
