"""Defects of Werkzeug 3.1 in their smallest form (README.md). A test fails when its defect is repaired."""

import io

import pytest
from werkzeug.datastructures import Authorization
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, MultipartDecoder, NeedData
from werkzeug.serving import DechunkedInput
from werkzeug.test import create_environ
from werkzeug.wrappers import Request

FIELD = b'Content-Disposition: form-data; name="a"\r\n\r\nv'
FORM_DATA = "multipart/form-data; boundary=b"
FILE = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nabc\r\n--b--'


def file_data(*reads: bytes) -> bytes:
    """The data of the one file in a body that arrives in these reads."""
    decoder = MultipartDecoder(b"b")
    data = b""
    for read in (*reads, None):
        decoder.receive_data(read)
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            data += event.data if isinstance(event, Data) else b""
        if isinstance(event, Epilogue):
            break
    return data


def form_of(*parts: bytes) -> tuple[dict[str, str], dict[str, tuple[str | None, bytes]]]:
    """Fields and files of a form of parts, each its header block, an empty line and its data.

    By the defaults of a request, but for the files, which are kept in memory.
    """
    body = b"".join(b"--b\r\n%s\r\n" % part for part in parts) + b"--b--\r\n"
    parser = FormDataParser(stream_factory=lambda *_, **__: io.BytesIO())
    _, form, files = parser.parse(io.BytesIO(body), "multipart/form-data", len(body), {"boundary": "b"})
    return form.to_dict(), {name: (file.filename, file.read()) for name, file in files.items()}


def test_a_read_between_the_closing_dashes_adds_a_carriage_return() -> None:
    assert file_data(FILE) == b"abc"
    assert file_data(FILE[:-1], FILE[-1:]) == b"abc\r"


def test_backslashes_of_a_filename_are_deleted() -> None:
    value, options = parse_options_header(r'form-data; name="f"; filename="C:\temp\x.txt"')
    assert (value, options["filename"]) == ("form-data", "C:tempx.txt")


def test_a_percent_in_a_boundary_is_decoded() -> None:
    assert parse_options_header('multipart/form-data; boundary="b%22c"')[1]["boundary"] == 'b"c'


def test_a_truncated_form_is_an_empty_form() -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nv'
    request = Request.from_values(method="POST", data=body, content_type=FORM_DATA)
    assert not request.form


def test_one_filename_in_latin_1_empties_the_whole_form() -> None:
    named = b'Content-Disposition: form-data; name="f"; filename="caf%s"\r\n\r\nx'
    assert form_of(FIELD, named % b"e") == ({"a": "v"}, {"f": ("cafe", b"x")})
    assert form_of(FIELD, named % b"\xe9") == ({}, {})


def test_an_unquoted_filename_ends_at_its_first_blank() -> None:
    file = b"Content-Disposition: form-data; name=f; filename=my file.txt\r\n\r\nx"
    assert form_of(file) == ({}, {"f": ("my", b"x")})


def test_a_file_with_the_boundary_behind_a_line_feed_empties_the_form() -> None:
    file = b"Content-Disposition: form-data; name=f; filename=x\r\n\r\none\n--%s\r\ntwo"
    assert form_of(FIELD, file % b"c") == ({"a": "v"}, {"f": ("x", b"one\n--c\r\ntwo")})
    assert form_of(FIELD, file % b"b") == ({}, {})


def test_one_byte_that_is_not_utf8_empties_a_urlencoded_form() -> None:
    request = Request.from_values(
        method="POST", data=b"a=1&b=\xff", content_type="application/x-www-form-urlencoded"
    )
    assert not request.form


def test_a_part_without_headers_swallows_the_next_parts() -> None:
    body = b'--b\r\n\r\nv\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nw\r\n--b--'
    request = Request.from_values(method="POST", data=body, content_type=FORM_DATA)
    assert request.form.to_dict(flat=False) == {"a": ["w"]}


def test_authorization_beyond_ascii_raises() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        Authorization.from_header("Basic \xe9")


def test_missing_chunk_data_are_zeros() -> None:
    body = DechunkedInput(io.BytesIO(b"fffffffffffffffff\r\n"))
    assert [body.read(4), body.read(4)] == [b"\0\0\0\0", b"\0\0\0\0"]


def test_a_chunked_body_is_cut_at_the_limit() -> None:
    # As under both servers, the stream ends where the body ends.
    environ = {
        **create_environ(method="POST", input_stream=io.BytesIO(b"x" * 11)),
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input_terminated": True,
    }
    request = Request(environ)
    request.max_content_length = 10
    assert request.get_data() == b"x" * 10


def test_json_nested_deep_raises_what_no_application_expects() -> None:
    request = Request.from_values(method="POST", data=b"[" * 100_000, content_type="application/json")
    with pytest.raises(RecursionError):
        request.get_json()
