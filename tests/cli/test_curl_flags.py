"""The flags that come from curl do what they do there: bytes on the wire, output, files, exit status."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import click
import pytest
from click.testing import CliRunner

from clients import requests_upload, socket_upload, upload
from clients.cli.curl_flags import why_refused
from tests.http1.recording_server import Peer, ok, recording

CURL = shutil.which("curl")
needs_curl = pytest.mark.skipif(CURL is None, reason="curl is not installed: nothing was compared with it")
COMMANDS = {"socket": socket_upload.main, "requests": requests_upload.main}
NOT_FOUND = ok(b"nope\n", status="404 Not Found", media_type="text/plain")
INTERIM = (
    b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n"
    b"HTTP/1.1 200 Fine  \r\nx-odd:   v \r\nContent-Length: 3\r\n\r\n{}\n"
)
OK = ok()
# Fields that the clients add, or put in another place.
OWN_FIELDS = (b"accept", b"accept-encoding", b"connection", b"expect", b"host")


class Done(NamedTuple):
    """What a program did: its requests, its output, the files that it wrote."""

    requests: list[bytes]
    status: int
    stdout: bytes
    stderr: str
    files: Mapping[str, bytes]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the programs run; `../f.txt` is a file to send."""
    (tmp_path / "f.txt").write_bytes(b"l1 &\r\n\xff\xc3\xa4x")
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def run(program: str, folder: Path, arguments: list[str], response: bytes, path: str, stdin: bytes) -> Done:
    """Run curl or one of our clients in the empty folder, which is empty again afterwards."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(response)

    with recording(script) as server:
        arguments = [*arguments, server.url + path]
        if program == "curl":
            command = [CURL or "curl", "-q", "--noproxy", "*", "--max-time", "30", *arguments]
            done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)
            shown = done.returncode, done.stdout, done.stderr.decode()
        else:
            result = CliRunner().invoke(COMMANDS[program], arguments, input=stdin)
            shown = result.exit_code, result.stdout_bytes, result.stderr
        sent = [request.replace(b"127.0.0.1:%d" % server.port, b"HOST") for request in server.requests]
    files = {each.name: each.read_bytes() for each in folder.iterdir()}
    for name in files:
        (folder / name).unlink()
    return Done(sent, *shown, files)


def compared(
    folder: Path, *arguments: str, response: bytes = OK, path: str = "/a/b.txt", stdin: bytes = b""
) -> Iterator[tuple[Done, Done]]:
    """What curl did, and what each of our clients did."""
    theirs = run("curl", folder, list(arguments), response, path, stdin)
    for client in COMMANDS:
        yield theirs, run(client, folder, list(arguments), response, path, stdin)


def comparable(request: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """The request line with its escapes decoded, the fields without those that differ by nature, the body."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    pairs = {name.lower(): value.strip() for name, _, value in (field.partition(b":") for field in fields)}
    if pairs.get(b"content-length") == b"0":
        del pairs[b"content-length"]  # curl sends none with -X POST and no body
    return unquote_to_bytes(line), {k: v for k, v in pairs.items() if k not in OWN_FIELDS}, body


SENT = {
    "user agent": ["-A", "me"],
    "user agent in utf-8": ["--user-agent", "mé"],
    "no user agent": ["-A", ""],
    "header before user agent": ["-A", "me", "-H", "User-Agent: you"],
    "header that removes the user agent": ["-A", "me", "-H", "User-Agent:"],
    "data in the query": ["-A", "x", "-G", "-d", "q=1", "-d", "r=ä&<>"],
    "query without data": ["-A", "x", "-G"],
    "query with an empty datum": ["-A", "x", "-G", "-d", ""],
    "query by another method": ["-A", "x", "-G", "-d", "a=1", "-X", "POST"],
    "encoded query": ["-A", "x", "-G", "--data-urlencode", "q=a b&ä", "-d", "x"],
    "encoded content": ["-A", "x", "--data-urlencode", "a b&"],
    "encoded content after an equals sign": ["-A", "x", "--data-urlencode", "=a=b"],
    "encoded value": ["-A", "x", "--data-urlencode", "n=a=b~-._*+ü\n'()"],
    "name as it is": ["-A", "x", "--data-urlencode", "n m&=v"],
    "encoded file": ["-A", "x", "--data-urlencode", "@../f.txt"],
    "encoded file with a name": ["-A", "x", "--data-urlencode", "n@../f.txt"],
    "encoded standard input": ["-A", "x", "--data-urlencode", "n@-"],
    "an equals sign before an at sign": ["-A", "x", "--data-urlencode", "a@b=c"],
    "an at sign in a value": ["-A", "x", "--data-urlencode", "a=b@c"],
    "empty content": ["-A", "x", "--data-urlencode", ""],
    "all data in their order": [
        *("-A", "x", "--data-binary", "d=5", "-d", "a=1", "--data-urlencode", "b=2 3", "--data-raw", "c=@4"),
        *("-d", "@../f.txt", "--data-binary", "@../f.txt", "-d", "", "-d", "e"),
    ],
    "a limit of time": ["-A", "x", "-m", "20"],
}  # fmt: skip


@needs_curl
@pytest.mark.parametrize("arguments", SENT.values(), ids=SENT)
def test_the_same_request(arguments: list[str], folder: Path) -> None:
    for theirs, ours in compared(folder, *arguments, stdin=b"in put\n"):
        assert (theirs.status, ours.status) == (0, 0), ours.stderr
        assert comparable(ours.requests[0]) == comparable(theirs.requests[0])


@needs_curl
@pytest.mark.parametrize("path", ["/p?x=1", "/p?", "/p?x&", "/p#fragment", "/p?x#fragment", ""])
def test_the_same_query(path: str, folder: Path) -> None:
    for theirs, ours in compared(folder, "-A", "x", "-G", "-d", "a=1", path=path):
        assert comparable(ours.requests[0]) == comparable(theirs.requests[0])


SHOWN: dict[str, tuple[list[str], bytes]] = {
    "head and body": (["-i"], OK),
    "interim heads, as received": (["-i"], INTERIM),
    "head and body of a refusal": (["-i"], NOT_FOUND),
    "head alone of a refusal": (["-i", "-f"], NOT_FOUND),
    "head alone of a response to HEAD": (["-i", "-X", "HEAD"], b"HTTP/1.1 200 OK\r\nETag: x\r\n\r\n"),
    "body of a refusal": ([], NOT_FOUND),
    "nothing of a refusal": (["-f"], NOT_FOUND),
    "a redirect, which is no failure": (["-f"], ok(status="301 Moved")),
    "a body": (["-o", "-"], OK),
    "a file": (["-o", "out"], OK),
    "a file with the head": (["-i", "-o", "out"], OK),
    "a file under its name": (["-O"], OK),
    "a file under its name with the head": (["-O", "-i"], INTERIM),
    "a file of a refusal": (["-O"], NOT_FOUND),
    "no file of a refusal": (["-O", "-f"], NOT_FOUND),
    "the head of a refusal in a file": (["-O", "-f", "-i"], NOT_FOUND),
    "an empty file": (["-O"], ok(b"")),
}


@needs_curl
@pytest.mark.parametrize(("arguments", "response"), SHOWN.values(), ids=SHOWN)
def test_the_same_output(arguments: list[str], response: bytes, folder: Path) -> None:
    for theirs, ours in compared(folder, "-s", *arguments, response=response):
        assert (ours.stdout, ours.files) == (theirs.stdout, theirs.files)
        assert ours.stderr == theirs.stderr == ""
        # A refusal is a failure here, whether -f is given or not; curl's is 22 with -f and a status from 400.
        assert ours.status == (0 if b" 200 " in response else 1)
        assert theirs.status == (22 if "-f" in arguments and b" 404 " in response else 0)


@needs_curl
@pytest.mark.parametrize("path", ["/a/b%20c.txt?x=/1#/y", "/a/ä.txt", "/x", "/a/.hidden", "/a//b"])
def test_the_same_name_of_a_file(path: str, folder: Path) -> None:
    for theirs, ours in compared(folder, "-s", "-O", path=path):
        assert len(theirs.files) == 1
        assert ours.files == theirs.files


@needs_curl
@pytest.mark.parametrize("path", ["", "/", "/a/", "/a/..", "/a/?x=/b"])
def test_a_url_without_a_name_for_the_file_is_not_asked_for(path: str, folder: Path) -> None:
    for theirs, ours in compared(folder, "-O", path=path):
        assert theirs.requests == ours.requests == []
        assert (theirs.status, ours.status) == (23, 2)
        assert "does not end with the name of a file; use -o PATH" in ours.stderr


@needs_curl
@pytest.mark.parametrize(
    ("arguments", "response"),
    [
        ([], OK),
        (["-d", "a=1", "-u", "name:password"], OK),
        (["-f"], NOT_FOUND),
        (["-X", "HEAD", "-i"], b"HTTP/1.1 200 OK\r\nETag: x\r\n\r\n"),
    ],
)
def test_the_same_heads_with_verbose(arguments: list[str], response: bytes, folder: Path) -> None:
    for theirs, ours in compared(folder, "-s", "-v", *arguments, response=response):
        shown = [line.rstrip("\r") for line in theirs.stderr.split("\n") if line.startswith("< ")]
        assert [line for line in ours.stderr.split("\n") if line.startswith("< ")][: len(shown)] == shown
        lines = ours.requests[0].partition(b"\r\n\r\n")[0].decode().split("\r\n")
        said = re.sub(r"127\.0\.0\.1:[0-9]+", "HOST", ours.stderr).split("\n")
        assert [line for line in said if line.startswith(">")] == [*(f"> {line}" for line in lines), "> "]
        assert ours.stdout == theirs.stdout


@pytest.mark.parametrize("client", COMMANDS)
def test_verbose_shows_interim_heads_and_escapes_what_does_not_print(client: str, folder: Path) -> None:
    response = INTERIM.replace(b"x-odd:   v", b"x-odd: \x9b31m")
    done = run(client, folder, ["-v"], response, "/", b"")
    assert [line for line in done.stderr.split("\n") if line.startswith("<")] == [
        *("< HTTP/1.1 100 Continue", "< X-A: 1", "< ", "< HTTP/1.1 200 Fine  "),
        *("< x-odd: \\u009b31m ", "< Content-Length: 3", "< "),
    ]


FAILURES: dict[str, tuple[list[str], bytes, int]] = {
    "a refusal": (["-f"], NOT_FOUND, 1),
    "a truncated response": ([], OK[:-1], 3),
    "no response": ([], b"", 3),
    "no HTTP": ([], b"garbage", 3),
    "output that cannot be written": (["-o", "nowhere/x"], OK, 1),
}


@needs_curl
@pytest.mark.parametrize(("arguments", "response", "status"), FAILURES.values(), ids=FAILURES)
def test_a_failure_is_silent_with_s_and_said_with_s_and_show_error(
    arguments: list[str], response: bytes, status: int, folder: Path
) -> None:
    for theirs, ours in compared(folder, "-s", *arguments, response=response):
        assert theirs.status != 0
        assert (ours.status, ours.stderr, theirs.stderr) == (status, "", "")
    for theirs, ours in compared(folder, "-sS", *arguments, response=response):
        assert theirs.stderr.startswith("curl: (")
        assert ours.stderr.startswith(("error: ", "refused: "))


@pytest.mark.parametrize("client", COMMANDS)
@pytest.mark.parametrize("arguments", [["-T", "nofile"], ["-F", "a=@nofile"], ["-H", "nothing"]])
def test_wrong_usage_is_said_even_when_silent(client: str, arguments: list[str]) -> None:
    result = CliRunner().invoke(COMMANDS[client], ["-s", *arguments, "http://127.0.0.1:1/"])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")


def test_a_retry_is_said_unless_silent() -> None:
    answers = [ok(status="503 Busy").replace(b"\r\n\r\n", b"\r\nRetry-After: 0\r\n\r\n"), ok()]

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(answers[len(server.peers) % 2 - 1])

    with recording(script) as server:
        for flag, said in (("-s", ""), ("--raw", "retry 1 of 1 in 0 s: the response was 503\n")):
            result = CliRunner().invoke(upload.main, [flag, "--retry", "1", server.url])
            assert (result.exit_code, result.stdout, result.stderr) == (0, "{}\n", said)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["-G", "-F", "a=1"], "-G is for -d and its variants"),
        (["-G", "--json", "1"], "-G is for -d and its variants"),
        (["-G", "-T", "/dev/null"], "-G is for -d and its variants"),
        (["-G", "--data-binary", "@f.bin"], "the data are not UTF-8; --data-urlencode sends any bytes"),
        (["-o", "x", "-O"], "-o and -O do not go together"),
        (["-v", "--show-wire"], "do not go together"),
        (["--data-urlencode", "@nofile"], "cannot read nofile"),
    ],
)
def test_flags_that_do_not_go_together(
    arguments: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.bin").write_bytes(b"\xff")
    result = CliRunner().invoke(upload.main, [*arguments, "http://127.0.0.1:1/x"])
    assert result.exit_code == 2
    assert why in result.stderr


@pytest.mark.parametrize("command", [*COMMANDS.values(), upload.main])
@pytest.mark.parametrize(
    ("flag", "why"),
    [
        ("-L", "a redirect is shown and not followed"),
        ("--location", "a redirect is shown and not followed"),
        ("-k", "certificates are always checked, and --cacert PATH names more"),
        ("-sk", "certificates are always checked, and --cacert PATH names more"),
        ("-I", "-X HEAD -i sends the same request and prints the same"),
        ("-xhttp://proxy", "no proxy is ever used"),
        ("--proxy=http://proxy", "no proxy is ever used"),
        ("--http2", "only HTTP/1.1 is spoken"),
    ],
)
def test_another_flag_of_curl_is_refused_with_a_reason(command: click.Command, flag: str, why: str) -> None:
    result = CliRunner().invoke(command, [flag, "http://127.0.0.1:1/"])
    assert result.exit_code == 2
    assert f"Error: {flag_name(flag)} of curl is not supported: {why}." in result.stderr
    assert "No such option" not in result.stderr


def flag_name(given: str) -> str:
    if given.startswith("--"):
        return given.partition("=")[0]
    return given[:2] if given.startswith("-x") else "-" + given[-1]


def test_a_flag_that_curl_does_not_have_either() -> None:
    result = CliRunner().invoke(upload.main, ["--nonesuch", "http://127.0.0.1:1/"])
    assert result.exit_code == 2
    assert "No such option" in result.stderr


@needs_curl
def test_every_flag_of_curl_is_taken_or_refused_with_a_reason() -> None:
    listed = subprocess.run(
        [CURL or "curl", "--help", "all"], capture_output=True, text=True, check=True
    ).stdout
    version = subprocess.run([CURL or "curl", "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = re.findall("[0-9]+", version)[:2]
    if (int(major), int(minor)) > (8, 17):
        pytest.skip("this curl may have newer flags")
    taken = {flag for parameter in upload.main.params for flag in parameter.opts} | {"-h", "--help"}
    flags = set(re.findall(r"^ *(-[^-, ])(?=, --)", listed, re.M)) | set(
        re.findall(r"(--[a-z0-9.-]+)(?=  ? *)", listed)
    )
    assert len(flags) > 150
    assert [flag for flag in sorted(flags) if (flag in taken) == (why_refused(flag) is not None)] == []
