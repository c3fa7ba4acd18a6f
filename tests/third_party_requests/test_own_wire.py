"""Raw requests of every kind, as they were recorded in pieces and with or without the end of the client.

They have no expectation: the backends are each other's. The time-outs are short, so that a request which is
never completed ends too, on every backend.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping

import pytest

from clients.comparison.equality import broken_invariants
from clients.http1.exchange import Exchange
from clients.launch import RunningBackend, running
from tests.conftest import BACKEND_NAMES
from tests.third_party_requests.corpus import Record, corpus_is_here, every_case
from tests.third_party_requests.differences import FLASK_RUN
from tests.third_party_requests.exchanges import converse, difference

TIMEOUTS = {"WIREPROOF_HEAD_TIMEOUT": "1", "WIREPROOF_BODY_IDLE_TIMEOUT": "1"}
SECONDS = 4.0
Impatient = Mapping[str, RunningBackend]
Ask = Callable[[Record], Exchange]


@pytest.fixture(scope="module")
def impatient() -> Iterator[Impatient]:
    """The backends with short time-outs."""
    if not corpus_is_here():
        yield {}
        return
    with running(BACKEND_NAMES, env=TIMEOUTS) as started:
        yield {backend.name: backend for backend in started}


@pytest.fixture(scope="module")
def of_socket(impatient: Impatient) -> Ask:
    """What socket answers: each case is asked once, however often it is compared with."""
    done: dict[str, Exchange] = {}

    def ask(record: Record) -> Exchange:
        if record["id"] not in done:
            done[record["id"]] = send(impatient["socket"], record)
        return done[record["id"]]

    return ask


def harmless(record: Record) -> bool:
    """Whether it may be sent to Werkzeug's server."""
    return not record["danger_dev"]


def pieces_of(record: Record) -> list[bytes]:
    """The segments to send: most cases are one piece."""
    pieces = record["pieces_b64"] or [record["raw_b64"]]
    return [base64.b64decode(piece, validate=True) for piece in pieces]


def send(backend: RunningBackend, record: Record) -> Exchange:
    return converse(backend, pieces_of(record), half_close=record["half_close"], seconds=SECONDS)


@every_case("own-wire")
def test_socket_and_gunicorn_answer_alike(impatient: Impatient, of_socket: Ask, record: Record) -> None:
    began = time.monotonic()
    one, other = of_socket(record), send(impatient["gunicorn"], record)
    assert difference(one, other) is None
    assert time.monotonic() - began < SECONDS, "a request without an end is not bounded"
    for said in one.responses:
        assert not list(broken_invariants(said, head=pieces_of(record)[0][:5] == b"HEAD "))


@every_case("own-wire", where=harmless)
def test_flask_run_answers_alike_where_its_server_lets_it(
    impatient: Impatient, of_socket: Ask, record: Record
) -> None:
    _check(difference(of_socket(record), send(impatient["flask"], record)), FLASK_RUN.get(record["id"]))


@pytest.mark.skipif("fastapi" not in BACKEND_NAMES, reason="its extra is not installed")
@every_case("own-wire")
def test_fastapi_answers_alike(impatient: Impatient, of_socket: Ask, record: Record) -> None:
    assert difference(of_socket(record), send(impatient["fastapi"], record)) is None


def _check(found: str | None, rule: str | None) -> None:
    """Only what is listed differs, and it does."""
    if rule is None:
        assert found is None
    else:
        assert found is not None, f"no longer differs: take it off the list ({rule})"
