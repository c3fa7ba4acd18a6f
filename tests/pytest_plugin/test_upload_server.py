"""The fixture `upload_server`, used as another project would use it."""

import hashlib
import socket
from urllib.parse import urlsplit

import pytest
import requests

from clients.received_uploads import UploadServer

pytest_plugins = ["clients.pytest_plugin"]
DATA = b"hello\n\0\xff"


def test_an_upload_is_an_object(upload_server: UploadServer) -> None:
    requests.post(upload_server.url, data={"a": "1"}, files={"f": ("a.txt", DATA, "text/plain")}, timeout=10)
    (upload,) = upload_server.uploads
    assert (upload.method, upload.target, upload.status) == ("POST", "/upload/", 200)
    assert dict(upload.form) == {"a": "1"}
    file = upload.files["f"]
    assert (file.part, file.filename, file.content_type, file.size) == ("f", "a.txt", "text/plain", len(DATA))
    assert file.sha256 == hashlib.sha256(DATA).hexdigest()
    assert file.data == DATA
    assert upload.wire.startswith(b"POST /upload/ HTTP/1.1\r\n")
    assert b'name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n' + DATA in upload.wire


def test_each_test_begins_without_uploads(upload_server: UploadServer) -> None:
    assert upload_server.uploads == []


def test_requests_of_one_connection_are_told_apart(upload_server: UploadServer) -> None:
    with requests.Session() as session:
        for number in ("1", "2"):
            session.post(upload_server.url, data={"a": number}, timeout=10)
        session.post(upload_server.url, data=iter([b"chunk", b"ed"]), timeout=10)
    uploads = upload_server.wait_for(3)
    assert [dict(upload.form) for upload in uploads] == [{"a": "1"}, {"a": "2"}, {}]
    assert uploads[2].wire.endswith(b"5\r\nchunk\r\n2\r\ned\r\n0\r\n\r\n")


def test_equal_names_are_all_there(upload_server: UploadServer) -> None:
    files = [("f", ("a", b"1")), ("f", ("b", b"2"))]
    requests.post(upload_server.url, files=files, data=[("a", "1"), ("a", "2")], timeout=10)
    (upload,) = upload_server.uploads
    assert upload.form["a"] == "1"
    assert upload.form.all("a") == ["1", "2"]
    assert [file.filename for file in upload.files.all("f")] == ["a", "b"]
    with pytest.raises(KeyError, match="'g' is not among 'f'"):
        upload.files["g"]


def test_a_file_is_found_by_what_is_known_of_it(upload_server: UploadServer) -> None:
    requests.post(upload_server.url, files={"f": ("a.txt", DATA), "g": ("b.txt", b"")}, timeout=10)
    assert upload_server.file("f").filename == "a.txt"
    assert upload_server.file(filename="b.txt", size=0).part == "g"


def test_a_file_that_is_missing_shows_the_bytes(upload_server: UploadServer) -> None:
    with pytest.raises(AssertionError, match="no files with part='f', but one was expected"):
        upload_server.file("f")
    requests.post(upload_server.url, files={"f": ("a.txt", DATA)}, timeout=10)
    with pytest.raises(AssertionError) as caught:
        upload_server.file("f", size=9)
    text = str(caught.value)
    assert text.startswith("no files with part='f' and size=9, but one was expected. 1 came:\n")
    assert '    Content-Disposition: form-data; name="f"; filename="a.txt"\\r\\n\n' in text
    assert "    hello\\n\n    \\x00\\xff\\r\\n\n" in text


def test_of_a_large_upload_the_first_bytes_are_shown(upload_server: UploadServer) -> None:
    requests.put(upload_server.url, data=b"x" * 10_000, timeout=10)
    with pytest.raises(AssertionError, match="more bytes"):
        upload_server.wait_for(2, seconds=0.1)


def test_a_refused_upload_has_its_problem_and_its_bytes(upload_server: UploadServer) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    requests.post(upload_server.url, data=b"--b", headers=headers, timeout=10)
    (upload,) = upload_server.uploads
    assert (upload.status, upload.problem["code"]) == (400, "multipart_truncated")
    assert upload.wire.endswith(b"\r\n\r\n--b")
    assert not upload.files


def test_what_is_no_request_is_shown_too(upload_server: UploadServer) -> None:
    where = urlsplit(upload_server.url)
    with socket.create_connection((where.hostname, where.port or 0), timeout=10) as connection:
        connection.sendall(b"NO\r\n\r\n")
        while connection.recv(65536):
            pass
    (upload,) = upload_server.wait_for(1)
    assert upload.wire == b"NO\r\n\r\n"
    assert upload.status == 400
