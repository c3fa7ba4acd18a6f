"""Stores for uploaded files. To add one, write a module here and add a line to `SCHEMES`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from .base import FileWriter, ReadableFile, Store, StoredFile, Upload
from .local import LocalStore
from .memory import MemoryStore

__all__ = [
    "SCHEMES",
    "FileWriter",
    "ReadableFile",
    "Store",
    "StoredFile",
    "Upload",
    "local_folder",
    "open_store",
]

# RFC 3986 section 3.1, with its colon.
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Options:
    """How a store is opened. `min_free` is in bytes, `expire` in days; 0 means no limit."""

    durable: bool
    existing: bool = False
    min_free: int = 0
    expire: int = 0


@cache
def _open_local(root: Path, options: Options) -> Store:
    store = LocalStore(
        root,
        durable=options.durable,
        existing=options.existing,
        min_free=options.min_free,
        expire=options.expire,
    )
    store.try_upload()
    return store


def _open_file(place: str, options: Options) -> Store:
    if not place:
        raise ValueError("a store needs a path: file:PATH, or the path alone")
    return _open_local(Path(place).absolute(), options)


def _open_memory(place: str, options: Options) -> Store:
    if place:
        raise ValueError(f"a store in memory has no path: write memory: instead of memory:{place}")
    if options.existing:
        raise ValueError("a store in memory is always new: start without --existing-store")
    if options.min_free or options.expire:
        raise ValueError(
            "a store in memory has no disk and no old files: start without --min-free and --expire"
        )
    return MemoryStore()


@cache
def _open_s3(place: str, options: Options) -> Store:
    if options.min_free or options.expire:
        raise ValueError(
            "a store in a bucket keeps no room free and its files do not expire: set a quota and lifecycle"
            " rules for the bucket, and start without --min-free and --expire"
        )
    try:
        from .s3 import S3Store  # only this store needs obstore
        from .s3_place import S3Place
    except ModuleNotFoundError as error:
        raise ValueError(
            f"a store in a bucket needs the package {error.name}: pip install 'wireproof[s3]'"
        ) from None
    return S3Store(S3Place.of(place), existing=options.existing)


SCHEMES: Final[dict[str, Callable[[str, Options], Store]]] = {
    "file": _open_file,
    "memory": _open_memory,
    "s3": _open_s3,
}


def local_folder(spec: str) -> Path | None:
    """The folder of the store, beside which this machine keeps what belongs to it, or None if it has none.

    For a bucket it is `BUCKET-PREFIX` in the working directory. Nothing is opened or made.
    """
    match = _SCHEME.fullmatch(spec)
    if match is None:
        return Path(spec).absolute()
    if match[1].lower() == "s3":
        return Path(match[2].strip("/").replace("/", "-")).absolute()
    return Path(match[2]).absolute() if match[1].lower() == "file" else None


def open_store(
    spec: str, *, durable: bool, existing: bool = False, min_free: int = 0, expire: int = 0
) -> Store:
    """Open the store `file:PATH`, `memory:`, `s3://BUCKET/PREFIX`, or the local store at a path alone.

    With `existing`, a store is not made if it is missing. Uploads to a local store leave `min_free` bytes of
    its file system free, and its files expire after so many days. A process opens a store once, and a worker
    that it forks later gets the same one. So a worker never makes a store anew where one is gone.

    Raises ValueError if `spec` is not valid, OSError if the store cannot be opened or takes no uploads.
    """
    options = Options(durable, existing, min_free, expire)
    match = _SCHEME.fullmatch(spec)
    if match is None:
        return _open_file(spec, options)
    scheme, place = match[1].lower(), match[2]
    if scheme not in SCHEMES:
        known = ", ".join(f"{name}:" for name in sorted(SCHEMES))
        raise ValueError(f"unknown store scheme {scheme} (known: {known}; a path with a colon: ./{spec})")
    return SCHEMES[scheme](place, options)
