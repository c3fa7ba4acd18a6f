"""What the workers of a server know of each other: a row of numbers for each, in memory that they share.

Apache httpd has the same under this name. The supervisor makes a scoreboard, and gives a row to each worker
that it forks. While a worker runs, only this worker writes the row. It has two numbers:

beat            when the loop of the worker last ran, in seconds of `time.monotonic`, which all processes of
                a machine share. It is 0.0 before the loop runs, and infinity when it has ended.
connections     how many connections the worker has, or infinity while it takes none.

Each is an aligned double, which the processor reads and writes as a whole, so there is no lock.
"""

import math
import mmap
import time

BEAT_SECONDS = 0.5
# A worker without a beat for so long may be stuck: the others leave no connections to it.
_FRESH_SECONDS = 2.0
# A worker leaves connections to another one that has so many fewer, and at most this share of the rest.
_HEAD_START = 4
_SHARE = 0.75
_NUMBER_SIZE = 8


class Scoreboard:
    """The rows of a fixed number of workers."""

    def __init__(self, workers: int) -> None:
        # An anonymous mapping that is shared with forked processes. It is filled with zeros.
        self.beats = memoryview(mmap.mmap(-1, workers * _NUMBER_SIZE)).cast("d")
        self.connections = memoryview(mmap.mmap(-1, workers * _NUMBER_SIZE)).cast("d")
        self.rows = [Row(self, index) for index in range(workers)]
        for row in self.rows:
            row.clear()


class Row:
    """The row of one worker."""

    def __init__(self, scoreboard: Scoreboard, index: int) -> None:
        self._scoreboard = scoreboard
        self._index = index

    def clear(self) -> None:
        """No worker runs here, or it has not begun."""
        self._scoreboard.beats[self._index] = 0.0
        self.connections = math.inf

    def beat(self) -> None:
        """The loop of the worker runs."""
        self._scoreboard.beats[self._index] = time.monotonic()

    def end(self) -> None:
        """The loop has ended. There are no more beats, while threads may still finish their work."""
        self._scoreboard.beats[self._index] = math.inf

    @property
    def last_beat(self) -> float:
        """When the loop ran last, see above."""
        return self._scoreboard.beats[self._index]

    @property
    def has_ended(self) -> bool:
        """Whether the loop has ended by itself."""
        return self.last_beat == math.inf

    @property
    def connections(self) -> float:
        """How many connections the worker has, see above."""
        return self._scoreboard.connections[self._index]

    @connections.setter
    def connections(self, number: float) -> None:
        self._scoreboard.connections[self._index] = number

    def should_leave_it(self) -> bool:
        """Whether a new connection is better left to another worker: one that runs has clearly fewer."""
        limit = (self.connections - _HEAD_START) * _SHARE
        if limit < 0:
            return False
        fresh = time.monotonic() - _FRESH_SECONDS
        numbers = zip(self._scoreboard.beats, self._scoreboard.connections, strict=True)
        return any(
            connections <= limit and beat > fresh and connections < math.inf for beat, connections in numbers
        )
