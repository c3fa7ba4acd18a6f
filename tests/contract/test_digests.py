"""Digests of bodies and of responses (RFC 9530), in the exchange of a request."""

import base64
import hashlib
import json

import pytest

from servers.contract import digests
from servers.contract.exchange import Exchange
from servers.contract.problems import Problem
from servers.contract.request import RequestHead
from servers.contract.responses import FileSlice, Response
from servers.routes import TABLE
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from tests.contract.heads import head
from tests.parsers import ALL_PARSERS
from tests.storage.uploads import sha256, upload

_FORM = b'--b\r\nContent-Disposition: form-data; name=a; filename="f"\r\n\r\ncontent\r\n--b--\r\n'
_FORM_TYPE = {"content-type": "multipart/form-data; boundary=b"}
_STORING = {
    "a form": ("POST", "/upload/", _FORM_TYPE, _FORM),
    "bytes": ("POST", "/upload/", {"content-type": "image/png"}, b"image"),
    "a raw file": ("PUT", "/upload/f", {}, b"raw"),
    "an empty raw file": ("PUT", "/upload/f", {}, b""),
    "a long text": ("POST", "/upload/", {}, b"t" * 2_000_000),
}


def _field(algorithm: str, content: bytes) -> str:
    digest = hashlib.new(algorithm.replace("-", ""), content).digest()
    return f"{algorithm}=:{base64.b64encode(digest).decode()}:"


def _respond(request_head: RequestHead, store: MemoryStore, body: bytes = b"", *, size: int = 0) -> Response:
    exchange = Exchange(request_head, TABLE, ALL_PARSERS["sansio"], Settings().context(store))
    for start in range(0, len(body), size or len(body) or 1):
        exchange.feed(body[start : start + (size or len(body))])
    return exchange.finish()


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
@pytest.mark.parametrize("field", ["content-digest", "repr-digest"])
@pytest.mark.parametrize("name", _STORING)
def test_d1_a_body_is_stored_only_with_the_digest_that_was_promised(
    name: str, field: str, algorithm: str
) -> None:
    method, path, fields, body = _STORING[name]
    for size in (0, max(len(body) // 7, 1)):
        store = MemoryStore()
        right = head(method, path, fields=fields | {field: _field(algorithm, body)}, chunked=True)
        assert _respond(right, store, body, size=size).status == 200
        assert len(list(store.names())) == 1
        store = MemoryStore()
        wrong = head(method, path, fields=fields | {field: _field(algorithm, body + b"!")}, chunked=True)
        with pytest.raises(Problem, match=f"another {algorithm} than {field} says") as caught:
            _respond(wrong, store, body, size=size)
        assert (caught.value.code, caught.value.rule) == ("digest_mismatch", "D1")
        assert list(store.names()) == []


def test_d3_a_malformed_digest_is_refused_before_the_body() -> None:
    with pytest.raises(Problem) as caught:
        _respond(head("PUT", "/upload/f", fields={"content-digest": "sha-256"}, chunked=True), MemoryStore())
    assert caught.value.code == "digest_syntax"


def _repr_digest(response: Response) -> str | None:
    response.close()
    return dict(response.headers).get("Repr-Digest")


@pytest.mark.parametrize(
    ("want", "algorithm"), [(None, None), ("sha-256=1", "sha-256"), ("sha-512=1", "sha-512"), ("md5=1", None)]
)
def test_d7_a_response_in_memory_has_a_digest_if_one_is_wanted(
    want: str | None, algorithm: str | None
) -> None:
    fields = {} if want is None else {"want-repr-digest": want}
    response = _respond(head("GET", "/echo", fields=fields), MemoryStore())
    assert isinstance(response.body, bytes)
    assert json.loads(response.body)["method"] == "GET"
    assert _repr_digest(response) == (None if algorithm is None else _field(algorithm, response.body))


@pytest.mark.parametrize(("largest", "algorithm"), [(7, "sha-512"), (6, "sha-256")])
def test_d7_a_large_file_is_not_read_for_a_digest(
    monkeypatch: pytest.MonkeyPatch, largest: int, algorithm: str
) -> None:
    monkeypatch.setattr(digests, "READ_AT_MOST", largest)
    store = MemoryStore()
    upload(store, b"content")
    path = f"/files/{sha256(b'content')}"
    response = _respond(head("GET", path, fields={"want-repr-digest": "sha-512=1"}), store)
    assert isinstance(response.body, FileSlice)
    assert _repr_digest(response) == _field(algorithm, b"content")
