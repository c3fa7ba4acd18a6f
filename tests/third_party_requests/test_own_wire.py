"""Raw requests of every kind, sent in the recorded pieces, with or without closing the client's side.

They have no expectation: the backends are compared with each other. The backends have short time-outs, so
that a request that is never completed ends too.
"""

import base64
from collections.abc import Iterator, Mapping

import pytest

from clients.comparison.equality import broken_invariants
from clients.http1.exchange import Exchange
from clients.launch import RunningBackend, running
from tests.conftest import BACKEND_NAMES
from tests.third_party_requests.differences import FLASK_RUN
from tests.third_party_requests.exchanges import TOO_LATE, converse, difference
from tests.third_party_requests.records import ABSENT, Record, are_here, check_each

LISTED: Mapping[str, Mapping[str, str]] = {"flask": FLASK_RUN}
TIMEOUTS = {"WIREPROOF_HEAD_TIMEOUT": "1", "WIREPROOF_BODY_IDLE_TIMEOUT": "1"}
SECONDS = 12.0  # the time-outs' second, and a busy machine's
Impatient = Mapping[str, RunningBackend]


@pytest.fixture(scope="module")
def impatient() -> Iterator[Impatient]:
    """The backends with short time-outs."""
    if not are_here():
        pytest.skip(ABSENT)
    with running(BACKEND_NAMES, env=TIMEOUTS) as started:
        yield {backend.name: backend for backend in started}


def harmless(record: Record) -> bool:
    """Whether it may be sent to Werkzeug's server."""
    return not record["danger_dev"]


def pieces_of(record: Record) -> list[bytes]:
    """The segments to send: most cases are one piece."""
    pieces = record["pieces_b64"] or [record["raw_b64"]]
    return [base64.b64decode(piece, validate=True) for piece in pieces]


def send(backend: RunningBackend, record: Record) -> Exchange:
    return converse(backend, pieces_of(record), half_close=record["half_close"], seconds=SECONDS)


@pytest.mark.soak(seconds=15)
def test_all_backends_answer_alike_where_their_servers_let_them(impatient: Impatient) -> None:
    check_each("own-wire", lambda record: _check_record(impatient, record))


def _check_record(impatient: Impatient, record: Record) -> None:
    """Every backend must respond as socket does; flask run differs for the listed requests."""
    measure = send(impatient["socket"], record)
    for got in measure.responses:
        assert not list(broken_invariants(got, head=pieces_of(record)[0][:5] == b"HEAD "))
    for name in BACKEND_NAMES:
        if name != "socket" and (name != "flask" or harmless(record)):
            exchange = send(impatient[name], record)
            rule = LISTED.get(name, {}).get(record["id"])
            assert rule or exchange.no_response != TOO_LATE, (
                f"{name}: a request without an end is not bounded"
            )
            _check(name, difference(measure, exchange), rule)


def _check(name: str, found: str | None, rule: str | None) -> None:
    """Only what is listed differs, and it does."""
    if rule is None:
        assert found is None, f"{name}: {found}"
    else:
        assert found is not None, f"{name} no longer differs: take it off the list ({rule})"
