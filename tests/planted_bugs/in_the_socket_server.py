"""Bugs planted into the socket server."""

import base64
import dataclasses
import re
from collections.abc import Generator, Iterator
from typing import Any

from servers.contract import form
from servers.contract.problems import Problem
from servers.contract.request import BasicCredentials, Pair
from servers.contract.request_files import RequestFiles
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
from tests.planted_bugs.registry import in_place_of, planted_bug


@planted_bug("socket", "H5", "bare-lf*", "bare-lf-between-field-lines", "bare-lf-after-request-line")
@in_place_of((stream.Incoming, "line"))
def bare_lf_ends_a_line(original: Any, self: Any, *given: Any) -> Generator[Any, None, bytes]:
    try:
        return bytes((yield from original(self, *given)))
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
    files, self._files = self._files, RequestFiles(None)
    part = original(self, index, head_of_part)
    self._files, part._stored = files, files.are_stored
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
