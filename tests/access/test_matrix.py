"""Host, Origin, Sec-Fetch-Site, token, method, path: no wrong decision, and the same on every backend."""

import base64
import hashlib
import http.client
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from clients.launch import HOST, RunningBackend, running
from servers.contract.cors import with_permission
from servers.contract.exchange import Exchange
from servers.contract.problems import Problem
from servers.contract.request import BasicCredentials, OtherCredentials
from servers.contract.responses import problem_response
from servers.routes import TABLE
from servers.sansio.parsers import SansIoParsers
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from tests.access.decision import (
    CASES,
    PAGE,
    SINGLE,
    STORED,
    STORED_SHA256,
    TOKEN_FILE,
    TOKENS,
    Case,
    Decision,
    decide,
)
from tests.conftest import BACKEND_NAMES
from tests.contract.heads import head
from tests.patience import eventually, patient

_ALL = range(len(CASES))
# The steps divide by no number of values in a column, so that each value meets each value of the others.
_MANY, _SAMPLE = _ALL[::11], _ALL[::101]
_PARTS = 10


def _settings(folder: Path) -> dict[str, str]:
    path = folder / "tokens"
    path.write_text(TOKEN_FILE)
    path.chmod(0o600)
    return {"TOKEN": SINGLE, "TOKEN_FILE": str(path), "CORS_ORIGIN": PAGE, "LOG_JSON": "1"}


def _body(number: int) -> bytes:
    """A body of its own for each case, so that the store shows which of them were stored."""
    return b"upload %d" % number


def _stored_by(numbers: Sequence[int]) -> set[str]:
    """The hashes of what the accepted uploads store."""
    return {STORED_SHA256} | {
        hashlib.sha256(_body(number)).hexdigest()
        for number in numbers
        if CASES[number].path.startswith("/upload/") and decide(CASES[number]).status == 200
    }


def test_the_table_has_every_decision() -> None:
    codes = Counter((decide(case).status, decide(case).code) for case in CASES)
    assert set(codes) == {
        *((200, None), (204, None), (404, "not_found"), (405, "method_not_allowed")),
        *((421, "misdirected_host"), (403, "forbidden_origin")),
        *((401, "token_required"), (403, "forbidden_token")),
    }
    assert min(codes.values()) >= 45
    assert len(CASES) % _PARTS == 0


@pytest.mark.parametrize("numbers", [_MANY, _SAMPLE], ids=["many", "sample"])
def test_a_sample_has_every_pair_of_values(numbers: Sequence[int]) -> None:
    sample = [CASES[number] for number in numbers]
    for one, other in itertools.combinations(range(len(Case._fields)), 2):
        assert {(case[one], case[other]) for case in CASES} == {(case[one], case[other]) for case in sample}


class _InProcess:
    """The rules without a server."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.store.add({STORED_SHA256: STORED})
        environ = {f"WIREPROOF_{name}": value for name, value in _settings(folder).items()}
        self._context = Settings.from_environment(environ).context(self.store)

    def decision(self, case: Case, body: bytes) -> Decision:
        fields = {**case.fields, "content-type": "image/png"}
        request_head = head(case.method, case.path, host=case.host, fields=fields, chunked=True)
        request_head = replace(request_head, auth=_credentials(case.authorization))
        try:
            exchange = Exchange(request_head, TABLE, SansIoParsers(), self._context)
            exchange.feed(body)
            response = exchange.finish()
        except Problem as problem:
            response = problem_response(problem, head=request_head)
        sent = with_permission(response, request_head, self._context, TABLE)
        sent.close()
        headers = dict(sent.headers)
        token = self._context.access.token_name(request_head)
        origin = headers.get("Access-Control-Allow-Origin")
        return Decision(sent.status, sent.code, origin, headers.get("Vary") == "Origin", token)


def _credentials(authorization: str | None) -> BasicCredentials | OtherCredentials | None:
    if authorization is None:
        return None
    scheme, _, credentials = authorization.partition(" ")
    if scheme == "Basic":
        username, _, password = base64.b64decode(credentials).decode().partition(":")
        return BasicCredentials(username, password)
    return OtherCredentials(scheme.lower(), credentials)


def _check_rules(folder: Path, numbers: Sequence[int]) -> None:
    rules = _InProcess(folder)
    decided = [(CASES[number], rules.decision(CASES[number], _body(number))) for number in numbers]
    assert [(case, decision) for case, decision in decided if decision != decide(case)] == []
    assert set(rules.store.names()) == _stored_by(numbers)


def test_the_rules_decide_as_the_specification_does(tmp_path: Path) -> None:
    _check_rules(tmp_path, _MANY)


@pytest.mark.soak(seconds=15)
def test_the_rules_decide_every_case_as_the_specification_does(tmp_path: Path) -> None:
    _check_rules(tmp_path, _ALL)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, RunningBackend]]:
    """The backends with three tokens, and one page of another origin that is permitted."""
    settings = _settings(tmp_path_factory.mktemp("access"))
    env = {f"WIREPROOF_{name}": value for name, value in settings.items()}
    with running(BACKEND_NAMES, env=env | {"WIREPROOF_DURABILITY": "fast"}) as started:
        for backend in started:
            assert eventually(partial(_has_logged_its_start, backend))
        yield {backend.name: backend for backend in started}


def _has_logged_its_start(backend: RunningBackend) -> bool:
    """The socket server prints its port. The others were asked for /healthz: that line must be there."""
    return backend.name == "socket" or bool(_lines(backend))


def _ask(connection: http.client.HTTPConnection, case: Case, body: bytes) -> tuple[Decision, int]:
    """What a server decides, and how many fields of CORS there are. The name of the token is in its log."""
    connection.putrequest(case.method, case.path, skip_host=True, skip_accept_encoding=True)
    fields = {"Host": case.host, "Content-Length": str(len(body)), "Content-Type": "image/png", **case.fields}
    for name, value in fields.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    data = response.read()
    # A response to HEAD does not say the code. The log does.
    code = json.loads(data)["code"] if response.status >= 400 and data else None
    origin, varies = response.getheader("Access-Control-Allow-Origin"), response.getheader("Vary") == "Origin"
    permissions = sum(name.lower().startswith("access-control-") for name, _ in response.getheaders())
    return Decision(response.status, code, origin, varies, None), permissions


def _lines(backend: RunningBackend) -> Counter[tuple[object, ...]]:
    lines = [json.loads(line) for line in backend.log().splitlines() if line.startswith('{"time":')]
    members = ("method", "target", "status", "code", "token")
    return Counter(tuple(line[member] for member in members) for line in lines if "peer" in line)


def _stored_in(backend: RunningBackend) -> set[str]:
    return {path.name for path in (backend.store / "files").iterdir() if len(path.name) == 64}


def _check_backend(backend: RunningBackend, numbers: Sequence[int]) -> None:
    """Send these cases and compare the responses, the store and the log with the decisions."""
    before, had = _lines(backend), _stored_in(backend)
    expected: Counter[tuple[object, ...]] = Counter()
    wrong = []
    with closing(http.client.HTTPConnection(HOST, backend.port, timeout=patient(20))) as connection:
        connection.request("PUT", "/upload/hello.txt", STORED, {"Authorization": f"Bearer {SINGLE}"})
        assert connection.getresponse().read()
        expected["PUT", "/upload/hello.txt", 200, None, "token"] = 1
        for number in numbers:
            case, right = CASES[number], decide(CASES[number])
            expected[case.method, case.path, right.status, right.code, right.token] += 1
            decision, permissions = _ask(connection, case, _body(number))
            seen = right._replace(token=None, code=None if case.method == "HEAD" else right.code)
            if decision != seen or (permissions == 0) != (right.readable_by is None):
                wrong.append((case, decision, permissions, right))
    assert wrong == []
    assert _stored_in(backend) - had == _stored_by(numbers) - had
    assert eventually(lambda: _lines(backend) - before == expected), _lines(backend) - before - expected
    assert not [token for token in TOKENS if token in backend.log()]


@pytest.mark.parametrize("name", BACKEND_NAMES)
def test_each_backend_decides_as_the_specification_does(
    guarded: Mapping[str, RunningBackend], name: str
) -> None:
    _check_backend(guarded[name], _SAMPLE)


@pytest.mark.soak(seconds=40)
@pytest.mark.parametrize("part", range(_PARTS))
@pytest.mark.parametrize("name", BACKEND_NAMES)
def test_each_backend_decides_every_case_as_the_specification_does(
    guarded: Mapping[str, RunningBackend], name: str, part: int
) -> None:
    size = len(CASES) // _PARTS
    _check_backend(guarded[name], _ALL[part * size : (part + 1) * size])
