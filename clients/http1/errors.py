"""What can go wrong in a client, and the exit status of each: the message is a sentence for the user."""

from __future__ import annotations

from typing import ClassVar


class ClientError(Exception):
    """A client cannot go on; `exit_status` is what its command ends with."""

    exit_status: ClassVar[int] = 1


class UploadFailed(ClientError):
    """The upload was not done: the body could not be read to its end, or the answer does not confirm it."""


class UsageError(ClientError, ValueError):
    """What the caller asked for cannot be made into a request, or a file to send cannot be opened."""

    exit_status = 2


class Unreachable(ClientError):
    """There is no usable answer: no connection, a connection that broke, no HTTP, or no answer in time."""

    exit_status = 3
