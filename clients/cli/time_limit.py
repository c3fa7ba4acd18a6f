"""What --max-time takes: seconds, more than none and no more than a day."""

from __future__ import annotations

import math
from typing import Any

import click

# poll and the sockets count milliseconds in 32 bits.
_DAY_SECONDS = 86400


class Seconds(click.FloatRange):
    """A number of seconds for which one can wait."""

    def __init__(self) -> None:
        super().__init__(min=0, max=_DAY_SECONDS, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; NaN, which is neither too small nor too large, is refused as well."""
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is no time", param, ctx)
        return seconds
