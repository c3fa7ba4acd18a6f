"""The bytes of files on their way to and from an object store, through obstore.

obstore has threads of its own, in Rust. It sends the parts of a file while the next bytes arrive. It sends
the SHA-256 of each request's body, and the store refuses other bytes. It repeats failed requests a few times,
with random pauses.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from errno import ENOENT
from typing import TYPE_CHECKING, Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import S3Store as Bucket

from ..allocator import give_large_blocks_back
from .s3_errors import store_error
from .s3_place import PART, S3Place

if TYPE_CHECKING:
    from obstore import WritableFile

_RETRIES: Final = 12
_RETRY_SECONDS: Final = 15
_REQUEST_SECONDS: Final = 30
_COPY_SECONDS: Final = 300  # the store may copy gigabytes
_PARTS_AT_ONCE: Final = 2  # of one file; so a file holds at most 3 parts in memory


class PartsWriter:
    """A multipart upload. Its object is there after `close`, whole or not at all."""

    def __init__(self, writer: "WritableFile") -> None:
        self._writer: WritableFile | None = writer

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Append `data`. Waits while enough parts are on their way. Raises OSError."""
        # obstore may keep the buffer for a while, which the caller may change.
        copy = bytes(data)
        self._call(lambda writer: writer.write(copy))

    def close(self) -> None:
        """Send what is left, and complete the object. Raises OSError."""
        self._call(lambda writer: writer.close())
        self._writer = None

    def stop(self) -> None:
        """Send nothing more. The parts that are on their way arrive first, so that an abort removes them."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.flush()

    def _call(self, call: "Callable[[WritableFile], object]") -> None:
        assert self._writer is not None, "the parts have ended"
        with _failures():
            call(self._writer)


class S3Objects:
    """The objects of one store. Only the process that made it may use it, and any thread there.

    Keys are without the prefix of the store. All methods raise OSError.
    """

    def __init__(self, place: S3Place) -> None:
        give_large_blocks_back()  # else a file of any size takes 40 to 60 MiB, and they stay
        self._bucket: Final = _bucket(place, _REQUEST_SECONDS)
        self._patient_bucket: Final = _bucket(place, _COPY_SECONDS)

    def put(self, key: str, content: bytes | bytearray) -> None:
        """Store an object in one request."""
        with _failures():
            obstore.put(self._bucket, key, bytes(content), use_multipart=False)

    def put_new(self, key: str, content: bytes | bytearray) -> bool:
        """Store an object in one request if there is none. False if there is one already."""
        try:
            with _failures():
                obstore.put(self._bucket, key, bytes(content), mode="create", use_multipart=False)
        except FileExistsError:
            return False
        return True

    def parts(self, key: str) -> PartsWriter:
        """Begin an object of more than `PART` bytes. Nothing is sent before the first part is full."""
        writer = obstore.open_writer(self._bucket, key, buffer_size=PART, max_concurrency=_PARTS_AT_ONCE)
        return PartsWriter(writer)

    def copy(self, source: str, target: str) -> None:
        """Let the store copy an object, whether there is one at the target or not."""
        with _failures():
            obstore.copy(self._patient_bucket, source, target)

    def read(self, key: str, offset: int, length: int) -> bytes:
        """`length` bytes of an object from `offset`, both inside of it, and `length` at least 1.

        Raises FileNotFoundError if there is no such object.
        """
        with _failures():
            return obstore.get_range(self._bucket, key, start=offset, length=length).to_bytes()


def _bucket(place: S3Place, seconds: int) -> Bucket:
    return Bucket(
        place.bucket,
        prefix=place.prefix or None,
        config={
            "endpoint": place.endpoint,
            "aws_endpoint_url_s3": place.endpoint,  # else a variable would come before it
            "region": place.region,
            "access_key_id": place.keys.access_key,
            "secret_access_key": place.keys.secret_key,
            **({"session_token": place.keys.token} if place.keys.token else {}),
            "checksum_algorithm": "SHA256",
            "virtual_hosted_style_request": False,
        },
        client_options={
            "allow_http": place.endpoint.startswith("http:"),
            "connect_timeout": timedelta(seconds=3),
            "timeout": timedelta(seconds=seconds),
        },
        retry_config={
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=_RETRY_SECONDS),
            "backoff": {
                "init_backoff": timedelta(milliseconds=200),
                "max_backoff": timedelta(seconds=2),
                "base": 2,
            },
        },
    )


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except AlreadyExistsError:
        raise FileExistsError from None
    except NotFoundError:
        raise FileNotFoundError(ENOENT, "the object store responded with 404") from None
    except (BaseError, OSError) as error:
        raise store_error(str(error)) from None
