"""curl's uploads get the same, right answer from every server: the whole of it, written by hand."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clients.comparison.cases import SAMPLE_FILES
from clients.launch import RunningBackend
from tests.conftest import BACKEND_NAMES
from tests.described import body_of, described, disposition, field, file

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed: none of its uploads was tried")

HELLO = SAMPLE_FILES / "hello-world.txt"
BINARY = SAMPLE_FILES / "binary.bin"
CRLF_DENSE = SAMPLE_FILES / "crlf-dense.txt"
JSON = '{"a": ["abc", "def", {"bec": 1}]}'
WAITING = ["-H", "Expect: 100-continue", "--expect100-timeout", "15"]
Backends = Mapping[str, RunningBackend]
EACH = pytest.mark.parametrize("name", BACKEND_NAMES)


def curl(
    backend: RunningBackend, target: str, *arguments: str, stdin: bytes = b""
) -> tuple[dict[str, Any], str]:
    """The description that comes back, and curl's trace of the heads."""
    # What varies with the port, curl's version and its draws is fixed, or put away below.
    fixed = ("--silent", "--verbose", "--fail-with-body", "--max-time", "20", "--noproxy", "*")
    names = ("-H", "Host: localhost:8000", "-A", "wireproof")
    done = subprocess.run(
        [CURL or "curl", *fixed, *names, *arguments, backend.url + target],
        input=stdin,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return without_boundary(json.loads(done.stdout)), done.stderr.decode("latin-1")


def without_boundary(result: dict[str, Any]) -> dict[str, Any]:
    """The boundary that curl drew is known by its pattern, and shown as BOUNDARY."""
    drawn = re.search(r"boundary=(-{24}[0-9A-Za-z]{16,22})", json.dumps(result))
    if drawn is None:
        return result
    shown: dict[str, Any] = json.loads(json.dumps(result).replace(drawn[1], "BOUNDARY"))
    # The length of the body follows from that of the boundary: both vary with curl's version.
    length = next(
        pair for pair in shown["headers"] if pair["name"] in ("content-length", "transfer-encoding")
    )
    if length["name"] == "content-length":
        assert length["value"] == str(shown["body"]["size"])
        length["value"] = "SIZE"
    shown["body"]["size"] = "SIZE"
    return shown


def headers(**fields: object) -> list[tuple[str, str]]:
    """curl's fields, and those of this call."""
    own = [(name.replace("_", "-"), str(value)) for name, value in fields.items()]
    return [("accept", "*/*"), ("host", "localhost:8000"), ("user-agent", "wireproof"), *own]


FORM_TYPE = "multipart/form-data; boundary=BOUNDARY"
FORM_BODY = {
    "kind": "multipart",
    "media_type": "multipart/form-data",
    "parameters": [{"name": "boundary", "value": "BOUNDARY"}],
    "size": "SIZE",
    "sha256": None,
}


def field_and_file() -> dict[str, Any]:
    """What `-F a=123 -F file=@hello-world.txt` holds."""
    part = [disposition("file", HELLO.name), ("content-type", "text/plain")]
    return {
        "form": [field(0, "a", "123", [disposition("a")])],
        "files": [file(1, "file", HELLO.name, HELLO.read_bytes(), content_type="text/plain", headers=part)],
    }


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        (["-H", "Expect:"], {"content_length": "SIZE"}),
        (["-H", "Expect:", "-H", "Transfer-Encoding: chunked"], {"transfer_encoding": "chunked"}),
        (WAITING, {"content_length": "SIZE", "expect": "100-continue"}),
    ],
    ids=["with its length", "in chunks", "that waits for 100 (Continue)"],
)
@EACH
def test_curl_form(backends: Backends, name: str, arguments: list[str], fields: dict[str, str]) -> None:
    form = ("-F", "a=123", "-F", f"file=@{HELLO}")
    result, trace = curl(backends[name], "/upload/", *form, *arguments)
    own = headers(**fields, content_type=FORM_TYPE)
    assert result == described("POST", "/upload/", headers=own, body=FORM_BODY, **field_and_file())
    assert ("< HTTP/1.1 100 Continue" in trace) == (arguments is WAITING)


@EACH
def test_curl_form_with_a_utf8_name_and_a_type(backends: Backends, name: str) -> None:
    result, _ = curl(
        backends[name], "/upload/", "-F", f"file=@{BINARY};type=x/y;filename=ä b.bin", "-H", "Expect:"
    )
    part = [disposition("file", "ä b.bin"), ("content-type", "x/y")]
    assert result["files"] == [
        file(0, "file", "ä b.bin", BINARY.read_bytes(), content_type="x/y", headers=part)
    ]


@EACH
def test_a_quote_in_a_filename_comes_back_however_curl_writes_it(backends: Backends, name: str) -> None:
    # %22 since 7.81, a backslash before that (M52, M54).
    result, _ = curl(backends[name], "/upload/", "-F", f'file=@{HELLO};filename="a\\"b.txt"')
    assert [entry["filename"] for entry in result["files"]] == ['a"b.txt']


@EACH
def test_several_files_of_one_field_are_one_opaque_file(backends: Backends, name: str) -> None:
    result, _ = curl(backends[name], "/upload/", "-F", f"f=@{HELLO},{BINARY}")
    (entry,) = result["files"]
    assert (entry["index"], entry["name"], entry["filename"]) == (0, "f", None)  # M84
    assert entry["content_type"].startswith("multipart/mixed")
    assert result["form"] == []


@EACH
def test_curl_upload_of_a_file(backends: Backends, name: str) -> None:
    result, _ = curl(backends[name], "/upload/", "-T", str(HELLO), "-H", "Expect:")
    data = HELLO.read_bytes()
    assert result == described(
        "PUT",
        "/upload/hello-world.txt",
        headers=headers(content_length=1314),
        body=body_of("bytes", data),
        files=[file(0, None, "hello-world.txt", data)],
    )


@EACH
def test_curl_upload_of_stdin_in_chunks(backends: Backends, name: str) -> None:
    result, _ = curl(
        backends[name], "/upload/from%20stdin", "-T", "-", "-H", "Expect:", stdin=BINARY.read_bytes()
    )
    assert result == described(
        "PUT",
        "/upload/from%20stdin",
        path="/upload/from stdin",
        headers=headers(transfer_encoding="chunked"),
        body=body_of("bytes", BINARY.read_bytes()),
        files=[file(0, None, "from stdin", BINARY.read_bytes())],
    )


@EACH
def test_curl_upload_that_waits_for_100_continue(backends: Backends, name: str) -> None:
    result, trace = curl(backends[name], "/upload/", "-T", str(BINARY), *WAITING)
    assert result["files"] == [file(0, None, "binary.bin", BINARY.read_bytes())]
    assert "< HTTP/1.1 100 Continue" in trace


@EACH
def test_an_upload_larger_than_every_buffer_is_read_back(
    backends: Backends, name: str, tmp_path: Path
) -> None:
    data = BINARY.read_bytes() * 1000  # 4 MB: curl asks for 100 Continue by itself
    (tmp_path / "large.bin").write_bytes(data)
    result, _ = curl(backends[name], "/upload/", "-T", str(tmp_path / "large.bin"))
    assert result["files"] == [file(0, None, "large.bin", data)]
    back = subprocess.run(
        [CURL or "curl", "-sf", "--noproxy", "*", backends[name].url + result["files"][0]["href"]],
        capture_output=True,
        timeout=30,
        check=True,
    )
    assert back.stdout == data


@EACH
def test_curl_data_is_a_form(backends: Backends, name: str) -> None:
    result, _ = curl(
        backends[name], "/upload/", "-d", "a=1&b=x+y", "-d", "a=%C3%A9", "--data-urlencode", "c= &="
    )
    data = b"a=1&b=x+y&a=%C3%A9&c=%20%26%3D"
    form_type = "application/x-www-form-urlencoded"
    assert result["form"][3]["value"] == " &="
    data = data if result["body"]["size"] == len(data) else data.replace(b"%20", b"+")  # curl < 7.75
    assert result == described(
        "POST",
        "/upload/",
        headers=headers(content_length=len(data), content_type=form_type),
        body=body_of("form", data, form_type),
        form=[field(0, "a", "1"), field(1, "b", "x y"), field(2, "a", "é"), field(3, "c", " &=")],
    )


@EACH
def test_curl_data_on_an_echo_path_with_everything_in_the_head(backends: Backends, name: str) -> None:
    arguments = ("-u", "api_key:xxx", "-b", "message=This is cookies; session_id=name", "-X", "PATCH")
    result, _ = curl(backends[name], "/a/b?q=1&r=23", "-d", "k=v", *arguments)
    form_type = "application/x-www-form-urlencoded"
    assert result == described(
        "PATCH",
        "/a/b?q=1&r=23",
        args=[{"name": "q", "value": "1"}, {"name": "r", "value": "23"}],
        headers=headers(
            authorization="Basic YXBpX2tleTp4eHg=",
            content_length=3,
            content_type=form_type,
            cookie="message=This is cookies; session_id=name",
        ),
        cookies=[
            {"name": "message", "value": "This is cookies"},
            {"name": "session_id", "value": "name"},
        ],
        auth={"scheme": "basic", "username": "api_key", "password": "xxx"},
        body=body_of("form", b"k=v", form_type),
        form=[field(0, "k", "v")],
    )


@pytest.mark.parametrize(
    ("media_type", "argument", "data", "seen"),
    [
        ("text/plain", f"@{CRLF_DENSE}", CRLF_DENSE.read_bytes(), {"text": CRLF_DENSE.read_bytes().decode()}),
        ("application/json", JSON, JSON.encode(), {"json": {"a": ["abc", "def", {"bec": 1}]}}),
    ],
)
@EACH
def test_curl_binary_data_as_text_and_as_json(
    backends: Backends, name: str, media_type: str, argument: str, data: bytes, seen: dict[str, Any]
) -> None:
    arguments = ("--data-binary", argument, "-H", f"Content-Type: {media_type}")
    result, _ = curl(backends[name], "/upload/", *arguments)
    kind = next(iter(seen))
    assert result == described(
        "POST",
        "/upload/",
        headers=headers(content_length=len(data), content_type=media_type),
        body=body_of(kind, data, media_type),
        **seen,
    )


@EACH
def test_curl_binary_data_of_no_kind_is_stored_as_one_file(backends: Backends, name: str) -> None:
    data = BINARY.read_bytes()
    octet_stream = "application/octet-stream"
    arguments = ("--data-binary", f"@{BINARY}", "-H", f"Content-Type: {octet_stream}")
    for framing, fields in (
        ((), headers(content_length=len(data), content_type=octet_stream)),
        (
            ("-H", "Transfer-Encoding: chunked"),
            headers(transfer_encoding="chunked", content_type=octet_stream),
        ),
    ):
        result, _ = curl(backends[name], "/upload/", *arguments, *framing, "-H", "Expect:")
        assert result == described(
            "POST",
            "/upload/",
            headers=fields,
            body=body_of("bytes", data, octet_stream),
            files=[file(0, None, None, data, content_type=octet_stream)],
        )
