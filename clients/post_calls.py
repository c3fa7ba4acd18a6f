"""The calls of the blog post "Socket and HTTP" (2024-01-18), made with `requests` itself.

What varies on the wire is fixed: the Host, the User-Agent and Accept-Encoding of the post's version, and the
boundary, for which requests has no parameter. So a call sends the same bytes to every backend, whatever its
port.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, BinaryIO

import requests

from clients.answers import Answer
from clients.cases import SAMPLE_FILES, Case, CaseError, tier_of
from clients.exchange import EXCHANGE_SECONDS, Exchange
from clients.expectation import Expectation

SAMPLE = SAMPLE_FILES / "hello-world.txt"
BOUNDARY = "ef0479c6edb2827623ed87f943bafa08"
# As long as the boundary that requests makes up (32 hex digits), so replacing it changes no length.
_BOUNDARY_MARK = "boundary="
_FIXED = {
    "Host": "localhost:8000",
    "User-Agent": "python-requests/2.31.0",
    "Accept-Encoding": "gzip, deflate, br",
}

OpenSample = Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class PostCall:
    """One call: `arguments` are those of `requests.request` beside method and URL.

    `files` builds the `files` argument with a function that opens the sample file anew.
    """

    title: str
    rules: tuple[str, ...]
    method: str
    target: str
    expect: Mapping[str, Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    files: Callable[[OpenSample], Any] | None = None


_DATA = {"a": ["abc", "def", {"bec": 1}]}
_DATA_TEXT = json.dumps(_DATA)


def _described(**result: Any) -> dict[str, Any]:
    return {"status": 200, "headers": {"Content-Type": "application/json"}, "body": result}


def _described_file(index: int, name: str, **more: Any) -> dict[str, Any]:
    """The entry of the sample file among `files`."""
    data = SAMPLE.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    entry = {"index": index, "name": name, "filename": SAMPLE.name, "content_type": None}
    return {**entry, "size": len(data), "sha256": sha256, "href": f"/files/{sha256}", **more}


def _value(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


@cache
def post_calls() -> Mapping[str, PostCall]:
    """The calls by case name. Raises CaseError without the sample file that they send."""
    if not SAMPLE.is_file():
        raise CaseError(f"there is no {SAMPLE}: run it in a checkout of the project")
    body_param = [{"index": 0, **_value("body-param", "value"), "headers": []}]
    c_and_d = [{"index": 0, **_value("c", "1")}, {"index": 1, **_value("d", "2")}]
    args = [_value("q", "1"), _value("r", "23")]
    return {
        "post-text": PostCall(
            "requests.post(url, data=json.dumps(data)): a string body without a Content-Type is text.",
            ("C7",),
            "POST",
            "/upload/",
            _described(body={"kind": "text", "media_type": None, "size": 33}, text=_DATA_TEXT, json=None),
            {"data": _DATA_TEXT},
        ),
        "post-json": PostCall(
            "requests.post(url, json=data): the same bytes with a Content-Type are JSON.",
            ("J2",),
            "POST",
            "/upload/",
            _described(body={"kind": "json", "media_type": "application/json", "size": 33}, json=_DATA),
            {"json": _DATA},
        ),
        "post-form": PostCall(
            "requests.post(url, data=data): a list is sent pair by pair; of a nested dict only the keys.",
            ("U6",),
            "POST",
            "/upload/",
            _described(
                body={"kind": "form", "size": 17},
                form=[{"index": at, **_value("a", text)} for at, text in enumerate(("abc", "def", "bec"))],
            ),
            {"data": _DATA},
        ),
        "post-data-wins-over-json": PostCall(
            "requests.post(url, data=..., json=...): json is ignored when data is given too.",
            ("U6",),
            "POST",
            "/upload/",
            _described(body={"kind": "form"}, form=body_param, json=None),
            {"data": {"body-param": "value"}, "json": {"a": "abc"}},
        ),
        "get-with-everything": PostCall(
            "requests.request with params, data, headers, cookies, files=[], auth: a GET may carry a body.",
            ("R35", "K1", "A1", "B13", "U6"),
            "GET",
            "/a/b",
            _described(
                args=args,
                auth={"scheme": "basic", "username": "api_key", "password": "xxx"},
                body={"kind": "form", "media_type": "application/x-www-form-urlencoded", "size": 16},
                cookies=[_value("message", "This is cookies"), _value("session_id", "name")],
                files=[],
                form=body_param,
                headers={"contains": [_value("user-agent", "custom"), _value("host", "localhost:8000")]},
                host="localhost:8000",
                method="GET",
                path="/a/b",
                target="/a/b?q=1&r=23",
            ),
            {
                "params": {"q": "1", "r": 23},
                "data": {"body-param": "value"},
                "headers": {"User-Agent": "custom"},
                "cookies": {"message": "This is cookies", "session_id": "name"},
                "files": [],
                "auth": ("api_key", "xxx"),
            },
        ),
        "get-with-a-query": PostCall(
            "requests.get with the query in the URL: the same request line, and no body.",
            ("R1", "R35"),
            "GET",
            "/a/b?q=1&r=23",
            _described(args=args, body={"kind": "none", "size": 0, "sha256": None}, target="/a/b?q=1&r=23"),
        ),
        "post-file": PostCall(
            "requests.post(url, files=[('file', f)], data={'a': '123'}): a field, then a file.",
            ("M50", "M82", "M88"),
            "POST",
            "/upload/",
            _described(
                body={"kind": "multipart", "parameters": [_value("boundary", BOUNDARY)], "sha256": None},
                form=[{"index": 0, **_value("a", "123")}],
                files=[_described_file(1, "file")],
            ),
            {"data": {"a": "123"}},
            lambda sample: [("file", sample())],
        ),
        "post-files-as-dict": PostCall(
            "requests.post(url, files={'file': f}): a dict is sent like a list of pairs.",
            ("M82",),
            "POST",
            "/upload/",
            _described(form=[], files=[_described_file(0, "file")]),
            {},
            lambda sample: {"file": sample()},
        ),
        "post-files-in-four-shapes": PostCall(
            "A file alone, with a filename, with a type, with part headers of its own; fields go first.",
            ("M72", "M82", "M83", "M88"),
            "POST",
            "/upload/",
            _described(
                form=c_and_d,
                files=[
                    _described_file(2, "file1"),
                    _described_file(3, "file2", filename="a.txt"),
                    _described_file(4, "file3", filename="a.txt", content_type="docx"),
                    _described_file(
                        5,
                        "file4",
                        filename="a.txt",
                        content_type="text",
                        headers={"contains": [_value("a", "b"), _value("content-type", "text")]},
                    ),
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


def load_post_calls(pattern: str = "*") -> list[Case]:
    """The post's calls as cases, those whose name matches the glob `pattern`. Raises CaseError."""
    return [
        Case(
            name=name,
            title=call.title,
            rules=call.rules,
            tier=tier_of(call.rules, name),
            request=wire_bytes(prepare(call, "http://localhost:8000")),
            expect=Expectation.parse(call.expect),
            client="requests",
        )
        for name, call in sorted(post_calls().items())
        if fnmatchcase(name, pattern)
    ]


def prepare(call: PostCall, base_url: str) -> requests.PreparedRequest:
    """The call's request for the backend at `base_url`, with everything fixed that would vary."""
    arguments = dict(call.arguments)
    headers = {**_FIXED, **arguments.pop("headers", {})}
    with ExitStack() as stack, requests.Session() as session:
        session.trust_env = False  # no ~/.netrc: it would add credentials
        if call.files is not None:
            arguments["files"] = call.files(lambda: stack.enter_context(SAMPLE.open("rb")))
        request = requests.Request(call.method, base_url + call.target, headers=headers, **arguments)
        prepared = session.prepare_request(request)
    content_type = prepared.headers.get("Content-Type", "")
    if isinstance(prepared.body, bytes) and _BOUNDARY_MARK in content_type:
        drawn = content_type.partition(_BOUNDARY_MARK)[2]
        prepared.headers["Content-Type"] = content_type.replace(drawn, BOUNDARY)
        prepared.body = prepared.body.replace(drawn.encode(), BOUNDARY.encode())
    return prepared


def wire_bytes(prepared: requests.PreparedRequest) -> bytes:
    """What goes over the wire for a prepared request, to show it."""
    head = [f"{prepared.method} {prepared.path_url} HTTP/1.1"]
    head += [f"{name}: {value}" for name, value in prepared.headers.items()]
    body = prepared.body or b""
    return "\r\n".join([*head, "", ""]).encode("latin-1") + (body.encode() if isinstance(body, str) else body)


def send_call(name: str, host: str, port: int, *, seconds: float = EXCHANGE_SECONDS) -> Exchange:
    """Make a call with `requests` and read the answer; never raises for what the backend does."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy stands between the client and the backend
        try:
            prepared = prepare(post_calls()[name], f"http://{host}:{port}")
            response = session.send(prepared, timeout=seconds, allow_redirects=False)
        except requests.ConnectionError as error:
            return _ended(error)
        except requests.RequestException as error:
            return Exchange(no_answer=f"requests: {type(error).__name__}: {error}")
        headers = tuple((field_name.lower(), value) for field_name, value in response.raw.headers.items())
        return Exchange((Answer(response.status_code, headers, response.content),))


def _ended(error: requests.ConnectionError) -> Exchange:
    """A close without an answer, which a case may expect, or no connection at all."""
    if "RemoteDisconnected" in str(error) or "ConnectionResetError" in str(error):
        return Exchange(closed=True)
    return Exchange(no_answer=f"requests: {error}")
