"""The flags, as the bytes that a dry run of each command prints."""

import base64
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from clients import requests_upload, socket_upload, upload
from clients.http1.version import project_version
from tests.http1.requests_recorder import without_own_fields

COMMANDS = {"socket": socket_upload.main, "requests": requests_upload.main, "upload": upload.main}
URL = "http://localhost:8000/upload/"


def invoke(command: click.Command, *arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(command, arguments, input=stdin)


def dry_run(*arguments: str, url: str = URL, stdin: bytes | None = None) -> bytes:
    """What all commands would send, which must be the same."""
    sent = []
    for command in COMMANDS.values():
        result = invoke(command, url, "--dry-run", *arguments, stdin=stdin)
        assert result.exit_code == 0, result.stderr
        sent.append(without_own_fields(result.stdout_bytes))
    assert sent[0] == sent[1] == sent[2]
    return sent[0]


def request(head: str, body: bytes = b"") -> bytes:
    first, *fields = head.split("\n")
    own = ["Host: localhost:8000", "Accept: */*", "Connection: keep-alive"]
    return "\r\n".join([f"{first} HTTP/1.1", *own, *fields]).encode() + b"\r\n\r\n" + body


@pytest.fixture
def a_txt(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_bytes(b"hello\r\nworld\n")
    return path


FORM = "Content-Type: application/x-www-form-urlencoded"


def test_without_a_body_it_is_a_get() -> None:
    assert dry_run() == request("GET /upload/")


def test_data_is_a_form_by_post() -> None:
    assert dry_run("-d", "a=1", "-d", "b=2") == request(
        f"POST /upload/\nContent-Length: 7\n{FORM}", b"a=1&b=2"
    )


def test_an_empty_body_has_length_0() -> None:
    assert dry_run("-d", "") == request(f"POST /upload/\nContent-Length: 0\n{FORM}")


def test_data_reads_files_without_line_ends_and_data_binary_as_they_are(a_txt: Path) -> None:
    assert dry_run("-d", f"@{a_txt}").endswith(b"\r\n\r\nhelloworld")
    assert dry_run("-d", "x\ny", "-d", f"@{a_txt}").endswith(b"\r\n\r\nx\ny&helloworld")
    assert dry_run("--data-binary", f"@{a_txt}").endswith(b"\r\n\r\nhello\r\nworld\n")
    assert dry_run("--data-binary", "1", "--data-binary", f"@{a_txt}").endswith(b"\r\n\r\n1&hello\r\nworld\n")
    assert dry_run("--data-binary", "@-", "-X", "PUT", stdin=b"in\n").endswith(b"3\r\nin\n\r\n0\r\n\r\n")
    assert dry_run("--data-raw", "@a.txt").endswith(b"\r\n\r\n@a.txt")


def test_a_field_is_taken_out_with_an_empty_value() -> None:
    """What `requests.post(url, data="...")` sends: no Content-Type."""
    assert dry_run("--data-raw", '{"a": 1}', "-H", "Content-Type:") == request(
        "POST /upload/\nContent-Length: 8", b'{"a": 1}'
    )


def test_json_has_its_type() -> None:
    expected = request("POST /upload/\nContent-Length: 7\nContent-Type: application/json", b'{"a":1}')
    assert dry_run("--json", '{"a":1}') == expected
    assert dry_run("--json", '{"a"', "--json", ":1}") == expected


def test_everything_in_the_head() -> None:
    sent = dry_run(
        *("-X", "GET", "--param", "q=1", "--param", "r=ä &", "-d", "body-param=value", "-u", "api_key:xxx"),
        *("-b", "message=This is cookies", "-b", "session_id=name; c=3", "-H", "X-A: 1", "-H", "x-a:  2"),
        url="http://localhost:8000/a/b?p=0",
    )
    fields = (
        f"X-A: 1, 2\nCookie: message=This is cookies; session_id=name; c=3\nContent-Length: 16\n{FORM}\n"
        "Authorization: Basic YXBpX2tleTp4eHg="
    )
    assert sent == request(f"GET /a/b?p=0&q=1&r=%C3%A4+%26\n{fields}", b"body-param=value")


def test_a_field_may_be_empty_and_is_sent_as_utf_8() -> None:
    assert b"\r\nX-E: \r\nX-U: \xc3\xa4\r\n" in dry_run("-H", "X-E;", "-H", "X-U: ä")


def test_credentials_are_utf_8() -> None:
    sent = dry_run("-u", "ä:€:x")
    assert b"Authorization: Basic " + base64.b64encode("ä:€:x".encode()) in sent


def test_a_missing_password_is_asked_for() -> None:
    result = invoke(socket_upload.main, URL, "--dry-run", "-u", "me", stdin=b"secret\n")
    assert b"Authorization: Basic " + base64.b64encode(b"me:secret") in result.stdout_bytes
    assert "secret" not in result.stderr


def test_a_token_is_a_bearer_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    assert b"\r\nAuthorization: Bearer t0ken\r\n" in dry_run("--token", "t0ken")
    monkeypatch.setenv("WIREPROOF_TOKEN", "from-env")
    assert b"\r\nAuthorization: Bearer from-env\r\n" in dry_run()
    assert b"from-env" not in dry_run("-u", "a:b")
    assert b"from-env" not in dry_run("-H", "authorization: own")


def test_parts_keep_the_order_of_the_flags(a_txt: Path) -> None:
    sent = dry_run(
        *(
            "--boundary",
            "b0",
            "-F",
            f'file4=@{a_txt};type=text;headers="a: b"',
            "-F",
            "c=1",
            "-F",
            f"t=<{a_txt}",
        ),
        *("--form-string", "s=@x;y"),
    )
    body = (
        b'--b0\r\nContent-Disposition: form-data; name="file4"; filename="a.txt"\r\nContent-Type: text\r\n'
        b"a: b\r\n\r\nhello\r\nworld\n\r\n"
        b'--b0\r\nContent-Disposition: form-data; name="c"\r\n\r\n1\r\n'
        b'--b0\r\nContent-Disposition: form-data; name="t"\r\n\r\nhello\r\nworld\n\r\n'
        b'--b0\r\nContent-Disposition: form-data; name="s"\r\n\r\n@x;y\r\n'
        b"--b0--\r\n"
    )
    fields = f"Content-Length: {len(body)}\nContent-Type: multipart/form-data; boundary=b0"
    assert sent == request(f"POST /upload/\n{fields}", body)


def test_form_strings_keep_their_place_among_the_forms() -> None:
    sent = dry_run("--form-string", "a=1", "-F", "b=2", "--form-string=c=3", "-Fd=4", "--boundary", "b0")
    assert re.findall(b'name="(.)"', sent) == [b"a", b"b", b"c", b"d"]


@pytest.mark.parametrize("empty", [["-d", ""], ["-T", "/dev/null"], ["--json", ""]])
def test_an_empty_body_in_chunks_is_a_last_chunk(empty: list[str]) -> None:
    sent = dry_run(*empty, "--chunked")
    assert b"\r\nTransfer-Encoding: chunked\r\n" in sent
    assert sent.endswith(b"\r\n\r\n0\r\n\r\n")


def test_a_cookie_may_end_with_a_semicolon() -> None:
    assert b"\r\nCookie: a=1; b=2\r\n" in dry_run("-b", "a=1;", "-b", "; b=2 ; ")


def test_chunked_has_no_length() -> None:
    sent = dry_run("-d", "a=1", "--chunked")
    assert sent == request(f"POST /upload/\nTransfer-Encoding: chunked\n{FORM}", b"3\r\na=1\r\n0\r\n\r\n")


def test_an_uploaded_file_is_put_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "ä b.txt"
    path.write_bytes(b"content")
    sent = dry_run("-T", str(path), url=URL + "?q")
    assert sent == request("PUT /upload/%C3%A4%20b.txt?q\nContent-Length: 7", b"content")
    assert dry_run("-T", str(path), url=URL + "x").startswith(b"PUT /upload/x HTTP/1.1\r\n")


def test_an_empty_file_has_length_0_and_standard_input_is_chunked(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert dry_run("-T", str(tmp_path / "empty")) == request("PUT /upload/empty\nContent-Length: 0")
    sent = dry_run("-T", "-", stdin=b"in")
    assert sent == request("PUT /upload/\nTransfer-Encoding: chunked", b"2\r\nin\r\n0\r\n\r\n")


def test_an_expectation_is_a_field() -> None:
    assert b"\r\nExpect: 100-continue\r\n" in dry_run("-d", "a", "--expect")


WRONG = {
    "no URL": ([], "Missing argument 'URL'"),
    "no scheme": (["localhost:8000"], "http:// or https://"),
    "no host": (["http:///a"], "'' is not a host"),
    "port": (["http://h:99999/"], "'h:99999' is not a host"),
    "method": ([URL, "-X", "A B"], "is not a method"),
    "two bodies": ([URL, "-d", "a", "--json", "1"], "--data and --json do not go together"),
    "form and data": ([URL, "-F", "a=1", "-d", "b"], "does not go together"),
    "form and file": ([URL, "-F", "a=1", "-T", "/dev/null"], "does not go together"),
    "form": ([URL, "-F", "a"], "name=value"),
    "missing file": ([URL, "-F", "f=@/nowhere/a.txt"], "/nowhere/a.txt: No such file or directory"),
    "missing data": ([URL, "-d", "@/nowhere/a.txt"], "cannot read /nowhere/a.txt"),
    "missing upload": ([URL, "-T", "/nowhere/a.txt"], "cannot read /nowhere/a.txt"),
    "folder": ([URL, "-T", "/"], "cannot read /: Is a directory"),
    "header": ([URL, "-H", "nothing"], "'Name: value'"),
    "header name": ([URL, "-H", "a b: c"], "not a field"),
    "line end in a header": ([URL, "-H", "a: b\nc: d"], "not a field"),
    "line end in a cookie": ([URL, "-b", "a=b\nc"], "CR, LF or NUL"),
    "line end in a part": ([URL, "-F", "a=1;type=x\ny: z"], "not a part's field"),
    "framing by hand": ([URL, "-d", "a", "-H", "Transfer-Encoding: chunked"], "follows from the body"),
    "length by hand": ([URL, "-d", "", "-H", "Content-Length: 3"], "follows from the body"),
    "cookie": ([URL, "-b", "a"], "name=value"),
    "cookie twice": ([URL, "-b", "a=1", "-b", "a=2"], "given twice"),
    "param": ([URL, "--param", "a"], "name=value"),
    "boundary": ([URL, "-F", "a=1", "--boundary", "ä"], "is not a boundary"),
    "stdin twice": ([URL, "-F", "a=@-", "-F", "b=@-"], "only once"),
    "stdin again": ([URL, "-F", "a=@-", "--retry", "1"], "--retry needs"),
    "max-time": ([URL, "--max-time", "0"], "max-time"),
    "endless max-time": ([URL, "--max-time", "inf"], "max-time"),
    "max-time that is not a number": ([URL, "--max-time", "nan"], "max-time"),
    "vast max-time": ([URL, "--max-time", "1e308"], "max-time"),
    "max-time beyond poll": ([URL, "--max-time", "2147484"], "max-time"),
    "empty label": (["http://a..b/"], "'a..b' is not a host"),
    "long label": ([f"http://{'x' * 64}.de/"], "is not a host"),
    "open bracket": (["http://[::1/"], "'[::1' is not a host"),
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(("arguments", "why"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_said_in_a_sentence_with_status_2(
    command: click.Command, arguments: list[str], why: str
) -> None:
    result = invoke(command, *arguments)
    assert result.exit_code == 2
    assert why in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("client", "agent"), [("socket", b"wireproof/"), ("requests", b"python-requests/")])
def test_upload_sends_with_the_client_that_it_is_given(client: str, agent: bytes) -> None:
    result = invoke(upload.main, URL, "--dry-run", "--client", client)
    assert b"\r\nUser-Agent: " + agent in result.stdout_bytes
    assert invoke(upload.main, URL, "--dry-run", "--client", "curl").exit_code == 2
    assert "--client" not in invoke(COMMANDS[client], "--help").stdout


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_version_is_the_projects(command: click.Command) -> None:
    assert project_version() in invoke(command, "--version").stdout
