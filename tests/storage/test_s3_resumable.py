"""Uploads that come in pieces, in a bucket: what only this store has to deal with."""

import secrets

import pytest

from servers.storage.resumable import Known, TakenOver
from servers.storage.s3 import S3Store
from servers.storage.s3_objects import S3Objects
from tests.object_store import ObjectStore

_PIECE = b"a piece"


@pytest.mark.parametrize("first", [_PIECE, b"another", b"a longer piece"])
def test_only_another_piece_in_its_place_says_that_another_request_took_over(
    object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch, first: bytes
) -> None:
    """A piece is put again when the answer was lost, and then there is an object already."""
    put_new = S3Objects.put_new

    def twice(objects: S3Objects, key: str, content: bytes | bytearray) -> bool:
        assert put_new(objects, key, first)
        return put_new(objects, key, content)

    monkeypatch.setattr(S3Objects, "put_new", twice)
    store = S3Store(object_store.place(secrets.token_hex(8)))
    with store.resumables.create(Known()) as created:
        created.append(_PIECE)
        if first == _PIECE:
            created.sync()
        else:
            with pytest.raises(TakenOver):
                created.sync()
