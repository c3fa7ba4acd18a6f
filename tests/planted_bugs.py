"""Planted bugs, which compare must find: `python -m tests.planted_bugs BACKEND NAME [ARGUMENT ...]`.

This command patches one bug into a backend, `socket` or `gunicorn` (the Flask side), and runs the backend
with these arguments. Real servers have, or had, each of the bugs. A patch replaces an attribute of a module
or a class, and fails when the attribute does not exist. The code of the backends has no part in it.
"""

import base64
import re
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from servers.contract.problems import Problem
from servers.contract.request import BasicCredentials, Pair
from servers.flask_reading import chunks, forms, head, media_types, request_line
from servers.flask_reading import disposition as flask_disposition
from servers.flask_reading import multipart as flask_multipart
from servers.flask_reading import target as flask_target
from servers.flask_server import body_input, gunicorn_request
from servers.sansio import chunked, connection, credentials, disposition, fields, stream, target, urlencoded
from servers.sansio import multipart as form_data

Patch = Callable[[], None]


@dataclass(frozen=True, slots=True)
class PlantedBug:
    """One bug in `backend`. It breaks `rule`, and compare must report the cases `caught_by` as different.

    `cases` is a glob for compare that matches these cases and similar ones.
    """

    name: str
    backend: str
    rule: str
    cases: str
    caught_by: frozenset[str]
    patch: Patch


PLANTED_BUGS: dict[str, PlantedBug] = {}


def planted_bug(backend: str, rule: str, cases: str, *caught_by: str) -> Callable[[Patch], Patch]:
    """Register a patch under the name of its function."""

    def register(patch: Patch) -> Patch:
        name = patch.__name__.replace("_", "-")
        PLANTED_BUGS[name] = PlantedBug(name, backend, rule, cases, frozenset(caught_by), patch)
        return patch

    return register


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace an attribute by `make(original)`. Raises AttributeError when there is none."""
    setattr(owner, name, make(getattr(owner, name)))


# The socket server.


@planted_bug("socket", "H5", "bare-lf*", "bare-lf-between-field-lines", "bare-lf-after-request-line")
def bare_lf_ends_a_line() -> None:
    def lenient(original: Any) -> Any:
        def line(self: Any, role: Any, limit: int, too_long: str, broken: str) -> Generator[Any, None, bytes]:
            try:
                return bytes((yield from original(self, role, limit, too_long, broken)))
            except Problem as problem:
                if "bare" not in problem.detail:
                    raise
                end = self._data.index(b"\n", self._position)
                begin, self._position = self._position, end + 1
                return bytes(self._data[begin:end]).rstrip(b"\r")

        return line

    replace(stream.Incoming, "line", lenient)


@planted_bug("socket", "B9", "two-*", "two-content-lengths-different", "two-content-lengths-equal")
def last_content_length_wins() -> None:
    def last(original: Any) -> Any:
        def framing(self: Any) -> Any:
            self._fields.get(b"content-length", [])[:-1] = []
            return original(self)

        return framing

    replace(fields.FieldLines, "framing", last)


@planted_bug("socket", "B16", "transfer-encoding-*", "transfer-encoding-and-content-length")
def chunked_wins_over_content_length() -> None:
    def wins(original: Any) -> Any:
        def framing(self: Any) -> Any:
            if b"transfer-encoding" in self._fields:
                self._fields.pop(b"content-length", None)
            return original(self)

        return framing

    replace(fields.FieldLines, "framing", wins)


@planted_bug(
    "socket",
    "B30",
    "chunk-size-*",
    "chunk-size-with-hex-prefix",
    "chunk-size-with-plus-sign",
    "chunk-size-with-underscore",
)
def chunk_size_is_what_int_takes() -> None:
    def by_int(original: Any) -> Any:
        def chunk_size(line: bytes) -> int:
            try:
                size = int(line.partition(b";")[0], 16)
            except ValueError:
                size = -1
            return size if size >= 0 else int(original(line))

        return chunk_size

    replace(chunked, "_chunk_size", by_int)


@planted_bug("socket", "R25", "*percent*", "encoded-percent-decoded-once")
def percent_is_decoded_twice() -> None:
    def twice(original: Any) -> Any:
        return lambda data, **keep: original(original(data, **keep), **keep)

    replace(target, "percent_decode", twice)
    replace(urlencoded, "percent_decode", twice)


@planted_bug("socket", "U1", "*plus*", "form-plus-is-a-space", "plus-is-a-space-in-the-query-only")
def plus_is_no_blank() -> None:
    def verbatim(original: Any) -> Any:
        return lambda piece, encoding: original(piece.replace(b"+", b"%2B"), encoding)

    replace(urlencoded, "_pair", verbatim)


@planted_bug("socket", "K3", "cookie-*", "cookie-quotes-stay", "cookie-repeated-name")
def first_cookie_wins_and_loses_its_quotes() -> None:
    def first(original: Any) -> Any:
        def parse(value: str) -> tuple[Pair, ...]:
            kept: dict[str, str] = {}
            for name, said in original(value):
                kept.setdefault(name, said.strip('"'))
            return tuple(Pair(name, said) for name, said in kept.items())

        return parse

    replace(connection, "parse_cookies", first)


@planted_bug("socket", "A4", "auth-*", "auth-basic-without-colon")
def basic_needs_no_colon() -> None:
    def lenient(original: Any) -> Any:
        def decode(text: str) -> BasicCredentials | None:
            decoded = original(text)
            if decoded is None and re.fullmatch("[A-Za-z0-9+/]+={0,2}", text) and len(text) % 4 == 0:
                return BasicCredentials(base64.b64decode(text).decode("iso-8859-1"), "")
            return decoded if isinstance(decoded, BasicCredentials) else None

        return decode

    replace(credentials, "_decode_basic", lenient)


@planted_bug(
    "socket", "M62", "filename-*", "filename-ext-wins-over-filename", "filename-ext-before-filename-wins"
)
def filename_wins_over_its_extended_form() -> None:
    def plain_first(original: Any) -> Any:
        def filename(parameters: dict[bytes, Any]) -> Any:
            kept = dict(parameters)
            if b"filename" in kept:
                kept.pop(b"filename*", None)
            return original(kept)

        return filename

    replace(disposition, "_filename", plain_first)


@planted_bug("socket", "M52", "disposition-*", "disposition-percent-22-is-a-quote")
def percent_22_stays() -> None:
    def literal(original: Any) -> Any:
        return lambda value: original(value).replace('"', "%22")

    replace(disposition, "_plain", literal)


@planted_bug("socket", "M19", "*multipart*", "multipart-without-close-delimiter")
def close_delimiter_may_be_missing() -> None:
    def lenient(original: Any) -> Any:
        def finish(self: Any) -> Iterator[Any]:
            try:
                yield from original(self)
            except Problem as problem:
                if problem.code != "multipart_truncated":
                    raise

        return finish

    replace(form_data.FormDataParser, "finish", lenient)


@planted_bug("socket", "R21", "encoded-*", "encoded-slash-in-path")
def encoded_slash_is_decoded() -> None:
    def decoded(original: Any) -> Any:
        return lambda raw, keep=b"": original(raw.replace(b"%2F", b"/").replace(b"%2f", b"/"), keep=keep)

    replace(target, "_decode_path", decoded)


# The Flask side, under gunicorn.


@planted_bug(
    "gunicorn", "M7", "boundary-*", "boundary-parameter-twice", "boundary-parameter-twice-in-other-case"
)
def last_boundary_wins() -> None:
    def last(original: Any) -> Any:
        def add(parameters: dict[str, str], match: re.Match[str], media_type: Any) -> None:
            parameters.pop(match["name"].lower(), None)
            original(parameters, match, media_type)

        return add

    replace(media_types, "_add", last)


@planted_bug("gunicorn", "U4", "*semicolon*", "form-semicolon-does-not-separate", "semicolons-in-target")
def semicolon_splits_pairs() -> None:
    def split(original: Any) -> Any:
        return lambda data, encoding: original(data.replace(b";", b"&"), encoding)

    replace(forms, "split_pairs", split)
    replace(flask_target, "split_pairs", split)


@planted_bug("gunicorn", "M15", "preamble-*", "preamble-without-crlf-before-delimiter")
def first_delimiter_needs_no_line_of_its_own() -> None:
    def lenient(original: Any) -> Any:
        def init(self: Any, boundary: bytes, limits: Any) -> None:
            original(self, boundary, limits)
            self.preamble_re = re.compile(rb"--%s(--|[ \t]{0,64}\r\n)" % re.escape(boundary))

        return init

    replace(flask_multipart.StrictMultipart, "__init__", lenient)


@planted_bug("gunicorn", "B2", "*-cut*", "text-body-cut", "form-body-cut")
def short_body_is_a_body() -> None:
    def lenient(original: Any) -> Any:
        def pieces(self: Any) -> Iterator[bytes]:
            try:
                yield from original(self)
            except Problem as problem:
                if problem.code != "body_truncated":
                    raise

        return pieces

    replace(body_input.BodyInput, "__iter__", lenient)


@planted_bug("gunicorn", "M17", "epilogue-*", "epilogue-with-a-part", "epilogue-begins-with-the-boundary")
def epilogue_may_hold_anything() -> None:
    replace(flask_multipart.StrictMultipart, "_skip_epilogue", lambda original: lambda self, data: None)


@planted_bug("gunicorn", "M55", "filename-*", "filename-of-a-windows-path")
def backslashes_are_deleted() -> None:
    replace(flask_disposition, "_ESCAPE", lambda original: re.compile(r"\\(.)"))


@planted_bug("gunicorn", "H20", "*fields*", "repeated-fields")
def repeated_fields_are_joined_with_a_blank() -> None:
    def spaced(original: Any) -> Any:
        return lambda name, values: original(name, values) if name == "cookie" else ", ".join(values)

    replace(head, "join_lines", spaced)
    replace(gunicorn_request, "join_lines", spaced)


@planted_bug("gunicorn", "U7", "form-*", "form-raw-byte-not-utf8", "form-percent-byte-not-utf8")
def form_falls_back_to_iso_8859_1() -> None:
    def lenient(original: Any) -> Any:
        def urlencoded(self: Any, data: bytes, encoding: str) -> list[Pair]:
            try:
                return list(original(self, data, encoding))
            except Problem:
                return list(original(self, data, "iso-8859-1"))

        return urlencoded

    replace(forms.WerkzeugParsers, "urlencoded", lenient)


@planted_bug("gunicorn", "R38", "method-*", "method-in-lower-case")
def method_is_put_into_upper_case() -> None:
    def upper(original: Any) -> Any:
        return lambda method, target, version: original(method.upper(), target, version)

    replace(request_line, "_read", upper)


@planted_bug("gunicorn", "M27", "delimiter-*", "delimiter-after-lf-only-is-data")
def delimiter_may_follow_a_bare_lf() -> None:
    def lenient(original: Any) -> Any:
        return lambda boundary: re.compile(original(boundary).pattern.replace(rb"\r\n--", rb"\r?\n--", 1))

    replace(flask_multipart, "_delimiter", lenient)


@planted_bug("gunicorn", "H24", "no-host*", "no-host")
def host_may_be_missing() -> None:
    def lenient(original: Any) -> Any:
        return lambda values, line: original(values, line) if values else line.target.authority

    replace(head, "_read_host", lenient)


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
