"""An upload in pieces by tus, whose told offsets are noted and looked at again."""

import http.client
from dataclasses import dataclass, field
from typing import Final

_ALWAYS: Final = {"Tus-Resumable": "1.0.0"}
_PIECE: Final = {"Content-Type": "application/offset+octet-stream"}


@dataclass
class Pieces:
    """One upload of `content`. `told` is the largest offset that the server has told, -1 before the first.

    Its methods raise OSError and HTTPException if there is no response, and AssertionError for an offset that
    is smaller than one that was told before.
    """

    content: bytes
    location: str | None = None
    told: int = -1
    offset: int = 0
    statuses: list[int] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether the server has told that it has all bytes."""
        return self.told == len(self.content)

    def create(self, connection: http.client.HTTPConnection) -> int:
        """Create the upload. Returns the status."""
        response = self._ask(connection, "POST", "/resumable/", {"Upload-Length": str(len(self.content))})
        if response.status == 201:
            self.location = response.getheader("Location")
            self._note(response)
        return response.status

    def look(self, connection: http.client.HTTPConnection) -> int:
        """Ask for the offset. Returns the status."""
        assert self.location is not None
        response = self._ask(connection, "HEAD", self.location, {})
        if response.status == 200:
            self._note(response)
        return response.status

    def append(self, connection: http.client.HTTPConnection, size: int) -> int:
        """Send the next `size` bytes. Returns the status."""
        assert self.location is not None
        piece = self.content[self.offset : self.offset + size]
        fields = _PIECE | {"Upload-Offset": str(self.offset)}
        response = self._ask(connection, "PATCH", self.location, fields, piece)
        if response.status == 204:
            self._note(response)
        return response.status

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        fields: dict[str, str],
        body: bytes = b"",
    ) -> http.client.HTTPResponse:
        connection.request(method, path, body, _ALWAYS | fields)
        response = connection.getresponse()
        response.read()
        self.statuses.append(response.status)
        return response

    def _note(self, response: http.client.HTTPResponse) -> None:
        self.offset = int(response.getheader("Upload-Offset", ""))
        assert self.told <= self.offset <= len(self.content), f"{self.offset} was told after {self.told}"
        self.told = self.offset


def upload_in_pieces(connection: http.client.HTTPConnection, content: bytes) -> int:
    """Upload a file in two pieces, and look between them. Returns 200, or the status that ended it."""
    pieces = Pieces(content)
    if (status := pieces.create(connection)) != 201:
        return status
    if (status := pieces.append(connection, len(content) // 2)) != 204:
        return status
    if (status := pieces.look(connection)) != 200:
        return status
    status = pieces.append(connection, len(content))
    return 200 if status == 204 and pieces.is_complete else status
