"""StrictRequest in a Flask application: what its attributes give, and how it refuses."""

import io
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.exceptions import BadRequest

from servers.flask_server.strict_request import StrictRequest

BOUNDARY = "b"
FORM = {"content_type": f"multipart/form-data; boundary={BOUNDARY}"}


def part(data: bytes, disposition: str, *headers: str) -> bytes:
    lines = [f"Content-Disposition: form-data; {disposition}", *headers]
    return f"--{BOUNDARY}\r\n{chr(13) + chr(10)}".replace("\r\n\r\n", "\r\n").encode() + (
        "\r\n".join(lines).encode() + b"\r\n\r\n" + data + b"\r\n"
    )


END = f"--{BOUNDARY}--\r\n".encode()


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.request_class = StrictRequest

    @app.post("/form")
    def form() -> dict[str, Any]:
        files = request.files.items(multi=True)
        return {
            "form": list(request.form.items(multi=True)),
            "files": [
                (name, file.filename, file.content_type, file.read().decode("latin-1"), dict(file.headers))
                for name, file in files
            ],
        }

    @app.post("/json")
    def json() -> dict[str, Any]:
        return {"json": request.get_json(silent="silent" in request.args)}

    @app.post("/data")
    def data() -> Any:
        text = request.get_data(as_text=True) if "text" in request.args else request.get_data()
        return {"form": dict(request.form), "text": text} if "form" in request.args else text

    return app


def refused(response: Any, status: int, code: str) -> None:
    assert response.status_code == status, response.data
    assert response.content_type == "application/problem+json"
    assert response.get_json()["code"] == code


def test_fields_and_files_are_as_they_were_sent(app: Flask) -> None:
    body = (
        part(b"1", 'name="a"')
        + part(b"2", 'name="a"')
        + part(b"\r\n\0\xff\r", 'name="f"; filename="C:\\temp\\x.txt"', "Content-Type: text/plain", "X-A: 1")
        + part(b"", 'name="f"; filename=""')
        + END
    )
    value = app.test_client().post("/form", data=body, **FORM).get_json()
    assert value["form"] == [["a", "1"], ["a", "2"]]
    disposition = 'form-data; name="f"; filename="C:\\temp\\x.txt"'
    assert value["files"][0] == [
        *("f", "C:\\temp\\x.txt", "text/plain", "\r\n\0\xff\r"),
        {"Content-Disposition": disposition, "Content-Type": "text/plain", "X-A": "1"},
    ] or {name.lower() for name in value["files"][0][4]} == {"content-disposition", "content-type", "x-a"}
    assert value["files"][1][:4] == ["f", "", None, ""]


def test_bytes_that_are_no_text_are_a_file_without_a_name(app: Flask) -> None:
    value = app.test_client().post("/form", data=part(b"\xff", 'name="a"') + END, **FORM).get_json()
    assert value["form"] == []
    assert value["files"][0][:2] == ["a", None]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (part(b"1", 'name="a"'), "multipart_truncated"),
        (b"x" + END, "multipart_preamble"),
        (part(b"1", 'name="a"') + END + b"x", "multipart_epilogue"),
        (part(b"1", "x=1") + END, "name_missing"),
    ],
)
def test_a_broken_form_is_a_problem(app: Flask, body: bytes, code: str) -> None:
    refused(app.test_client().post("/form", data=body, **FORM), 400, code)


def test_an_error_handler_of_the_application_sees_the_refusal(app: Flask) -> None:
    app.register_error_handler(BadRequest, lambda error: (f"mine: {error.description}", 400))
    response = app.test_client().post("/form", data=b"--b", **FORM)
    assert response.data.startswith(b"mine: ")
    assert b"close delimiter" in response.data


def test_the_limits_of_the_application_hold(app: Flask) -> None:
    app.config.update(MAX_CONTENT_LENGTH=1000, MAX_FORM_MEMORY_SIZE=10, MAX_FORM_PARTS=3)
    client = app.test_client()
    fields = [part(b"1", f'name="{number}"') for number in range(4)]
    assert client.post("/form", data=b"".join(fields[:3]) + END, **FORM).status_code == 200
    refused(client.post("/form", data=b"".join(fields) + END, **FORM), 413, "too_many_parts")
    refused(client.post("/form", data=part(b"1" * 11, 'name="a"') + END, **FORM), 413, "field_too_large")
    refused(client.post("/data", data=b"1" * 1001), 413, "body_too_large")
    refused(client.post("/form", data=b"1" * 1001, **FORM), 413, "body_too_large")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"a": 1, "a": 2}', "json_duplicate_key"),
        (b"[NaN]", "json_invalid"),
        (b'"\xff"', "json_invalid"),
        (b"[" * 65 + b"]" * 65, "json_too_deep"),
        (b"", "json_invalid"),
    ],
)
def test_json_that_parsers_read_differently_is_refused(app: Flask, text: bytes, code: str) -> None:
    client = app.test_client()
    refused(client.post("/json", data=text, content_type="application/json"), 400, code)
    silent = client.post("/json?silent", data=text, content_type="application/json")
    assert silent.get_json() == {"json": None}


def test_json_is_read(app: Flask) -> None:
    response = app.test_client().post("/json", json={"a": [1, "é"]})
    assert response.get_json() == {"json": {"a": [1, "é"]}}


def test_a_body_that_ends_too_early_is_refused(app: Flask) -> None:
    environ = {"CONTENT_LENGTH": "10", "wsgi.input": io.BytesIO(b"12345"), "wsgi.input_terminated": True}
    for target, kind in (
        ("/data", "text/plain"),
        ("/json", "application/json"),
        ("/form", FORM["content_type"]),
    ):
        client = app.test_client()
        environ["wsgi.input"] = io.BytesIO(b"12345")
        refused(client.post(target, content_type=kind, environ_overrides=environ), 400, "body_truncated")


def test_text_that_is_no_utf8_is_refused_as_text_only(app: Flask) -> None:
    client = app.test_client()
    assert client.post("/data", data=b"\xff").data == b"\xff"
    refused(client.post("/data?text", data=b"\xff"), 400, "text_encoding")


def test_data_that_was_read_first_can_still_be_parsed(app: Flask) -> None:
    response = app.test_client().post("/data?form&text", data={"a": "1"})
    assert response.get_json() == {"form": {"a": "1"}, "text": "a=1"}


def test_broken_types_and_escapes_are_refused(app: Flask) -> None:
    client = app.test_client()
    refused(client.post("/form", data=b"x", content_type="multipart/form-data"), 400, "boundary_missing")
    refused(client.post("/form", data=b"x", content_type="a"), 400, "content_type_syntax")
    form = {"content_type": "application/x-www-form-urlencoded"}
    refused(client.post("/form", data=b"a=%ff", **form), 400, "form_not_utf8")
    coded = {"headers": {"Content-Encoding": "gzip"}, **FORM}
    refused(client.post("/form", data=END, **coded), 415, "unsupported_content_encoding")
    assert client.post("/form", input_stream=io.BytesIO(b""), **coded).status_code == 200


def test_large_files_go_to_disk_and_failed_ones_are_closed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams: list[Any] = []
    make = StrictRequest._get_file_stream

    def made(self: StrictRequest, *arguments: Any, **named: Any) -> Any:
        streams.append(make(self, *arguments, **named))
        return streams[-1]

    monkeypatch.setattr(StrictRequest, "_get_file_stream", made)
    large = part(b"x" * 600_000, 'name="f"; filename="x"')
    assert app.test_client().post("/form", data=large + END, **FORM).status_code == 200
    assert not isinstance(streams[0], io.BytesIO)
    refused(app.test_client().post("/form", data=large, **FORM), 400, "multipart_truncated")
    assert streams[1].closed
