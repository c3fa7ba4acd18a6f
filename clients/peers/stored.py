"""Writes a file block by block as it comes, and tells its size and SHA-256."""

import os
import uuid
from hashlib import sha256
from pathlib import Path

STORE = Path(os.environ["PEER_STORE"])
BLOCK = 1 << 18


class Stored:
    """A new file in the store, under a name that nothing else has."""

    def __init__(self, filename):
        self._name = uuid.uuid4().hex
        self._filename = filename
        self._digest = sha256()
        self._size = 0

    def __enter__(self):
        self._file = (STORE / self._name).open("wb", buffering=0)
        return self

    def __exit__(self, *error):
        self._file.close()

    def write(self, block):
        self._digest.update(block)
        self._file.write(block)
        self._size += len(block)

    def told(self):
        return {
            "filename": self._filename,
            "size": self._size,
            "sha256": self._digest.hexdigest(),
            "href": f"/files/{self._name}",
        }
