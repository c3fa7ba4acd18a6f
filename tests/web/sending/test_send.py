"""`POST /ui/send`: the same bytes reach every server that is named, no other server, and nothing is left."""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.http1.recording_server import Peer, chunk, echo_nothing, ok
from tests.patience import eventually
from tests.web.sending.page_client import ask, send
from tests.web.sending.stage import LARGE, Stage, answering, holding

_FORM = "application/x-www-form-urlencoded"
_BOTH = "one,other"


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("body", [b"", b"a=1", b"x" * 262144, b"x" * 262145, LARGE], ids=len)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_the_same_bytes_reach_both_servers_behind_one_head(stage: Stage, body: bytes, framing: str) -> None:
    pieces = body if framing == "length" else [body[at : at + 10000] for at in range(0, len(body), 10000)]
    answer = send(stage.port, pieces, Content_Type=_FORM, Wireproof_To=_BOTH, Wireproof_Target="/upload/?a=1")
    head = (
        f"POST /upload/?a=1 HTTP/1.1\r\nHost: 127.0.0.1:{stage.port}\r\nContent-Type: {_FORM}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    assert [len(request) for request in stage.received()] == [len(head) + len(body)] * 2
    assert stage.received() == [head.encode() + body] * 2
    assert answer.json["agreement"] == "equal"
    assert [(run["backend"], run["status"], run["answer"], run["error"]) for run in answer.runs] == [
        ("one", 200, "{}\n", None),
        ("other", 200, "{}\n", None),
    ]
    assert {run["sha256"] for run in answer.runs} == {hashlib.sha256(b"{}\n").hexdigest()}


def test_method_target_and_fields_are_those_of_the_page(stage: Stage) -> None:
    fields = [["X-Text", "h\u00e9llo"], ["Cookie", "a=1"], ["x-empty", ""]]
    send(
        stage.port,
        Wireproof_Method="DELETE",
        Wireproof_Target="/a?q=%C3%A9",
        Wireproof_To="other",
        Wireproof_Fields=json.dumps(fields),
        Cookie="of=the page",
        Origin=f"http://127.0.0.1:{stage.port}",
        Sec_Fetch_Site="same-origin",
        Accept_Encoding="identity",
    )
    head = (
        f"DELETE /a?q=%C3%A9 HTTP/1.1\r\nHost: 127.0.0.1:{stage.port}\r\n"
        "X-Text: h\u00e9llo\r\nCookie: a=1\r\nx-empty: \r\n\r\n"
    )
    assert stage.other.requests[-1] == head.encode()


@pytest.mark.parametrize(("wanted", "passed"), [(None, False), ("pass", True)])
def test_the_token_of_the_page_is_passed_on_only_if_the_page_says_so(
    stage: Stage, wanted: str | None, passed: bool
) -> None:
    more = {} if wanted is None else {"Wireproof_Token": wanted}
    send(stage.port, b"x", Wireproof_To="one", Authorization="Bearer secret", **more)
    assert (b"\r\nAuthorization: Bearer secret\r\n" in stage.one.requests[-1]) is passed


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "text/plain; charset=", "multipart/form-data; boundary=b"]
)
def test_the_body_is_taken_as_it_is_whatever_its_type(stage: Stage, content_type: str) -> None:
    answer = send(stage.port, b"no form\xff", Content_Type=content_type, Wireproof_To="one")
    assert answer.status == 200
    assert stage.one.requests[-1].endswith(b"\r\n\r\nno form\xff")
    assert f"\r\nContent-Type: {content_type}\r\n".encode() in stage.one.requests[-1]


_MANY = "x" * 300


@pytest.mark.parametrize(
    "fields",
    [
        {"Wireproof_Method": "P T"},
        {"Wireproof_Method": "GET /x HTTP/1.1"},
        {"Wireproof_Target": "/a\tb"},
        {"Wireproof_Token": "yes"},
        {"Wireproof_Fields": "no JSON"},
        {"Wireproof_Fields": "{}"},
        {"Wireproof_Fields": '["a"]'},
        {"Wireproof_Fields": '[["a"]]'},
        {"Wireproof_Fields": '[["a","b","c"]]'},
        {"Wireproof_Fields": '[["a",1]]'},
        {"Wireproof_Fields": '[["a","b\\r\\nX: y"]]'},
        {"Wireproof_Fields": '[["a","b\\nc"]]'},
        {"Wireproof_Fields": '[["a","b\\rc"]]'},
        {"Wireproof_Fields": '[["a","b\\u0000c"]]'},
        {"Wireproof_Fields": '[["a\\r\\nb","c"]]'},
        {"Wireproof_Fields": '[["a\\u0000","c"]]'},
        {"Wireproof_Fields": '[["","c"]]'},
        {"Wireproof_Fields": '[["a:","c"]]'},
        {"Wireproof_Fields": '[["a","\\ud800"]]'},
        {"Wireproof_Fields": '[["Content-Length","5"]]'},
        {"Wireproof_Fields": '[["content-length ","5"]]'},
        {"Wireproof_Fields": '[["TRANSFER-ENCODING","chunked"]]'},
        {"Wireproof_Fields": '[["Host","elsewhere"]]'},
        {"Wireproof_Fields": '[["Connection","close"]]'},
        {"Wireproof_To": ""},
        {"Wireproof_To": " , "},
        {"Wireproof_To": "nobody"},
        {"Wireproof_To": "one,nobody"},
        {"Wireproof_To": "http://127.0.0.1:{port}"},
        {"Wireproof_To": "http://one"},
        {"Wireproof_To": "user@127.0.0.1:{port}"},
        {"Wireproof_To": "one@127.0.0.1:{port}"},
        {"Wireproof_To": "127.0.0.1:{port}"},
        {"Wireproof_To": "//127.0.0.1:{port}/"},
        {"Wireproof_To": "ONE"},
    ],
    ids=str,
)
def test_what_is_no_head_and_no_server_of_the_page_is_refused_before_anything_is_sent(
    stage: Stage, fields: dict[str, str]
) -> None:
    given = {"Wireproof_To": _BOTH} | {
        name: value.replace("{port}", str(stage.other.port)) for name, value in fields.items()
    }
    before = len(stage.one.peers), len(stage.other.peers)
    answer = send(stage.port, b"x", **given)
    assert (answer.status, answer.code) == (400, "bad_value")
    assert (len(stage.one.peers), len(stage.other.peers)) == before


def test_a_redirect_is_an_answer_and_is_not_followed(stage: Stage) -> None:
    location = f"Content-Length: 0\r\nLocation: {stage.other.url}/\r\n\r\n"
    stage.scripts["one"] = answering(f"HTTP/1.1 307 T\r\n{location}".encode())
    before = len(stage.other.peers)
    (run,) = send(stage.port, b"x", Wireproof_To="one").runs
    assert (run["status"], len(stage.other.peers)) == (307, before)


def test_a_server_that_is_down_is_an_error_of_its_run_alone(stage: Stage) -> None:
    answer = send(stage.port, b"x")
    assert [run["backend"] for run in answer.runs] == ["one", "other", "gone"]
    assert [run["status"] for run in answer.runs] == [200, 200, None]
    assert [run["error"] for run in answer.runs] == [None, None, "Connection refused"]
    assert answer.json["agreement"] is None


@pytest.mark.parametrize(
    ("data", "status", "error"),
    [
        (b"", None, "the connection was closed without a response"),
        (b"SSH-2.0-OpenSSH\r\n", None, "not a response: BadStatusLine"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 200, "not a response: IncompleteRead"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"abc"), 200, "IncompleteRead"),
    ],
)
def test_what_is_no_whole_response_is_an_error_of_the_run(
    stage: Stage, data: bytes, status: int | None, error: str
) -> None:
    stage.scripts["one"] = answering(data)
    answer = send(stage.port, b"x", Wireproof_To=_BOTH)
    assert answer.runs[0]["status"] == status
    assert error in answer.runs[0]["error"]
    assert (answer.runs[1]["status"], answer.runs[1]["error"]) == (200, None)
    # A connection that is closed without a response is an outcome too (contract section 1).
    assert answer.json["agreement"] == (None if data else "different")
    assert answer.runs[0]["answer"] == ("abc" if status else "")


def test_a_long_answer_is_kept_in_part_and_hashed_to_its_end(stage: Stage) -> None:
    body = os.urandom(300_000)
    stage.scripts["one"] = answering(ok(body, media_type="application/octet-stream"))
    (run,) = send(stage.port, b"x", Wireproof_To="one").runs
    assert (run["answer_size"], run["sha256"]) == (300_000, hashlib.sha256(body).hexdigest())
    assert run["answer"] == body[: 64 * 1024].decode("utf-8", "backslashreplace")


def test_answers_that_differ_are_shown_with_the_path_of_each_difference(stage: Stage) -> None:
    stage.scripts["one"] = answering(ok(b'{"a":[1,{"b":2}],"c":1}'))
    stage.scripts["other"] = answering(ok(b'{"a":[1,{"b":3}],"d":1}'))
    answer = send(stage.port, b"x", Wireproof_To=_BOTH)
    assert answer.json["agreement"] == "different"
    assert answer.json["diffs"] == [["a[1].b", 2, 3], ["c", 1, None], ["d", None, 1]]


def test_problems_that_differ_in_their_detail_alone_are_equal(stage: Stage) -> None:
    for name in ("one", "other"):
        members = {"type": "/problems/x", "title": "t", "status": 400, "code": "bad_value", "detail": name}
        problem = ok(json.dumps(members).encode(), "400 No", "application/problem+json")
        stage.scripts[name] = answering(problem)
    answer = send(stage.port, b"x", Wireproof_To=_BOTH)
    assert (answer.json["agreement"], answer.json["diffs"]) == ("equal", [])
    assert [run["code"] for run in answer.runs] == ["bad_value"] * 2


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        (ok(), ok(status="404 Not Found"), ["status", 200, 404]),
        (ok(), ok(media_type="text/plain"), ["content-type", "application/json", "text/plain"]),
        (ok(b"a"), ok(b"b"), ["answer", "a", "b"]),
        (ok(b"a" * 70_000), ok(b"a" * 70_001), ["size", 70_000, 70_001]),
        (
            ok(b"a" * 70_000),
            ok(b"a" * 69_999 + b"b"),
            ["sha256", *map(_hash, (b"a" * 70_000, b"a" * 69_999 + b"b"))],
        ),
    ],
)
def test_each_part_of_an_answer_is_compared(
    stage: Stage, one: bytes, other: bytes, difference: list[object]
) -> None:
    stage.scripts |= {"one": answering(one), "other": answering(other)}
    answer = send(stage.port, b"x", Wireproof_To=_BOTH)
    assert (answer.json["agreement"], answer.json["diffs"][0]) == ("different", difference)


def test_an_early_refusal_is_read_although_the_server_takes_no_more(stage: Stage) -> None:
    def refuse(peer: Peer) -> None:
        peer.read_head()
        peer.send(ok(b"{}", "413 Content Too Large"))

    stage.scripts["one"] = refuse
    answer = send(stage.port, b"x" * 20_000_000, Wireproof_To=_BOTH)
    assert [run["status"] for run in answer.runs] == [413, 200]


def test_an_interim_response_does_not_end_the_sending(stage: Stage) -> None:
    def go_on(peer: Peer) -> None:
        peer.read_head()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.read_request()
        peer.send(ok())

    stage.scripts["one"] = go_on
    (run,) = send(stage.port, LARGE * 8, Wireproof_To="one").runs
    assert (run["status"], run["error"]) == (200, None)
    assert stage.one.requests[-1].endswith(LARGE)


def test_a_third_send_at_once_is_refused_and_the_next_one_is_taken(stage: Stage) -> None:
    stage.scripts["one"], released_one = holding()
    stage.scripts["other"], released_other = holding()
    begun = len(stage.one.peers) + len(stage.other.peers)
    with ThreadPoolExecutor(2) as pool:
        try:
            sends = [pool.submit(send, stage.port, b"x", Wireproof_To=name) for name in ("one", "other")]
            assert eventually(lambda: len(stage.one.peers) + len(stage.other.peers) == begun + 2)
            third = send(stage.port, b"x", Wireproof_To="one")
            assert (third.status, third.code, third.fields["retry-after"]) == (503, "overloaded", "1")
            assert ask(stage.port, "/healthz", method="GET").status == 200
        finally:
            released_one.set()
            released_other.set()
        assert [each.result().status for each in sends] == [200, 200]
    stage.scripts["one"] = echo_nothing
    assert send(stage.port, b"x", Wireproof_To="one").status == 200


def test_only_a_page_of_this_server_may_send(stage: Stage) -> None:
    ours = f"http://127.0.0.1:{stage.port}"
    table = [
        ({}, None),
        ({"Origin": ours}, None),
        ({"Origin": ours, "Sec_Fetch_Site": "same-origin"}, None),
        ({"Origin": "http://evil.example"}, "forbidden_origin"),
        ({"Origin": f"http://127.0.0.1:{stage.port + 1}"}, "forbidden_origin"),
        ({"Origin": "null"}, "forbidden_origin"),
        ({"Sec_Fetch_Site": "cross-site"}, "forbidden_origin"),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}, "forbidden_origin"),
        ({"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "no-cors"}, "forbidden_origin"),
        ({"Origin": ours, "Sec_Fetch_Site": "cross-site"}, "forbidden_origin"),
        ({"Host": "evil.example"}, "misdirected_host"),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, "misdirected_host"),
    ]
    for fields, code in table:
        before = len(stage.one.peers)
        answer = send(stage.port, b"a=1", Content_Type="text/plain", Wireproof_To="one", **fields)
        assert answer.code == code, fields
        assert len(stage.one.peers) == before + (code is None), fields
        assert not any(name.startswith("access-control") for name in answer.fields)


def test_other_methods_than_post_are_refused(stage: Stage) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = ask(stage.port, "/ui/send", method=method)
        assert (answer.status, answer.fields["allow"]) == (405, "OPTIONS, POST")
