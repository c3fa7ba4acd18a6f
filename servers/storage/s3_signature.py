"""AWS Signature Version 4 for requests to an S3-compatible store.

Source: "Authenticating Requests: Using the Authorization Header" in the Amazon S3 API reference.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

_ALGORITHM: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Keys:
    """The access key of a user of the store. `token` belongs to temporary keys."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def canonical_query(query: Mapping[str, str]) -> str:
    """The query string as it is signed and sent: sorted, and encoded as the signature asks for."""
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def signed_fields(
    method: str,
    path: str,
    query: Mapping[str, str],
    fields: Mapping[str, str],
    body: bytes,
    *,
    keys: Keys,
    region: str,
    now: datetime | None = None,
) -> dict[str, str]:
    """The header fields of a signed request: `fields`, which must have `host`, and those of the signature.

    `path` is the encoded path of the request target. Names in `fields` are in lower case.
    """
    now = datetime.now(UTC) if now is None else now
    time = now.strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    signed = {**fields, "x-amz-content-sha256": digest, "x-amz-date": time}
    if keys.token is not None:
        signed["x-amz-security-token"] = keys.token
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name].strip()}\n" for name in sorted(signed))
    request = "\n".join((method, path, canonical_query(query), lines, names, digest))
    scope = f"{time[:8]}/{region}/s3/aws4_request"
    text = "\n".join((_ALGORITHM, time, scope, hashlib.sha256(request.encode()).hexdigest()))
    signature = hmac.new(_signing_key(keys, scope), text.encode(), hashlib.sha256).hexdigest()
    signed["authorization"] = (
        f"{_ALGORITHM} Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return signed


def _signing_key(keys: Keys, scope: str) -> bytes:
    key = f"AWS4{keys.secret_key}".encode()
    for piece in scope.split("/"):
        key = hmac.new(key, piece.encode(), hashlib.sha256).digest()
    return key
