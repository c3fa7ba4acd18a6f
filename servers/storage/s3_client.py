"""The requests to an object store that obstore does not offer, or that a process makes before it forks.

obstore lists no multipart uploads, aborts none, and shows no checksums. And its threads do not survive a
fork: a worker whose parent used it would wait without end. So the process that forks uses only this client.

A request that fails is repeated a few times, after a random pause that doubles: on a broken connection, on
5xx and on 429. All of them are safe to repeat.
"""

import os
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import urllib3

from .s3_errors import store_error
from .s3_place import S3Place
from .s3_signature import canonical_query, signed_fields

_ATTEMPTS: Final = 10
_LAST_ATTEMPT: Final = 15.0  # seconds after the first one
_FIRST_PAUSE = 0.2  # seconds; doubled for each further one
_LONGEST_PAUSE: Final = 2.0
_TIMEOUT: Final = urllib3.Timeout(connect=3.0, read=20.0)
_SHORT_TIMEOUT: Final = urllib3.Timeout(connect=1.0, read=2.0)
_CONNECTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """The size of an object in bytes and its SHA-256 in base64, if the store has one.

    The checksum of an object that was stored in parts may be one of the parts' checksums: `BASE64-COUNT`.
    """

    size: int
    checksum: str | None


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object in a listing. The key is without the prefix of the store; the time is the store's.

    `size` is in bytes.
    """

    key: str
    modified: datetime
    size: int


@dataclass(frozen=True, slots=True)
class ListedUpload:
    """A multipart upload that was begun and is neither complete nor aborted."""

    key: str
    upload_id: str


class S3Client:
    """Signed requests to one bucket. Keys are without the prefix of the store. Any thread may use it.

    All methods raise OSError if the store does not respond, or refuses.
    """

    def __init__(self, place: S3Place) -> None:
        self._place: Final = place
        self._host: Final = urlsplit(place.endpoint).netloc
        self._pool: tuple[int, urllib3.PoolManager] | None = None
        self.store_time = datetime.now(UTC)
        """The time of the store in its last response."""

    def head(self, key: str) -> ObjectHead | None:
        """The size and the checksum of an object, or None if there is none in a bucket that is there."""
        response = self._request("HEAD", key, fields={"x-amz-checksum-mode": "ENABLED"}, accept=(404,))
        if response.status == 404:
            self._request("HEAD", None)  # raises OSError if the whole bucket is missing
            return None
        size = int(response.headers["content-length"])
        return ObjectHead(size, response.headers.get("x-amz-checksum-sha256"))

    def put(self, key: str, body: bytes, *, only_new: bool = False, hurry: bool = False) -> bool:
        """Store a small object. With `only_new`, False if there is one already. With `hurry`, try it once."""
        fields = {"if-none-match": "*"} if only_new else {}
        response = self._request("PUT", key, fields=fields, body=body, accept=(412,), hurry=hurry)
        return response.status != 412

    def delete(self, key: str) -> None:
        """Remove an object, if there is one."""
        self._request("DELETE", key, accept=(404,))

    def objects(self, prefix: str) -> Iterator[ListedObject]:
        """The objects whose keys begin with `prefix`."""
        query = {"list-type": "2", "prefix": self._place.prefix + prefix}
        while True:
            page = self._list(query)
            for entry in page.iterfind("{*}Contents"):
                modified = datetime.fromisoformat(_text(entry, "LastModified"))
                yield ListedObject(self._short(_text(entry, "Key")), modified, int(_text(entry, "Size")))
            if _text(page, "IsTruncated") != "true":
                return
            query["continuation-token"] = _text(page, "NextContinuationToken")

    def uploads(self, prefix: str) -> Iterator[ListedUpload]:
        """The multipart uploads under way whose keys begin with `prefix`."""
        query = {"uploads": "", "prefix": self._place.prefix + prefix}
        while True:
            page = self._list(query)
            for entry in page.iterfind("{*}Upload"):
                yield ListedUpload(self._short(_text(entry, "Key")), _text(entry, "UploadId"))
            if _text(page, "IsTruncated") != "true":
                return
            query["key-marker"] = _text(page, "NextKeyMarker")
            query["upload-id-marker"] = _text(page, "NextUploadIdMarker")

    def abort(self, upload: ListedUpload) -> None:
        """Abort a multipart upload, if it is under way."""
        self._request("DELETE", upload.key, {"uploadId": upload.upload_id}, accept=(404,))

    def close(self) -> None:
        """Close the connections. The next request opens new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool[1].clear()

    def _short(self, key: str) -> str:
        return key.removeprefix(self._place.prefix)

    def _list(self, query: Mapping[str, str]) -> ElementTree.Element:
        response = self._request("GET", None, query)
        try:
            return ElementTree.fromstring(response.data)
        except ElementTree.ParseError:
            raise store_error("", response.status) from None

    def _request(
        self,
        method: str,
        key: str | None,
        query: Mapping[str, str] | None = None,
        *,
        fields: Mapping[str, str] | None = None,
        body: bytes = b"",
        accept: tuple[int, ...] = (),
        hurry: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        """The response, which is 2xx or in `accept`. Without a key the request is for the bucket."""
        path = f"/{self._place.bucket}" + ("" if key is None else f"/{self._place.prefix}{key}")
        path, query = quote(path, safe="/-_.~"), query or {}
        url = self._place.endpoint + path + (f"?{canonical_query(query)}" if query else "")
        failure = store_error("")
        for _ in _attempts(1 if hurry else _ATTEMPTS):
            signed = self._signed(method, path, query, fields or {}, body)
            try:
                response = self._manager().request(
                    method,
                    url,
                    headers=signed,
                    body=body,
                    retries=False,
                    redirect=False,
                    timeout=_SHORT_TIMEOUT if hurry else _TIMEOUT,
                )
            except urllib3.exceptions.HTTPError:
                continue
            self._note_time(response)
            if 200 <= response.status < 300 or response.status in accept:
                return response
            failure = store_error(response.data.decode("utf-8", "replace"), response.status)
            if response.status < 500 and response.status != 429:
                break
        raise failure

    def _signed(
        self, method: str, path: str, query: Mapping[str, str], fields: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        place = self._place
        fields = {**fields, "host": self._host}
        return signed_fields(method, path, query, fields, body, keys=place.keys, region=place.region)

    def _note_time(self, response: urllib3.BaseHTTPResponse) -> None:
        if (date := response.headers.get("date")) is not None:
            self.store_time = parsedate_to_datetime(date)

    def _manager(self) -> urllib3.PoolManager:
        """The connections of this process: one that was forked must not use those of its parent."""
        if self._pool is None or self._pool[0] != os.getpid():
            self._pool = os.getpid(), urllib3.PoolManager(1, maxsize=_CONNECTIONS)
        return self._pool[1]


def _attempts(most: int) -> Iterator[None]:
    """Yield for each attempt, after its pause."""
    last = time.monotonic() + _LAST_ATTEMPT
    yield
    for number in range(most - 1):
        time.sleep(min(_FIRST_PAUSE * 2**number, _LONGEST_PAUSE) * random.uniform(0.5, 1.5))
        if time.monotonic() > last:
            return
        yield


def _text(element: ElementTree.Element, name: str) -> str:
    return element.findtext(f"{{*}}{name}") or ""
