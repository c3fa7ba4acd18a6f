"""Planted bugs, which compare must find: `python -m tests.planted_bugs BACKEND NAME [ARGUMENT ...]`.

This command patches one bug into a backend, `socket` or `gunicorn` (the Flask side), and runs the backend
with these arguments. Real servers have, or had, each of the bugs. A patch replaces an attribute of a module
or a class, and fails when the attribute does not exist. The code of the backends has no part in it.
"""

import base64
import dataclasses
import re
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from servers import flask_upload
from servers.contract import form
from servers.contract.problems import Problem
from servers.contract.request import BasicCredentials, Pair
from servers.flask_reading import chunks, forms, head, media_types, request_line
from servers.flask_reading import disposition as flask_disposition
from servers.flask_reading import fields as flask_fields
from servers.flask_reading import multipart as flask_multipart
from servers.flask_reading import target as flask_target
from servers.flask_server import body_input, gunicorn_request
from servers.sansio import (
    chunked,
    connection,
    credentials,
    disposition,
    fields,
    part_headers,
    stream,
    target,
    urlencoded,
)
from servers.sansio import multipart as form_data
from servers.socket_server import connection as socket_connection
from servers.socket_server.responses import CONTINUE

Patch = Callable[[], None]


@dataclass(frozen=True, slots=True)
class PlantedBug:
    """One bug in `backend`. It breaks `rule`, and compare must report the cases `caught_by` as different.

    `cases` is a glob for compare that matches these cases and similar ones. `fuzzed` says whether fuzz can
    see it too: fuzz reads no file back and counts no interim responses.
    """

    name: str
    backend: str
    rule: str
    cases: str
    caught_by: frozenset[str]
    patch: Patch
    fuzzed: bool


PLANTED_BUGS: dict[str, PlantedBug] = {}


def planted_bug(
    backend: str, rule: str, cases: str, *caught_by: str, fuzzed: bool = True
) -> Callable[[Patch], Patch]:
    """Register a patch under the name of its function."""

    def register(patch: Patch) -> Patch:
        name = patch.__name__.replace("_", "-")
        PLANTED_BUGS[name] = PlantedBug(name, backend, rule, cases, frozenset(caught_by), patch, fuzzed)
        return patch

    return register


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace an attribute by `make(original)`. Raises AttributeError when there is none."""
    setattr(owner, name, make(getattr(owner, name)))


def in_place_of(*places: tuple[Any, str]) -> Callable[[Callable[..., Any]], Patch]:
    """Make a patch of a function: it is called in those places, with the original as its first argument."""

    def patch_of(wrong: Callable[..., Any]) -> Patch:
        def patch() -> None:
            for owner, name in places:
                replace(owner, name, lambda right: lambda *given, **named: wrong(right, *given, **named))

        patch.__name__ = wrong.__name__
        return patch

    return patch_of


# The socket server.


@planted_bug("socket", "H5", "bare-lf*", "bare-lf-between-field-lines", "bare-lf-after-request-line")
@in_place_of((stream.Incoming, "line"))
def bare_lf_ends_a_line(
    original: Any, self: Any, role: Any, limit: int, too_long: str, broken: str
) -> Generator[Any, None, bytes]:
    try:
        return bytes((yield from original(self, role, limit, too_long, broken)))
    except Problem as problem:
        if "bare" not in problem.detail:
            raise
        end = self._data.index(b"\n", self._position)
        begin, self._position = self._position, end + 1
        return bytes(self._data[begin:end]).rstrip(b"\r")


@planted_bug("socket", "B9", "two-*", "two-content-lengths-different", "two-content-lengths-equal")
@in_place_of((fields.FieldLines, "framing"))
def last_content_length_wins(original: Any, self: Any) -> Any:
    self._fields.get(b"content-length", [])[:-1] = []
    return original(self)


@planted_bug("socket", "B16", "transfer-encoding-*", "transfer-encoding-and-content-length")
@in_place_of((fields.FieldLines, "framing"))
def chunked_wins_over_content_length(original: Any, self: Any) -> Any:
    if b"transfer-encoding" in self._fields:
        self._fields.pop(b"content-length", None)
    return original(self)


@planted_bug(
    "socket",
    "B30",
    "chunk-size-*",
    "chunk-size-with-hex-prefix",
    "chunk-size-with-plus-sign",
    "chunk-size-with-underscore",
)
@in_place_of((chunked, "_chunk_size"))
def chunk_size_is_what_int_takes(original: Any, line: bytes) -> int:
    try:
        size = int(line.partition(b";")[0], 16)
    except ValueError:
        size = -1
    return size if size >= 0 else int(original(line))


@planted_bug("socket", "R25", "*percent*", "encoded-percent-decoded-once")
@in_place_of((target, "percent_decode"), (urlencoded, "percent_decode"))
def percent_is_decoded_twice(original: Any, data: Any, **keep: Any) -> Any:
    return original(original(data, **keep), **keep)


@planted_bug("socket", "U1", "*plus*", "form-plus-is-a-space", "plus-is-a-space-in-the-query-only")
@in_place_of((urlencoded, "_pair"))
def plus_is_no_blank(original: Any, piece: bytes, encoding: Any) -> Any:
    return original(piece.replace(b"+", b"%2B"), encoding)


@planted_bug("socket", "K3", "cookie-*", "cookie-quotes-stay", "cookie-repeated-name")
@in_place_of((connection, "parse_cookies"))
def first_cookie_wins_and_loses_its_quotes(original: Any, value: str) -> tuple[Pair, ...]:
    kept: dict[str, str] = {}
    for name, said in original(value):
        kept.setdefault(name, said.strip('"'))
    return tuple(Pair(name, said) for name, said in kept.items())


@planted_bug("socket", "A4", "auth-*", "auth-basic-without-colon")
@in_place_of((credentials, "_decode_basic"))
def basic_needs_no_colon(original: Any, text: str) -> BasicCredentials | None:
    decoded = original(text)
    if decoded is None and re.fullmatch("[A-Za-z0-9+/]+={0,2}", text) and len(text) % 4 == 0:
        return BasicCredentials(base64.b64decode(text).decode("iso-8859-1"), "")
    return decoded if isinstance(decoded, BasicCredentials) else None


@planted_bug(
    "socket", "M62", "filename-*", "filename-ext-after-another-filename", "filename-replaced-of-httpclient"
)
@in_place_of((disposition, "_name"))
def filename_wins_over_its_extended_form(original: Any, key: bytes, parameters: dict[bytes, bytes]) -> Any:
    kept = dict(parameters)
    if b"filename" in kept:
        kept.pop(b"filename*", None)
    return original(key, kept)


@planted_bug("socket", "M83", "field-*beyond-*", "field-with-a-type-parameter-beyond-latin1")
@in_place_of((part_headers, "_media_type"))
def the_type_of_a_part_must_be_iso_8859_1(original: Any, content_type: bytes | None) -> Any:
    beyond = content_type is not None and any(ord(c) > 0xFF for c in content_type.decode("utf-8"))
    return None if beyond else original(content_type)


@planted_bug("socket", "M52", "disposition-*", "disposition-percent-22-is-a-quote")
@in_place_of((disposition, "_name"))
def percent_22_stays(original: Any, key: bytes, parameters: dict[bytes, bytes]) -> Any:
    name = original(key, parameters)
    return name and name.replace('"', "%22")


@planted_bug("socket", "M19", "*multipart*", "multipart-without-close-delimiter")
@in_place_of((form_data.FormDataParser, "finish"))
def close_delimiter_may_be_missing(original: Any, self: Any) -> Iterator[Any]:
    try:
        yield from original(self)
    except Problem as problem:
        if problem.code != "multipart_truncated":
            raise


@planted_bug("socket", "R21", "encoded-*", "encoded-slash-in-path")
@in_place_of((target, "_decode_path"))
def encoded_slash_is_decoded(original: Any, raw: bytes, keep: bytes = b"") -> Any:
    return original(raw.replace(b"%2F", b"/").replace(b"%2f", b"/"), keep=keep)


@planted_bug("socket", "B28", "10*-trailers*", "101-trailers-with-underscores")
@in_place_of((chunked, "_trailer_name"))
def every_trailer_counts(original: Any, line: bytes) -> Any:
    return original(line).replace(b"_", b"-")


@planted_bug(
    "socket",
    "M81",
    "*part*read-back",
    "part-of-octets-without-a-filename-then-read-back",
    fuzzed=False,
)
@in_place_of((form.FormBuilder, "_file_part"))
def files_of_a_form_are_hashed_and_not_stored(original: Any, self: Any, index: int, head_of_part: Any) -> Any:
    part = original(self, index, head_of_part)
    part._writer.discard()
    part._writer = form.HashingWriter()
    return part


@planted_bug(
    "socket",
    "B37",
    "no-interim-*",
    "no-interim-response-before-413",
    "no-interim-response-before-405",
    fuzzed=False,
)
@in_place_of((socket_connection.Connection, "_begin"))
def continue_is_sent_before_the_head_is_checked(original: Any, self: Any, received: Any) -> None:
    if received.expects_continue:
        self._socket.send(CONTINUE)
    original(self, dataclasses.replace(received, expects_continue=False))


# The Flask side, under gunicorn.


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


def main(backend: str, name: str, *arguments: str) -> None:
    """Apply the patch, then run the backend as its own command does."""
    chosen = PLANTED_BUGS[name]
    if chosen.backend != backend:
        raise SystemExit(f"{name} is a bug of {chosen.backend}, not of {backend}")
    chosen.patch()
    sys.argv = [backend, *arguments]
    if backend == "socket":
        from servers.socket_upload import main as serve

        serve()
    else:
        from gunicorn.app.wsgiapp import run

        run()


if __name__ == "__main__":
    main(*sys.argv[1:])
