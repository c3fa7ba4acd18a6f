"""Recorded requests are found, loaded and sent as compare loads and sends them."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from clients.comparison.cases import SAMPLE_FILES, Case
from clients.launch import RunningBackend, running
from servers.web import recorded
from tests.recorded import recorded_cases
from tests.web.sending.page_client import Answer, ask, send

_BY_NAME = {case.name: case for case in recorded_cases()}
_END_OF_HEAD = b"\r\n\r\n"


def _content(pieces: Any) -> bytes:
    return b"".join(piece.content for piece in pieces)


def test_every_recorded_request_is_found_with_its_title_rules_and_size() -> None:
    found = recorded.find("")
    assert [(case.name, case.title, case.rules, case.size) for case in found] == [
        (case.name, case.title, case.rules, len(case.request)) for case in recorded_cases()
    ]
    assert recorded.count() == len(found) > 2500


def test_every_recorded_request_has_its_bytes_in_the_pieces_that_its_file_asks_for() -> None:
    for name, case in _BY_NAME.items():
        message = recorded.message_of(name)
        assert message is not None
        assert _content(message.pieces) == case.request, name
        assert [len(piece.content) for piece in message.pieces if isinstance(piece.content, bytes)] == [
            end - start
            for start, end in zip((0, *_edges(case)), (*_edges(case), len(case.request)), strict=True)
        ]
        assert message.verbatim
        stored = [_content(before.pieces).partition(_END_OF_HEAD)[2] for before in message.before]
        assert stored == [(SAMPLE_FILES / file).read_bytes() for file in case.store], name


def _edges(case: Case) -> tuple[int, ...]:
    if case.expect.continues is None:
        return case.splits
    end = case.request.index(_END_OF_HEAD) + len(_END_OF_HEAD)
    return (end,) if end < len(case.request) else ()


def test_a_rule_is_searched_exactly_and_words_in_names_and_titles() -> None:
    of_rule = {case.name for case in recorded.find("M6")}
    assert of_rule == {name for name, case in _BY_NAME.items() if "M6" in case.rules}
    assert of_rule < {case.name for case in recorded.find("")}
    (one,) = recorded.find("disposition-without-name")[:1]
    assert one.rules == ("M38",)
    assert {case.name for case in recorded.find("M62 EMPTY filename")} == {
        name
        for name, case in _BY_NAME.items()
        if "M62" in case.rules
        and all(word in name or word in case.title.lower() for word in ("empty", "filename"))
    }
    assert recorded.find("M62 no-such-words") == []


def test_without_the_recorded_requests_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "SAMPLE_FILES", tmp_path)
    recorded.index.cache_clear()
    try:
        assert (recorded.find(""), recorded.count(), recorded.message_of("auth-basic")) == ([], 0, None)
    finally:
        recorded.index.cache_clear()


def test_a_file_that_cannot_be_used_is_left_out_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "requests" / "json"
    folder.mkdir(parents=True)
    (folder / "good.json").write_text('{"title":"t","rules":["J1"],"expect":{},"request":["a",{"octets":2}]}')
    for name, text in {"a": "{", "b": "{}", "c": '{"title":"t","rules":["J1"]}', "d": "[]"}.items():
        (folder / f"{name}.json").write_text(text)
    monkeypatch.setattr(recorded, "SAMPLE_FILES", tmp_path)
    recorded.index.cache_clear()
    try:
        assert [(case.name, case.size) for case in recorded.find("")] == [("good", 3)]
        assert len(caplog.messages) == 4
    finally:
        recorded.index.cache_clear()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, RunningBackend]]:
    """A socket server and gunicorn, each of which sends to both."""
    store = tmp_path_factory.mktemp("recorded")
    with running(("socket", "gunicorn"), store=store / "peers") as peers:
        named = ",".join(f"{peer.name}={peer.url}" for peer in peers)
        with running(("socket", "gunicorn"), store=store, env={"WIREPROOF_PEERS": named}) as pages:
            yield {one.name: one for one in pages}


def _first(holds: Callable[[Case], object], tier: int = 2) -> Case:
    return next(
        case for case in recorded_cases() if case.tier <= tier and case.expect.responses and holds(case)
    )


def _refused_with(code: str) -> Callable[[Case], object]:
    return lambda case: case.expect.responses[0].code == code


_SHAPES = {
    "a GET without a body": _BY_NAME["auth-basic"],
    "HEAD": _first(lambda case: case.request.startswith(b"HEAD ")),
    "a form in pieces": _first(lambda case: case.splits),
    "a recipe": _BY_NAME["fields-of-one-mebibyte-together"],
    "a sample file that is stored first": _first(lambda case: case.store),
    "a body that is cut off": _first(_refused_with("body_truncated")),
    "a malformed head": _first(_refused_with("bad_header")),
    "a stream": _first(lambda case: case.expect.responses[0].events),
}


@pytest.mark.parametrize("backend", ["socket", "gunicorn"])
@pytest.mark.parametrize("shape", _SHAPES)
def test_a_case_of_every_shape_gets_what_it_expects_from_both_servers(
    page: Mapping[str, RunningBackend], backend: str, shape: str
) -> None:
    case = _SHAPES[shape]
    answer = ask(page[backend].port, f"/ui/send?case={case.name}")
    expected = case.expect.responses[0]
    assert [run["backend"] for run in answer.runs] == ["socket", "gunicorn"]
    for run in answer.runs:
        assert run["error"] is None
        assert expected.status in (None, run["status"]), run
        assert expected.code in (None, run["code"]), run
    assert answer.json["agreement"] == "equal"


def test_a_pipeline_has_the_statuses_of_all_its_responses(page: Mapping[str, RunningBackend]) -> None:
    pipelines = [case for case in _BY_NAME.values() if len(case.expect.responses) > 2]
    assert pipelines
    for case in pipelines:
        answer = ask(page["gunicorn"].port, f"/ui/send?case={case.name}", fields={"Wireproof-To": "socket"})
        (run,) = answer.runs
        statuses = [run["status"], *run["more"]]
        assert len(statuses) == len(case.expect.responses), case.name
        assert all(
            one.status in (None, got) for one, got in zip(case.expect.responses, statuses, strict=True)
        )


@pytest.mark.parametrize("interim", [True, False])
def test_a_case_that_counts_interim_responses_is_sent_head_first(
    page: Mapping[str, RunningBackend], interim: bool
) -> None:
    case = _first(
        lambda case: case.expect.continues is not None and bool(case.expect.continues) is interim, 3
    )
    (run,) = ask(page["socket"].port, f"/ui/send?case={case.name}", fields={"Wireproof-To": "socket"}).runs
    assert (run["status"], run["error"]) == (case.expect.responses[0].status, None)


def test_a_head_that_is_cut_off_is_closed_without_a_response(page: Mapping[str, RunningBackend]) -> None:
    name = next(name for name, case in _BY_NAME.items() if case.expect.closed)
    (run,) = ask(page["socket"].port, f"/ui/send?case={name}", fields={"Wireproof-To": "socket"}).runs
    assert (run["status"], run["error"]) == (None, "the connection was closed without a response")


def test_an_unknown_case_is_not_found_and_a_case_takes_no_body(page: Mapping[str, RunningBackend]) -> None:
    port = page["socket"].port
    for name in ("nobody", "..%2F..%2FREADME", "%2Fetc%2Fpasswd", ""):
        answer = ask(port, f"/ui/send?case={name}")
        assert (answer.status, answer.code) == (404, "not_found")
    assert ask(port, "/ui/send?case=auth-basic", b"x").code == "bad_value"


@pytest.mark.parametrize("backend", ["socket", "gunicorn"])
def test_cases_are_listed_for_the_page(page: Mapping[str, RunningBackend], backend: str) -> None:
    port = page[backend].port
    answer = ask(port, "/ui/cases?q=M62&limit=3", method="GET")
    of_rule = sorted(name for name, case in _BY_NAME.items() if "M62" in case.rules)
    assert answer.json["total"] == len(of_rule)
    assert [case["name"] for case in answer.json["cases"]] == of_rule[:3]
    assert answer.json["cases"][0].keys() == {"name", "title", "rules", "size"}
    assert len(ask(port, "/ui/cases", method="GET").json["cases"]) == 50
    assert len(ask(port, "/ui/cases?limit=500", method="GET").json["cases"]) == 500
    for limit in ("501", "-1", "x", "1e2", "%D9%A3"):
        assert ask(port, f"/ui/cases?limit={limit}", method="GET").code == "bad_value", limit
    evil = ask(port, "/ui/cases", fields={"Host": "evil.example"}, method="GET")
    assert (evil.status, evil.code) == (421, "misdirected_host")


def test_without_peers_a_server_sends_to_itself(backends: Mapping[str, RunningBackend]) -> None:
    for name, backend in backends.items():
        answer = send(backend.port, b"a=1", Content_Type="application/x-www-form-urlencoded")
        assert [(run["backend"], run["status"]) for run in answer.runs] == [(name, 200)]
        assert '"form":[{"headers":[],"index":0,"name":"a","value":"1"}]' in answer.runs[0]["answer"]
        assert answer.json["agreement"] is None
        assert send(backend.port, b"x" * 1_000_000, Wireproof_To=name).runs[0]["status"] == 200


@pytest.mark.soak(seconds=40)
@pytest.mark.timeout(600)
def test_every_case_gets_what_it_expects_when_the_page_sends_it(page: Mapping[str, RunningBackend]) -> None:
    cases = [case for case in recorded_cases() if case.tier <= 2]
    with ThreadPoolExecutor(4) as pool:  # two workers, each of which takes two sends at a time
        answers = pool.map(lambda case: _sent_when_there_is_room(page["socket"].port, case), cases)
        wrong = {
            case.name: run
            for case, answer in zip(cases, answers, strict=True)
            for run in answer.runs
            if not _expected_of(case, run)
        }
    assert wrong == {}
    assert len(cases) > 2400


def _sent_when_there_is_room(port: int, case: Case) -> Answer:
    while (answer := ask(port, f"/ui/send?case={case.name}")).code == "overloaded":
        time.sleep(0.05)
    return answer


def _expected_of(case: Case, run: dict[str, Any]) -> bool:
    if case.expect.closed:
        return run["status"] is None and "closed without a response" in run["error"]
    expected, status = case.expect.responses[0], run["status"]
    if expected.refused:
        return status is not None and 400 <= status < 500
    told = run["answer"] == "" or expected.code in (None, run["code"])  # HEAD: no body tells a code
    return told and expected.status in (None, status)
