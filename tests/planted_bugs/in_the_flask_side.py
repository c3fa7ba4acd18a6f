"""Bugs planted into the Flask side, which runs under gunicorn."""

import re
from collections.abc import Iterator
from typing import Any

from servers import flask_upload
from servers.contract.problems import Problem
from servers.contract.request import Pair
from servers.flask_reading import chunks, forms, head, media_types, request_line
from servers.flask_reading import disposition as flask_disposition
from servers.flask_reading import fields as flask_fields
from servers.flask_reading import multipart as flask_multipart
from servers.flask_reading import target as flask_target
from servers.flask_server import body_input, gunicorn_request
from tests.planted_bugs.registry import in_place_of, planted_bug, replace


@planted_bug(
    "gunicorn", "H21", "*cookie-lines*", "two-cookie-lines-of-5000-bytes", "ten-cookie-lines-of-1000-bytes"
)
@in_place_of((flask_upload, "_read_head"))
def cookie_lines_have_one_limit_together(original: Any, environ: Any, limits: Any) -> Any:
    checked = original(environ, limits)
    flask_fields.check_size(len(f"cookie: {checked.field('cookie')}\r\n"), limits)
    return checked


@planted_bug("gunicorn", "H30", "*-of-8190-bytes*", "field-line-of-8190-bytes-without-a-blank")
@in_place_of((flask_upload, "_read_head"))
def a_blank_counts_that_was_not_sent(original: Any, environ: Any, limits: Any) -> Any:
    checked = original(environ, limits)
    for name, value in checked.headers:
        flask_fields.check_size(len(f"{name}: {max(re.split('[,;]', value), key=len)}\r\n"), limits)
    return checked


@planted_bug(
    "gunicorn",
    "M2",
    "boundary-unquoted-*",
    "boundary-unquoted-with-a-comma-and-octets-beyond-ascii",
    "boundary-unquoted-with-octets-beyond-ascii-and-a-slash",
)
def octets_beyond_ascii_excuse_separators() -> None:
    unquoted = r"[\x21\x23-\x3a\x3c-\x7e]*[\x80-\xff][\x21\x23-\x3a\x3c-\x7e\x80-\xff]*"
    replace(
        media_types,
        "_PARAMETER",
        lambda original: re.compile(original.pattern.replace("(?P<value>", f"(?P<value>{unquoted}|")),
    )


@planted_bug(
    "gunicorn", "M7", "boundary-*", "boundary-parameter-twice", "boundary-parameter-twice-in-other-case"
)
@in_place_of((media_types, "_add"))
def last_boundary_wins(
    original: Any, parameters: dict[str, str], match: re.Match[str], media_type: Any
) -> None:
    parameters.pop(match["name"].lower(), None)
    original(parameters, match, media_type)


@planted_bug("gunicorn", "U4", "*semicolon*", "form-semicolon-does-not-separate", "semicolons-in-target")
@in_place_of((forms, "split_pairs"), (flask_target, "split_pairs"))
def semicolon_splits_pairs(original: Any, data: bytes, encoding: Any) -> Any:
    return original(data.replace(b";", b"&"), encoding)


@planted_bug("gunicorn", "M13", "preamble-*", "preamble-of-lines", "preamble-without-crlf-before-delimiter")
@in_place_of((flask_multipart.StrictMultipart, "__init__"))
def preamble_may_hold_anything(original: Any, self: Any, boundary: bytes, limits: Any) -> None:
    original(self, boundary, limits)
    self.preamble_re = re.compile(rb"--%s(--|[ \t]{0,64}\r\n)" % re.escape(boundary))
    self._check_preamble = lambda preamble: None


@planted_bug("gunicorn", "B2", "*-cut*", "text-body-cut", "form-body-cut")
@in_place_of((body_input.BodyInput, "__iter__"))
def short_body_is_a_body(original: Any, self: Any) -> Iterator[bytes]:
    try:
        yield from original(self)
    except Problem as problem:
        if problem.code != "body_truncated":
            raise


@planted_bug("gunicorn", "M16", "epilogue-*", "epilogue-with-a-part", "epilogue-of-text")
def epilogue_may_hold_anything() -> None:
    replace(flask_multipart.StrictMultipart, "_add_to_epilogue", lambda original: lambda self, data: None)


@planted_bug("gunicorn", "M55", "filename-*", "filename-of-a-windows-path")
def backslashes_are_deleted() -> None:
    replace(flask_disposition, "_ESCAPE", lambda original: re.compile(r"\\(.)"))


@planted_bug("gunicorn", "H20", "*fields*", "repeated-fields")
@in_place_of((head, "join_lines"), (gunicorn_request, "join_lines"))
def repeated_fields_are_joined_with_a_blank(original: Any, name: Any, values: Any) -> Any:
    return original(name, values) if name == "cookie" else ", ".join(values)


@planted_bug("gunicorn", "U7", "form-*", "form-raw-byte-not-utf8", "form-percent-byte-not-utf8")
@in_place_of((forms.WerkzeugParsers, "urlencoded"))
def form_falls_back_to_iso_8859_1(original: Any, self: Any, data: bytes, encoding: str) -> list[Pair]:
    try:
        return list(original(self, data, encoding))
    except UnicodeDecodeError:
        return list(original(self, data, "iso-8859-1"))


@planted_bug("gunicorn", "R38", "method-*", "method-in-lower-case")
@in_place_of((request_line, "_read"))
def method_is_put_into_upper_case(original: Any, method: Any, target: Any, version: Any) -> Any:
    return original(method.upper(), target, version)


@planted_bug("gunicorn", "M27", "delimiter-*", "delimiter-after-lf-only-is-data")
@in_place_of((flask_multipart, "_delimiter"))
def delimiter_may_follow_a_bare_lf(original: Any, boundary: Any) -> Any:
    return re.compile(original(boundary).pattern.replace(rb"\r\n--", rb"\r?\n--", 1))


@planted_bug("gunicorn", "H24", "no-host*", "no-host")
@in_place_of((head, "_read_host"))
def host_may_be_missing(original: Any, values: Any, line: Any) -> Any:
    return original(values, line) if values else line.target.authority


@planted_bug(
    "gunicorn", "B29", "trailer-*", "trailer-content-length", "trailer-host", "trailer-authorization"
)
def any_field_may_be_a_trailer() -> None:
    replace(chunks, "_FORBIDDEN", lambda original: frozenset())
