"""The file of the setting `token_file`: read at the start, and again on SIGHUP.

A worker that is forked later has the tokens of its parent. So a file that is being edited, or that the user
of the workers may not read, harms no worker.
"""

import logging
import os
import stat
from pathlib import Path

from .contract.tokens import Token, read_tokens
from .variables import warn_once

_MOST_BYTES = 1024 * 1024
_read: dict[str, tuple[Token, ...]] = {}


def tokens_in(path: str) -> tuple[Token, ...]:
    """The tokens that the file had when this process, or one that it was forked from, last read it.

    Raises ValueError if it was not read yet and cannot be used.
    """
    if path not in _read:
        _read[path] = _load(path)
    return _read[path]


def read_again(path: str, log: logging.Logger) -> None:
    """Read the file anew. One that cannot be used is logged, and the tokens stay those of before."""
    try:
        _read[path] = _load(path)
    except ValueError as error:
        log.error("the tokens stay as they were: the file %r %s", path, error)
    else:
        log.info("%d tokens were read from %r", len(_read[path]), path)


def _load(path: str) -> tuple[Token, ...]:
    """Raises ValueError, whose message follows the name of the file."""
    try:
        with Path(path).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise ValueError(f"is larger than {_MOST_BYTES} bytes")
    try:
        tokens = read_tokens(data.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise ValueError(f"cannot be used: {error}") from None
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        warn_once(f"the file of tokens {path!r} is open to every user of this machine: chmod o= {path}")
    return tokens
