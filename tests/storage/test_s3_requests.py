"""Requests to an object store: their signatures, where a store is, and what a failure becomes."""

from datetime import UTC, datetime
from errno import EIO, ENOSPC

import pytest

from servers.storage.s3_errors import store_error
from servers.storage.s3_place import S3Place
from servers.storage.s3_signature import Keys, signed_fields

# The examples of "Authenticating Requests: Using the Authorization Header" in the Amazon S3 API reference.
_EXAMPLE = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
_HOST = {"host": "examplebucket.s3.amazonaws.com"}
_SIGNATURES = [
    pytest.param(
        *("GET", "/test.txt", {}, {"range": "bytes=0-9"}, b""),
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        id="an object",
    ),
    pytest.param(
        *("PUT", "/test%24file.text", {}),
        {"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
        b"Welcome to Amazon S3.",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        id="a body",
    ),
    pytest.param(
        *("GET", "/", {"lifecycle": ""}, {}, b""),
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        id="a parameter without a value",
    ),
    pytest.param(
        *("GET", "/", {"prefix": "J", "max-keys": "2"}, {}, b""),
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        id="two parameters",
    ),
]


@pytest.mark.parametrize(("method", "path", "query", "fields", "body", "signature"), _SIGNATURES)
def test_a_request_is_signed_as_amazon_shows_it(
    method: str, path: str, query: dict[str, str], fields: dict[str, str], body: bytes, signature: str
) -> None:
    now = datetime(2013, 5, 24, tzinfo=UTC)
    signed = signed_fields(
        method, path, query, fields | _HOST, body, keys=_EXAMPLE, region="us-east-1", now=now
    )
    assert signed["authorization"].endswith(f"Signature={signature}")


def test_temporary_keys_send_their_token_and_sign_it() -> None:
    keys = Keys("key", "secret", "token")
    signed = signed_fields("GET", "/", {}, {"host": "h"}, b"", keys=keys, region="us-east-1")
    assert signed["x-amz-security-token"] == "token"
    assert "x-amz-security-token" in signed["authorization"]


def test_keys_do_not_show_their_secrets() -> None:
    assert "secret" not in repr(Keys("key", "the secret", "secret token"))


_ENVIRON = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


class TestPlace:
    """`s3://BUCKET/PREFIX` and the variables `AWS_...`."""

    @pytest.mark.parametrize(
        ("place", "bucket", "prefix"),
        [
            ("//bucket", "bucket", ""),
            ("//bucket/", "bucket", ""),
            ("//my.bucket-1/a", "my.bucket-1", "a/"),
            ("//bucket/a/b_c/", "bucket", "a/b_c/"),
        ],
    )
    def test_a_place_has_a_bucket_and_a_prefix(self, place: str, bucket: str, prefix: str) -> None:
        found = S3Place.of(place, _ENVIRON)
        assert (found.bucket, found.prefix) == (bucket, prefix)

    @pytest.mark.parametrize(
        "place",
        [
            *("", "bucket", "/bucket", "//", "///a", "//Bucket", "//b", "//bucket//a", "//bucket/a//b"),
            *("//bucket/../a", "//bucket/a b", "//bucket/a?b", "//bucket/%41", "//bucket:1/a", "//bucket/ä"),
        ],
    )
    def test_another_place_is_refused(self, place: str) -> None:
        with pytest.raises(ValueError, match="store in a bucket is s3://BUCKET"):
            S3Place.of(place, _ENVIRON)

    @pytest.mark.parametrize(
        ("environ", "endpoint", "region"),
        [
            ({}, "https://s3.us-east-1.amazonaws.com", "us-east-1"),
            ({"AWS_DEFAULT_REGION": "eu-west-1"}, "https://s3.eu-west-1.amazonaws.com", "eu-west-1"),
            ({"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}, "https://s3.a.amazonaws.com", "a"),
            ({"AWS_ENDPOINT_URL": "http://h:9/"}, "http://h:9", "us-east-1"),
            (
                {"AWS_ENDPOINT_URL": "http://h:9", "AWS_ENDPOINT_URL_S3": "https://s"},
                "https://s",
                "us-east-1",
            ),
        ],
    )
    def test_variables_say_where_and_in_which_region(
        self, environ: dict[str, str], endpoint: str, region: str
    ) -> None:
        found = S3Place.of("//bucket", _ENVIRON | environ)
        assert (found.endpoint, found.region) == (endpoint, region)

    @pytest.mark.parametrize("url", ["h:9", "ftp://h", "http://", "http://h/path", "http://h?q"])
    def test_an_endpoint_that_is_no_plain_url_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match="AWS_ENDPOINT_URL is http://HOST:PORT"):
            S3Place.of("//bucket", _ENVIRON | {"AWS_ENDPOINT_URL": url})

    @pytest.mark.parametrize("name", list(_ENVIRON))
    def test_a_missing_key_is_named(self, name: str) -> None:
        with pytest.raises(ValueError, match=f"needs the variable {name}"):
            S3Place.of("//bucket", _ENVIRON | {name: ""})


_XML = "<Error><Code>{}</Code><Resource>/bucket/key</Resource></Error>"


@pytest.mark.parametrize(
    ("text", "status", "errno", "reason"),
    [
        ("", None, EIO, "the object store does not respond"),
        (
            "Error performing PUT http://10.0.0.1/bucket: connect",
            None,
            EIO,
            "the object store does not respond",
        ),
        (_XML.format("AccessDenied"), 403, EIO, "the object store responded with 403 AccessDenied"),
        (_XML.format("QuotaExceeded"), 403, ENOSPC, "the object store responded with 403 QuotaExceeded"),
        (
            _XML.format("XMinioStorageFull"),
            507,
            ENOSPC,
            "the object store responded with 507 XMinioStorageFull",
        ),
        (
            "Server returned non-2xx status code: 404 Not Found: " + _XML.format("NoSuchBucket"),
            *(None, EIO, "the object store responded with 404 NoSuchBucket"),
        ),
    ],
)
def test_a_failure_says_what_the_store_said_and_not_where_it_is(
    text: str, status: int | None, errno: int, reason: str
) -> None:
    error = store_error(text, status)
    assert (error.errno, error.strerror) == (errno, reason)
