"""Raw requests of every kind, as they were recorded in pieces and with or without the end of the client.

They have no expectation: the backends are each other's. The time-outs are short, so that a request which is
never completed ends too, on every backend.
"""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Iterator, Mapping

import pytest

from clients.equality import broken_invariants, first_difference
from clients.exchange import Exchange
from clients.launch import RunningBackend, start
from tests.corpus.corpus import Record, corpus_is_here, every_case
from tests.corpus.differences import FLASK_RUN
from tests.corpus.exchanges import converse

TIMEOUTS = {"WIREPROOF_HEAD_TIMEOUT": "1", "WIREPROOF_BODY_IDLE_TIMEOUT": "1"}
SECONDS = 4.0
Impatient = Mapping[str, RunningBackend]


@pytest.fixture(scope="module")
def impatient() -> Iterator[Impatient]:
    """The backends with short time-outs."""
    if not corpus_is_here():
        yield {}
        return
    with contextlib.ExitStack() as stack:
        names = ("socket", "gunicorn", "flask")
        yield {name: stack.enter_context(start(name, env=TIMEOUTS)) for name in names}


def harmless(record: Record) -> bool:
    """Whether it may be sent to Werkzeug's server."""
    return not record["danger_dev"]


def pieces_of(record: Record) -> list[bytes]:
    """The segments to send: most cases are one piece."""
    pieces = record["pieces_b64"] or [record["raw_b64"]]
    return [base64.b64decode(piece, validate=True) for piece in pieces]


def send(backend: RunningBackend, record: Record) -> Exchange:
    return converse(backend, pieces_of(record), half_close=record["half_close"], seconds=SECONDS)


def difference(one: Exchange, other: Exchange) -> str | None:
    """How two exchanges differ; no answer in time is an answer of its own here."""
    if bool(one.answers) != bool(other.answers) or one.closed != other.closed:
        return f"{_outcome(one)} and {_outcome(other)}"
    return one.no_answer or other.no_answer or first_difference(one, other)


def _outcome(exchange: Exchange) -> str:
    if exchange.answers:
        return f"status {exchange.answers[0].status}"
    return "closed" if exchange.closed else exchange.no_answer


@every_case("own-wire")
def test_socket_and_gunicorn_answer_alike(impatient: Impatient, record: Record) -> None:
    began = time.monotonic()
    one, other = (send(impatient[name], record) for name in ("socket", "gunicorn"))
    assert difference(one, other) is None
    assert time.monotonic() - began < SECONDS, "a request without an end is not bounded"
    for said in one.answers:
        assert not list(broken_invariants(said, head=pieces_of(record)[0][:5] == b"HEAD "))


@every_case("own-wire", where=harmless)
def test_flask_run_answers_alike_where_its_server_lets_it(impatient: Impatient, record: Record) -> None:
    one, other = (send(impatient[name], record) for name in ("socket", "flask"))
    found = difference(one, other)
    if record["id"] in FLASK_RUN:
        assert found is not None, f"no longer differs: take it off the list ({FLASK_RUN[record['id']]})"
    else:
        assert found is None
