"""Runs a function in a forked process: the load has a core of its own, and its memory goes with it."""

import warnings
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, TypeVar

Result = TypeVar("Result")


def in_a_fork(function: Callable[[], Result]) -> Result:
    """What the function returns in a forked process. An exception that it raises there is raised here.

    The function sees everything that this process has; its result goes through a pipe, so it is pickled.
    """
    receiver, sender = get_context("fork").Pipe(duplex=False)
    process = get_context("fork").Process(target=_run, args=(function, sender), daemon=True)
    with warnings.catch_warnings():
        # Python 3.12 warns when other threads exist; the forked process only computes, sends and receives.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    sender.close()
    try:
        succeeded, result = receiver.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"the forked process ended with exit status {process.exitcode}") from None
    finally:
        receiver.close()
    process.join()
    if not succeeded:
        raise result
    return result  # type: ignore[no-any-return]


def _run(function: Callable[[], Any], sender: Connection) -> None:
    try:
        outcome = (True, function())
    except Exception as error:
        outcome = (False, error)
    sender.send(outcome)
