"""Uploads to a store under test, and what they leave."""

import hashlib
from pathlib import Path

from servers.storage import Store, StoredFile
from servers.storage.base import Upload


def sha256(content: bytes) -> str:
    """The name under which `content` is stored."""
    return hashlib.sha256(content).hexdigest()


def add(begun: Upload, content: bytes) -> StoredFile:
    """Write one more file of an upload, and close it."""
    writer = begun.new_file()
    writer.write(content)
    return writer.close()


def upload(store: Store, *contents: bytes) -> list[StoredFile]:
    """Store each content as a file of one upload."""
    with store.begin() as begun:
        stored = [add(begun, content) for content in contents]
        begun.publish()
    return stored


def content_of(store: Store, name: str) -> bytes | None:
    """The bytes stored under `name`, or None."""
    file = store.open(name)
    if file is None:
        return None
    with file:
        return file.read(0, file.size + 1)


def staged(root: Path) -> list[Path]:
    """The folders of requests in the staging area of a local store, and the files in them."""
    return sorted(path for path in root.rglob("*") if "staging" in path.parts and path.name != "staging")
