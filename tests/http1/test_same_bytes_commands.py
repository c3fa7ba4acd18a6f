"""Every call of the post as one command line of ours: both clients send what the call of requests sends."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from clients import requests_upload, socket_upload
from tests.http1.requests_recorder import BOUNDARY, bytes_of_requests, without_own_fields

UPLOAD = "http://127.0.0.1:8000/upload/"
DATA = {"a": ["abc", "def", {"bec": 1}]}
TEXT = json.dumps(DATA)
CONTENT = b"hello world\nhello world\nhello half"
FORM_SHAPES = [
    ("file1", ("a.txt", CONTENT)),
    ("file2", ("a.txt", CONTENT)),
    ("file3", ("a.txt", CONTENT, "docx")),
    ("file4", ("a.txt", CONTENT, "text", {"a": "b"})),
]
EVERYTHING: dict[str, Any] = {
    "params": {"q": "1", "r": 23},
    "data": {"body-param": "value"},
    "headers": {"User-Agent": "custom"},
    "cookies": {"message": "This is cookies", "session_id": "name"},
    "auth": ("api_key", "xxx"),
}

CALLS: dict[str, tuple[list[str], str, str, dict[str, Any]]] = {
    "data=json.dumps(data)": (
        [UPLOAD, "--data-raw", TEXT, "-H", "Content-Type:"],
        *("POST", UPLOAD, {"data": TEXT}),
    ),
    "json=data": ([UPLOAD, "--json", TEXT], "POST", UPLOAD, {"json": DATA}),
    "data=data": ([UPLOAD, "-d", "a=abc", "-d", "a=def", "-d", "a=bec"], "POST", UPLOAD, {"data": DATA}),
    "everything": (
        [
            *("http://localhost:8000/a/b", "-X", "GET", "--param", "q=1", "--param", "r=23"),
            *("-d", "body-param=value", "-H", "User-Agent: custom", "-u", "api_key:xxx"),
            *("-b", "message=This is cookies", "-b", "session_id=name"),
        ],
        *("GET", "http://localhost:8000/a/b", EVERYTHING),
    ),
    "a query in the URL": (
        ["http://localhost:8000/a/b?q=1&r=23"],
        *("GET", "http://localhost:8000/a/b?q=1&r=23", {}),
    ),
    "a file and a field": (
        [UPLOAD, "-F", "a=123", "-F", "file=@a.txt"],
        *("POST", UPLOAD, {"files": [("file", ("a.txt", CONTENT))], "data": {"a": "123"}}),
    ),
    "the four shapes": (
        [
            *(UPLOAD, "-F", "c=1", "-F", "d=2", "-F", "file1=@a.txt", "-F", "file2=@a.txt;filename=a.txt"),
            *("-F", "file3=@a.txt;type=docx", "-F", 'file4=@a.txt;type=text;headers="a: b"'),
        ],
        *("POST", UPLOAD, {"files": FORM_SHAPES, "data": {"c": 1, "d": 2}}),
    ),
    "a stream": (
        ["http://127.0.0.1:8000/stream_echo", "--json", '{"query": "echo this"}'],
        *("POST", "http://127.0.0.1:8000/stream_echo", {"json": {"query": "echo this"}}),
    ),
}


@pytest.mark.parametrize("command", [socket_upload.main, requests_upload.main], ids=["socket", "requests"])
@pytest.mark.parametrize(("flags", "method", "url", "arguments"), CALLS.values(), ids=CALLS)
def test_the_command_line_sends_what_the_call_sends(
    command: Any,
    flags: list[str],
    method: str,
    url: str,
    arguments: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_bytes(CONTENT)
    boundary = ["--boundary", BOUNDARY] if "files" in arguments else []
    result = CliRunner().invoke(command, [*flags, *boundary, "--dry-run"])
    assert result.exit_code == 0, result.stderr
    expected = bytes_of_requests(method, url, **arguments)
    assert without_own_fields(result.stdout_bytes) == without_own_fields(expected)
