"""Where a store in a bucket is, and with which keys: `s3://BUCKET/PREFIX` and the variables `AWS_...`."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from .s3_signature import Keys

PART: Final = 6 * 1024 * 1024
"""Bytes of a part of a multipart upload (S3 takes 5 MiB at least). A file of at most so many is one PUT."""

LARGEST: Final = 5 * 1024**3
"""Bytes of the largest file: S3 copies no larger object in one request."""

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# What S3 recommends for keys. Other characters are encoded differently by different stores.
_PREFIX: Final = re.compile(r"[A-Za-z0-9!_.*'()-]+(?:/[A-Za-z0-9!_.*'()-]+)*")
_FORM: Final = "a store in a bucket is s3://BUCKET or s3://BUCKET/PREFIX"


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket, the prefix of all keys of the store, and who asks for them. `prefix` ends with a slash or is
    empty; `endpoint` is a URL without a path.
    """

    bucket: str
    prefix: str
    endpoint: str
    region: str
    keys: Keys

    @classmethod
    def of(cls, place: str, environ: Mapping[str, str] | None = None) -> "S3Place":
        """The place behind `s3:`, with the usual variables of `environ`.

        Raises ValueError if it is malformed, or if a variable is missing or malformed.
        """
        environ = os.environ if environ is None else environ
        bucket, _, prefix = place.removeprefix("//").partition("/")
        prefix = prefix.removesuffix("/")
        if not place.startswith("//") or not _BUCKET.fullmatch(bucket):
            raise ValueError(f"{_FORM}, not s3:{place}")
        if prefix and (not _PREFIX.fullmatch(prefix) or {".", ".."} & {*prefix.split("/")}):
            raise ValueError(f"{_FORM}; the prefix {prefix!a} has a segment that is no plain name")
        region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        return cls(bucket, f"{prefix}/" if prefix else "", _endpoint(environ, region), region, _keys(environ))


def _endpoint(environ: Mapping[str, str], region: str) -> str:
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"):
        if value := environ.get(name):
            url = urlsplit(value)
            if url.scheme not in ("http", "https") or not url.netloc or url.path.strip("/") or url.query:
                raise ValueError(f"{name} is http://HOST:PORT or https://HOST, not {value!a}")
            return f"{url.scheme}://{url.netloc}"
    return f"https://s3.{region}.amazonaws.com"


def _keys(environ: Mapping[str, str]) -> Keys:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if not environ.get(name):
            raise ValueError(f"a store in a bucket needs the variable {name}")
    return Keys(
        environ["AWS_ACCESS_KEY_ID"],
        environ["AWS_SECRET_ACCESS_KEY"],
        environ.get("AWS_SESSION_TOKEN") or None,
    )
