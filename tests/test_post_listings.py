"""Each listing of the post "Socket and HTTP", made with requests as it stands there, on every server.

Nothing is fixed here that requests draws or fills in itself: what it put on the wire is what must come back.
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests

from clients.comparison.cases import SAMPLE_FILES
from clients.launch import RunningBackend
from tests.conftest import BACKEND_NAMES
from tests.described import body_of, described, disposition, field, file, pairs

SAMPLE = SAMPLE_FILES / "a.txt"
HELLO = SAMPLE_FILES / "hello-world.txt"
DATA: dict[str, Any] = {"a": ["abc", "def", {"bec": 1}]}
FORM_TYPE = "application/x-www-form-urlencoded"
Backends = Mapping[str, RunningBackend]
EACH = pytest.mark.parametrize("name", BACKEND_NAMES)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stands between requests and the servers."""
    monkeypatch.setenv("NO_PROXY", "*")


def answered(response: requests.Response, **fields: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The description, and all fields that requests sent; `fields` are those that the post shows."""
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/json"
    sent = {name.lower(): str(value) for name, value in response.request.headers.items()}
    for name, value in fields.items():
        assert sent[name.replace("_", "-")] == value
    host = str(response.request.url).split("/")[2]
    return response.json(), [("host", host), *sent.items()]


@EACH
def test_a_string_is_text_without_a_type(backends: Backends, name: str) -> None:
    result, fields = answered(
        requests.post(backends[name].url + "/upload/", data=json.dumps(DATA), timeout=20), content_length="33"
    )
    text = '{"a": ["abc", "def", {"bec": 1}]}'
    assert "content-type" not in dict(fields)
    assert result == described(
        "POST", "/upload/", headers=fields, body=body_of("text", text.encode()), text=text
    )


@EACH
def test_json_is_json(backends: Backends, name: str) -> None:
    result, fields = answered(
        requests.post(backends[name].url + "/upload/", json=DATA, timeout=20),
        content_length="33",
        content_type="application/json",
    )
    body = body_of("json", b'{"a": ["abc", "def", {"bec": 1}]}', "application/json")
    assert result == described("POST", "/upload/", headers=fields, body=body, json=DATA)


@EACH
def test_a_dict_is_a_form_and_a_nested_dict_loses_its_value(backends: Backends, name: str) -> None:
    result, fields = answered(
        requests.post(backends[name].url + "/upload/", data=DATA, timeout=20),
        content_length="17",
        content_type=FORM_TYPE,
    )
    form = [field(at, "a", value) for at, value in enumerate(("abc", "def", "bec"))]
    body = body_of("form", b"a=abc&a=def&a=bec", FORM_TYPE)
    assert result == described("POST", "/upload/", headers=fields, body=body, form=form)


@EACH
def test_two_spellings_of_one_json_value(backends: Backends, name: str) -> None:
    url = backends[name].url + "/upload/"
    as_text, _ = answered(requests.post(url, data=json.dumps({"a": "abc"}), timeout=20))
    as_json, _ = answered(requests.post(url, json={"a": "abc"}, timeout=20))
    assert (as_text["text"], as_text["json"]) == ('{"a": "abc"}', None)
    assert (as_json["text"], as_json["json"]) == (None, {"a": "abc"})
    assert as_text["body"]["sha256"] == as_json["body"]["sha256"]


@EACH
def test_everything_that_request_takes(backends: Backends, name: str) -> None:
    params: dict[str, str | int] = {"q": "1", "r": 23}
    response = requests.request(
        method="GET",
        url=backends[name].url + "/a/b",
        params=params,
        data={"body-param": "value"},
        headers={"User-Agent": "custom"},
        cookies={"message": "This is cookies", "session_id": "name"},
        files=[],
        auth=("api_key", "xxx"),
        timeout=2,
        allow_redirects=True,
        proxies={},
        verify=True,
        stream=False,
    )
    result, fields = answered(
        response,
        user_agent="custom",
        cookie="message=This is cookies; session_id=name",
        content_length="16",
        content_type=FORM_TYPE,
        authorization="Basic YXBpX2tleTp4eHg=",
    )
    assert result == described(
        "GET",
        "/a/b?q=1&r=23",
        args=pairs([("q", "1"), ("r", "23")]),
        headers=fields,
        cookies=pairs([("message", "This is cookies"), ("session_id", "name")]),
        auth={"scheme": "basic", "username": "api_key", "password": "xxx"},
        body=body_of("form", b"body-param=value", FORM_TYPE),
        form=[field(0, "body-param", "value")],
    )


@EACH
def test_a_query_in_the_url(backends: Backends, name: str) -> None:
    result, fields = answered(requests.get(backends[name].url + "/a/b?q=1&r=23", timeout=20))
    args = pairs([("q", "1"), ("r", "23")])
    assert result == described("GET", "/a/b?q=1&r=23", args=args, headers=fields)


@EACH
def test_json_is_ignored_beside_data(backends: Backends, name: str) -> None:
    url = backends[name].url + "/upload/"
    result, fields = answered(requests.post(url, data={"k": "v"}, json={"a": "abc"}, timeout=20))
    body = body_of("form", b"k=v", FORM_TYPE)
    assert result == described("POST", "/upload/", headers=fields, body=body, form=[field(0, "k", "v")])


def multipart(response: requests.Response) -> dict[str, Any]:
    """The `body` member of a form that requests encoded, with the boundary that it drew."""
    boundary = response.request.headers["Content-Type"].partition("boundary=")[2]
    sent = response.request.body
    assert isinstance(sent, bytes)
    parameters = pairs([("boundary", boundary)])
    return body_of("multipart", sent, "multipart/form-data", parameters=parameters, sha256=None)


@EACH
def test_a_file_beside_a_field(backends: Backends, name: str) -> None:
    with HELLO.open() as f:
        response = requests.post(
            backends[name].url + "/upload/", files=[("file", f)], data={"a": "123"}, timeout=20
        )
    result, fields = answered(response)
    part = [disposition("file", "hello-world.txt")]
    assert result == described(
        "POST",
        "/upload/",
        headers=fields,
        body=multipart(response),
        form=[field(0, "a", "123", [disposition("a")])],
        files=[file(1, "file", "hello-world.txt", HELLO.read_bytes(), headers=part)],
    )


@EACH
@pytest.mark.parametrize("shape", [list, dict])
def test_the_four_shapes_of_files(backends: Backends, name: str, shape: Any) -> None:
    with SAMPLE.open() as one, SAMPLE.open() as two, SAMPLE.open() as three, SAMPLE.open() as four:
        files = [
            ("file1", one),
            ("file2", ("a.txt", two)),
            ("file3", ("a.txt", three, "docx")),
            ("file4", ("a.txt", four, "text", {"a": "b"})),
        ]
        url = backends[name].url + "/upload/"
        response = requests.post(url, files=shape(files), data={"c": 1, "d": 2}, timeout=20)
    result, fields = answered(response)
    data = SAMPLE.read_bytes()
    where = [disposition(f"file{number}", "a.txt") for number in range(5)]
    # requests puts own headers of a part before those it makes.
    own = [("a", "b"), where[4], ("content-type", "text")]
    expected = [
        file(2, "file1", "a.txt", data, headers=[where[1]]),
        file(3, "file2", "a.txt", data, headers=[where[2]]),
        file(4, "file3", "a.txt", data, content_type="docx", headers=[where[3], ("content-type", "docx")]),
        file(5, "file4", "a.txt", data, content_type="text"),
    ]
    assert sorted(map(tuple_of, result["files"][3].pop("headers"))) == sorted(own)
    expected[3].pop("headers")
    assert result == described(
        "POST",
        "/upload/",
        headers=fields,
        body=multipart(response),
        form=[field(0, "c", "1", [disposition("c")]), field(1, "d", "2", [disposition("d")])],
        files=expected,
    )
    stored = requests.get(backends[name].url + result["files"][0]["href"], timeout=20)
    assert stored.content == data


def tuple_of(pair: Mapping[str, str]) -> tuple[str, str]:
    return pair["name"], pair["value"]


@EACH
def test_a_generator_is_sent_in_chunks(backends: Backends, name: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"hello "
        yield b"world"

    result, fields = answered(
        requests.post(backends[name].url + "/upload/", data=pieces(), timeout=20),
        transfer_encoding="chunked",
    )
    body = body_of("text", b"hello world")
    assert result == described("POST", "/upload/", headers=fields, body=body, text="hello world")


@EACH
def test_a_stream_arrives_line_by_line(backends: Backends, name: str) -> None:
    query = {"query": "echo this", "delay": 0.05}
    began = time.monotonic()
    lines, times = [], []
    with requests.post(backends[name].url + "/stream_echo", json=query, stream=True, timeout=20) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        for line in response.iter_lines(chunk_size=1):
            lines.append(line.decode())
            times.append(time.monotonic() - began)
    assert lines == events("echo this")
    # The first event came long before the last: it was sent before that was made.
    assert times[-1] - times[0] >= 0.3


@EACH
def test_pseudo_streaming_gets_the_same_at_the_end(backends: Backends, name: str) -> None:
    query = {"query": "echo this", "delay": 0.01}
    response = requests.post(backends[name].url + "/stream_echo", json=query, timeout=20)
    assert response.text.splitlines() == events("echo this")


def events(query: str) -> list[str]:
    """`data` and a blank line for every character."""
    return [line for character in query for line in (f'data: {{"chunk": "{character}"}}', "")]
