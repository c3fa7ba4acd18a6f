"""Rows about the inside of a process: failed allocations, our encoders, the comparison of tokens."""

import hashlib
import hmac
import re
from collections import Counter
from pathlib import Path

import pytest

from clients.http1.multipart_body import MultipartBody, Part
from clients.http1.response_parser import Response
from clients.http1.sources import BytesSource
from servers.contract.access import AccessRules
from servers.contract.problems import Problem
from servers.contract.request import OtherCredentials, RequestHead
from servers.contract.tokens import Token
from tests.advisories.conversation import talk
from tests.advisories.inject import Injector, injected
from tests.advisories.messages import file, form, text

_SECRET = b"s3cr3t-of-the-tests"
_CONTENTS = (b"first", b"\r\n--B-" * 20, b"third")
_HOSTILE = 'a"\r\nX: y'


@pytest.mark.parametrize("backend", [pytest.param(name, id=f"H109-{name}") for name in ("socket", "flask")])
def test_a_failed_allocation_is_a_5xx_and_leaves_a_sound_process(
    backend: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):  # the first one fills what is remembered
        with injected(backend, tmp_path) as (port, injector):
            _is_exact(talk(port, _upload(0), half_close=True).only())
            calls = injector.calls
    assert calls > 50
    for at in range(1, calls + 1, max(1, calls // 40)):
        # Python traces a thread no more once its trace function has raised: each time a new server.
        with injected(backend, tmp_path, at) as (port, injector):
            _fails(port, injector, at)
            for _ in range(2):
                _is_exact(talk(port, _upload(at), half_close=True).only())
            _only_whole_files(tmp_path)
    assert _SECRET.decode() not in caplog.text  # H176


def _upload(number: int) -> bytes:
    """An upload whose header blocks no other number has, so that they are parsed."""
    parts = [file(b"f%07d" % number, b"a", content) for content in _CONTENTS]
    upload = form(text(b"t%07d" % number, b"x"), *parts)
    return upload.replace(b"User-Agent: wireproof", b"Authorization: Bearer " + _SECRET)


def _fails(port: int, injector: Injector, at: int) -> None:
    reply = talk(port, _upload(at), half_close=True)
    assert injector.hit, f"call {at} was not made"
    assert reply.ended and not reply.fault
    *before, last = reply.responses or (None,)
    if last is not None and last.status != 500:
        before.append(last)  # what failed was to begin the next request
    elif last is not None:
        assert last.json()["code"] == "internal"
    for response in before:
        _is_exact(response)


def _is_exact(response: Response | None) -> None:
    assert response is not None and response.status == 200
    files = [(entry["size"], entry["sha256"]) for entry in response.json()["files"]]
    assert files == [(len(content), hashlib.sha256(content).hexdigest()) for content in _CONTENTS]


def _only_whole_files(store: Path) -> None:
    stored = {path.name for path in (store / "files").iterdir()}
    assert stored == {hashlib.sha256(content).hexdigest() for content in _CONTENTS}
    assert not list((store / "staging").iterdir())


@pytest.mark.parametrize("row", ["H111"])
def test_boundaries_are_128_bits_of_secrets_and_never_the_same(
    row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {MultipartBody([]).boundary for _ in range(10_000)}
    assert len(made) == 10_000
    assert all(re.fullmatch("[0-9a-f]{32}", boundary) for boundary in made)
    # Every digit in every place is as likely as another: within six standard deviations of 625.
    for place in range(32):
        counts = Counter(boundary[place] for boundary in made)
        assert all(abs(counts[digit] - 625) < 150 for digit in "0123456789abcdef"), (place, counts)
    monkeypatch.setattr("clients.http1.multipart_body.secrets.token_hex", lambda size: "ab" * size)
    assert MultipartBody([]).boundary == "ab" * 16


@pytest.mark.parametrize("row", ["H112"])
def test_names_cannot_leave_their_quotes(row: str) -> None:
    part = Part(_HOSTILE, BytesSource(b"x"), _HOSTILE, "text/plain")
    escaped = b"a%22%0D%0AX: y"
    disposition = b'form-data; name="%s"; filename="%s"' % (escaped, escaped)
    assert part.head() == b"Content-Disposition: %s\r\nContent-Type: text/plain\r\n\r\n" % disposition


@pytest.mark.parametrize("row", ["H170"])
def test_tokens_are_compared_in_constant_time(row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare_digest = hmac.compare_digest

    def compare(given: bytes, token: bytes) -> bool:
        compared.append((given, token))
        return compare_digest(given, token)

    monkeypatch.setattr("servers.contract.access.hmac.compare_digest", compare)
    tokens = (Token.of("first", "full", "another token"), Token.of("second", "read", "the token"))
    rules = AccessRules(tokens=tokens)
    guesses = ("", "t", "the toke", "the token2", "é", "\ud800", "x" * 8000)
    for guess in guesses:
        with pytest.raises(Problem) as raised:
            rules.check_access(_head(guess), private=False, needs_token=True)
        assert raised.value.code == "token_required"
    rules.check_access(_head("the token"), private=False, needs_token=True)
    assert len(compared) == 2 * (len(guesses) + 1), "each guess is compared with each token"
    assert {(type(given), len(given), len(token)) for given, token in compared} == {(bytes, 32, 32)}


def _head(token: str) -> RequestHead:
    return RequestHead(
        method="GET",
        target="/",
        path="/",
        host="localhost",
        args=(),
        headers=(),
        cookies=(),
        auth=OtherCredentials("bearer", token),
        content_length=None,
        chunked=False,
        last_segment="",
    )
