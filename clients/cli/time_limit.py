"""The value of --max-time: seconds, more than 0 and at most a day."""

import math
from typing import Any

import click

# poll and the sockets count milliseconds in 32 bits.
_DAY_SECONDS = 86400


class Seconds(click.FloatRange):
    """A number of seconds for which a socket can wait."""

    def __init__(self) -> None:
        super().__init__(min=0, max=_DAY_SECONDS, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number. NaN is refused too, though it is neither too small nor too large."""
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a time", param, ctx)
        return seconds
