"""The calls of the blog post "Socket and HTTP" (2024-01-18): arguments for requests, and what is expected.

`requests_calls.py` and `socket_calls.py` make these calls.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, BinaryIO

from .cases import SAMPLE_FILES, Case, CaseError, tier_of
from .expectation import Expectation

SAMPLE = SAMPLE_FILES / "hello-world.txt"
BOUNDARY = "ef0479c6edb2827623ed87f943bafa08"
# What would vary is fixed: Host, and two fields as the version of requests in the post sends them.
FIXED_FIELDS = {
    "Host": "localhost:8000",
    "User-Agent": "python-requests/2.31.0",
    "Accept-Encoding": "gzip, deflate, br",
}
OpenSample = Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class PostCall:
    """One call: `arguments` are those of `requests.request` beside method and URL.

    `files` builds the argument `files`; it gets a function that opens the sample file. `stream` is the
    argument of `requests`: the response is read while it arrives. It changes nothing on the wire.
    """

    title: str
    rules: tuple[str, ...]
    expect: Mapping[str, Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    files: Callable[[OpenSample], Any] | None = None
    method: str = "POST"
    target: str = "/upload/"
    stream: bool = False

    def all_arguments(self, stack: ExitStack) -> dict[str, Any]:
        """`arguments` with the fixed fields, and with the files, which `stack` closes."""
        arguments = {**self.arguments, "headers": {**FIXED_FIELDS, **self.arguments.get("headers", {})}}
        if self.files is not None:
            arguments["files"] = self.files(lambda: stack.enter_context(SAMPLE.open("rb")))
        return arguments


def cases_of(client: str, wire_bytes: Callable[[PostCall], bytes], pattern: str) -> list[Case]:
    """The calls whose name matches the glob `pattern`, as cases of `client`. Raises CaseError."""
    return [
        Case(
            name=name,
            title=call.title,
            rules=call.rules,
            tier=tier_of(call.rules, name),
            request=wire_bytes(call),
            expect=Expectation.parse(call.expect),
            client=client,
        )
        for name, call in sorted(post_calls().items())
        if fnmatchcase(name, pattern)
    ]


@cache
def post_calls() -> Mapping[str, PostCall]:
    """The calls by case name. Raises CaseError without the sample file that they send."""
    if not SAMPLE.is_file():
        raise CaseError(f"there is no {SAMPLE}, which the calls of the blog post upload")
    return {**_bodies(), **_arguments(), **_files(), **_streams()}


def _bodies() -> dict[str, PostCall]:
    """The same data as text, as JSON and as a form."""
    data = {"a": ["abc", "def", {"bec": 1}]}
    text = json.dumps(data)
    pairs = [{"index": at, **_pair("a", value)} for at, value in enumerate(("abc", "def", "bec"))]
    return {
        "post-text": PostCall(
            "requests.post(url, data=json.dumps(data)): a string body without a Content-Type is text.",
            ("C7",),
            _described(body={"kind": "text", "media_type": None, "size": 33}, text=text, json=None),
            {"data": text},
        ),
        "post-json": PostCall(
            "requests.post(url, json=data): the same bytes with a Content-Type are JSON.",
            ("J2",),
            _described(body={"kind": "json", "media_type": "application/json", "size": 33}, json=data),
            {"json": data},
        ),
        "post-form": PostCall(
            "requests.post(url, data=data): a list is sent as pairs, a nested dict only as its keys.",
            ("U6",),
            _described(body={"kind": "form", "size": 17}, form=pairs),
            {"data": data},
        ),
        "post-data-wins-over-json": PostCall(
            "requests.post(url, data=..., json=...): json is ignored when data is given too.",
            ("U6",),
            _described(body={"kind": "form"}, form=[_field(0, "body-param", "value")], json=None),
            {"data": {"body-param": "value"}, "json": {"a": "abc"}},
        ),
    }


def _arguments() -> dict[str, PostCall]:
    """All arguments of requests.request, and where each stands in the result."""
    args = [_pair("q", "1"), _pair("r", "23")]
    described = {
        "args": args,
        "auth": {"scheme": "basic", "username": "api_key", "password": "xxx"},
        "body": {"kind": "form", "media_type": "application/x-www-form-urlencoded", "size": 16},
        "cookies": [_pair("message", "This is cookies"), _pair("session_id", "name")],
        "files": [],
        "form": [_field(0, "body-param", "value")],
        "headers": {"contains": [_pair("user-agent", "custom"), _pair("host", "localhost:8000")]},
        "host": "localhost:8000",
        "method": "GET",
        "path": "/a/b",
        "target": "/a/b?q=1&r=23",
    }
    arguments = {
        "params": {"q": "1", "r": 23},
        "data": {"body-param": "value"},
        "headers": {"User-Agent": "custom"},
        "cookies": {"message": "This is cookies", "session_id": "name"},
        "files": [],
        "auth": ("api_key", "xxx"),
    }
    no_body = {"kind": "none", "size": 0, "sha256": None}
    return {
        "get-with-everything": PostCall(
            "requests.request with params, data, headers, cookies, files=[], auth: a GET may carry a body.",
            ("R35", "K1", "A1", "B13", "U6"),
            _described(**described),
            arguments,
            method="GET",
            target="/a/b",
        ),
        "get-with-a-query": PostCall(
            "requests.get with the query in the URL: the same request line, and no body.",
            ("R1", "R35"),
            _described(args=args, body=no_body, target="/a/b?q=1&r=23"),
            method="GET",
            target="/a/b?q=1&r=23",
        ),
    }


def _files() -> dict[str, PostCall]:
    """All forms of the argument `files`."""
    own_headers = {"contains": [_pair("a", "b"), _pair("content-type", "text")]}
    multipart = {"kind": "multipart", "parameters": [_pair("boundary", BOUNDARY)], "sha256": None}
    return {
        "post-file": PostCall(
            "requests.post(url, files=[('file', f)], data={'a': '123'}): a field, then a file.",
            ("M50", "M82", "M88"),
            _described(body=multipart, form=[_part_field(0, "a", "123")], files=[_file(1, "file")]),
            {"data": {"a": "123"}},
            lambda sample: [("file", sample())],
        ),
        "post-files-as-dict": PostCall(
            "requests.post(url, files={'file': f}): a dict is sent like a list of pairs.",
            ("M82",),
            _described(form=[], files=[_file(0, "file")]),
            {},
            lambda sample: {"file": sample()},
        ),
        "post-files-in-four-shapes": PostCall(
            "A file alone, with a filename, with a type, with part headers of its own; fields come first.",
            ("M72", "M82", "M83", "M88"),
            _described(
                form=[_part_field(0, "c", "1"), _part_field(1, "d", "2")],
                files=[
                    _file(2, "file1"),
                    _file(3, "file2", filename="a.txt"),
                    _file(4, "file3", filename="a.txt", content_type="docx"),
                    _file(5, "file4", filename="a.txt", content_type="text", headers=own_headers),
                ],
            ),
            {"data": {"c": 1, "d": 2}},
            lambda sample: [
                ("file1", sample()),
                ("file2", ("a.txt", sample())),
                ("file3", ("a.txt", sample(), "docx")),
                ("file4", ("a.txt", sample(), "text", {"a": "b"})),
            ],
        ),
    }


def _streams() -> dict[str, PostCall]:
    """One event for each character. The delay is 0, because the times are not compared."""
    query = "echo this"
    events = {
        "status": 200,
        "headers": {"Content-Type": "text/event-stream"},
        "text": "".join(f'data: {{"chunk": "{character}"}}\n\n' for character in query),
    }
    arguments = {"json": {"query": query, "delay": 0}}
    return {
        "post-stream": PostCall(
            "requests.post(url, json=..., stream=True): one event for each character, read while it arrives.",
            ("S7", "S10"),
            events,
            arguments,
            target="/stream_echo",
            stream=True,
        ),
        "post-stream-read-at-once": PostCall(
            "The same without stream=True, pseudo-streaming: the same bytes, read at the end.",
            ("S7", "S10"),
            events,
            arguments,
            target="/stream_echo",
        ),
    }


def _described(**result: Any) -> dict[str, Any]:
    return {"status": 200, "headers": {"Content-Type": "application/json"}, "body": result}


def _pair(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def _field(index: int, name: str, value: str) -> dict[str, Any]:
    return {"index": index, **_pair(name, value), "headers": []}


def _part_field(index: int, name: str, value: str) -> dict[str, Any]:
    disposition = _pair("content-disposition", f'form-data; name="{name}"')
    return {"index": index, **_pair(name, value), "headers": [disposition]}


def _file(index: int, name: str, **more: Any) -> dict[str, Any]:
    """The entry of the sample file among `files`."""
    data = SAMPLE.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    entry = {"index": index, "name": name, "filename": SAMPLE.name, "content_type": None}
    return {**entry, "size": len(data), "sha256": sha256, "href": f"/files/{sha256}", **more}
