"""What can go wrong in a client, with the exit status for each. Messages are sentences for the user."""

from typing import ClassVar


class ClientError(Exception):
    """A client cannot go on; `exit_status` is what its command ends with."""

    exit_status: ClassVar[int] = 1


class UploadFailed(ClientError):
    """The upload failed: the body could not be read to its end, or the response does not describe it."""


class UsageError(ClientError, ValueError):
    """What the caller asked for cannot be made into a request, or a file to send cannot be opened."""

    exit_status = 2


class Unreachable(ClientError):
    """There is no usable response: no connection, a broken one, not HTTP, or no response in time."""

    exit_status = 3


class BadResponse(Unreachable):
    """The server was reached, but what came is not a whole response in HTTP/1.1."""
