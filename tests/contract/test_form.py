"""FormBuilder: fields, files, counts and limits (rules M56, M76 to M88)."""

import dataclasses
import hashlib

import pytest

from servers.contract.form import FormBuilder
from servers.contract.limits import Limits
from servers.contract.problems import Problem
from servers.contract.request import (
    FileEntry,
    FormField,
    MediaType,
    Pair,
    PartData,
    PartEnd,
    PartEvent,
    PartHead,
)
from servers.contract.request_files import RequestFiles
from servers.storage.memory import MemoryStore
from tests.refusals import refusal_code
from tests.sansio.splits import bytewise, two_way

_ROOM = 10
_LIMITS = dataclasses.replace(Limits(), max_field_text=_ROOM, max_parts=3)


def _head(
    content_type: str | None = None,
    *,
    filename: str | None = None,
    valid: bool = True,
    charset: str | None = None,
) -> PartHead:
    media_type = None
    if content_type is not None and valid:
        media_type = MediaType(content_type, (Pair("charset", charset),) if charset is not None else ())
    return PartHead("n", filename, (Pair("x", "1"),), content_type, media_type)


def _part(head: PartHead, *pieces: bytes) -> list[PartEvent]:
    return [head, *(PartData(memoryview(piece)) for piece in pieces), PartEnd()]


def _build(*parts: list[PartEvent], limits: Limits = _LIMITS) -> FormBuilder:
    builder = FormBuilder(RequestFiles(None), limits)
    for part in parts:
        builder.feed(part)
    return builder


def _code_of(*parts: list[PartEvent]) -> str:
    return refusal_code(_build, *parts)


@pytest.mark.parametrize(
    ("head", "data", "value"),
    [
        pytest.param(_head(), b"", "", id="M33"),
        pytest.param(_head(), "\u00e9".encode(), "\u00e9", id="M78: UTF-8"),
        pytest.param(_head(), b"\0\xef\xbb\xbf", "\0\ufeff", id="M79"),
        pytest.param(_head("text/plain"), "\u00e9".encode(), "\u00e9", id="M81: text"),
        pytest.param(_head("text/csv"), b"a", "a", id="M81: any text"),
        pytest.param(_head("application/json"), b"{", "{", id="M81: JSON, not parsed"),
        pytest.param(_head("a/b+json"), b"{}", "{}", id="M81: +json"),
        pytest.param(_head("application/x-www-form-urlencoded"), b"a=1", "a=1", id="M81: urlencoded"),
        pytest.param(_head("text/plain", charset="ISO-8859-1"), b"\xe9", "\xe9", id="M76: ISO-8859-1"),
        pytest.param(_head("text/plain", charset="Us-Ascii"), b"a", "a", id="M76: ASCII"),
        pytest.param(_head("application/json", charset="utf-8"), b"1", "1", id="M76: UTF-8"),
        pytest.param(_head("text/plain", charset="utf8"), b"\xc3\xa9", "\xe9", id="M76: utf8"),
        pytest.param(_head("text/plain", charset="Latin1"), b"\xe9", "\xe9", id="M76: latin1"),
        pytest.param(_head("text/plain", charset="l1"), b"\xe9", "\xe9", id="M76: l1"),
        pytest.param(_head("text/plain", charset="iso8859-1"), b"\xe9", "\xe9", id="M76: iso8859-1"),
        pytest.param(_head("text/plain", charset="ascii"), b"a", "a", id="M76: ascii"),
        pytest.param(_head("text/plain", charset=""), b"\xc3\xa9", "\xe9", id="M76: an empty charset"),
        pytest.param(_head("application/json", charset="utf-16"), b"1", "1", id="C10: JSON"),
        pytest.param(_head("a/b+json", charset="l1"), b"\xc3\xa9", "\xe9", id="C10: +json"),
    ],
)
def test_a_text_field(head: PartHead, data: bytes, value: str) -> None:
    builder = _build(_part(head, *(data[at : at + 1] for at in range(len(data)))))
    assert builder.form == [FormField(0, "n", value, (Pair("x", "1"),))]
    assert builder.files == []


@pytest.mark.parametrize(
    ("head", "data"),
    [
        pytest.param(_head(filename="f"), b"text", id="a file name"),
        pytest.param(_head("text/plain", filename="f"), b"\xff", id="a file name, whatever the type"),
        pytest.param(_head("text/plain", filename="f", charset="koi8-r"), b"x", id="M77 is for fields"),
        pytest.param(_head(filename=""), b"", id="M56"),
        pytest.param(_head(filename=""), b"x", id="M56: with bytes"),
        pytest.param(_head(), b"\xff", id="M78"),
        pytest.param(_head(), b"abc\xe2\x82", id="M78: an incomplete character"),
        pytest.param(_head(), b"\xff" * 50, id="M78: larger than the text may be"),
        pytest.param(_head("application/octet-stream"), b"text", id="M81"),
        pytest.param(_head("image/png"), b"", id="M81: empty"),
        pytest.param(_head("multipart/mixed"), b"--x--", id="M84"),
        pytest.param(_head("", valid=False), b"text", id="M83: an empty type"),
        pytest.param(_head("garbage", valid=False), b"text", id="M83: a malformed type"),
        pytest.param(_head("application/xml"), b"<a/>", id="M81: not a text type"),
        pytest.param(_head("text/plain"), b"\xff", id="M78: a text type"),
        pytest.param(_head("application/json"), b"\xff", id="M78: JSON"),
        pytest.param(_head("application/json", charset="l1"), b"\xff", id="C10: JSON in ISO-8859-1"),
        pytest.param(_head("application/x-www-form-urlencoded"), b"a=\xff", id="M78: urlencoded"),
        pytest.param(_head("text/plain", charset="us-ascii"), b"\xe9", id="M76: US-ASCII"),
        pytest.param(_head("text/plain", charset="utf-8"), b"\xe2\x82", id="M76: an incomplete character"),
        pytest.param(_head("text/plain", charset="utf-16"), b"", id="M77: empty"),
        pytest.param(_head("text/plain", charset="koi8-r"), b"x", id="M77"),
        pytest.param(_head("text/plain", charset="latin-1"), b"x", id="M77: not a word of the list"),
        pytest.param(_head("text/plain", charset="windows-1252"), b"x" * 50, id="M77: larger than text"),
        pytest.param(_head("text/plain"), b"\xff" * 11, id="M78: a text type, larger than the text may be"),
    ],
)
def test_a_file(head: PartHead, data: bytes) -> None:
    builder = _build(_part(head, *(data[at : at + 1] for at in range(len(data)))))
    sha256 = hashlib.sha256(data).hexdigest()
    assert builder.files == [
        FileEntry(
            0, "n", head.filename, head.content_type, (Pair("x", "1"),), len(data), sha256, stored=False
        )
    ]
    assert builder.form == []


_QP = dataclasses.replace(_head(), quoted_printable=True)
_QP_FILE = dataclasses.replace(_head(filename="f"), quoted_printable=True)


@pytest.mark.parametrize("head", [_QP, _QP_FILE], ids=["field", "file"])
@pytest.mark.parametrize(
    ("data", "accepted"),
    [
        (b"", True),
        (b"plain text", True),
        (b" a\tb\r\nc\n\r", True),
        (b"a=3D", False),
        (b"=", False),
        (b"a=\r\nb", False),
        (b"a \r\nb", False),
        (b"a\t\nb", False),
        (b"a ", False),
        (b"a\t\r", False),
        (b"\xff", True),
    ],
)
def test_quoted_printable_is_accepted_when_decoding_changes_nothing(
    head: PartHead, data: bytes, accepted: bool
) -> None:
    """M75, for every split. A decoder removes blanks before a line end, too."""
    for pieces in ([data], bytewise(data), *two_way(data)):
        if not accepted:
            assert _code_of(_part(head, *pieces)) == "part_transfer_encoding", pieces
        elif head.filename is None and data != b"\xff":
            assert _build(_part(head, *pieces)).form[0].value == data.decode()
        else:
            assert _build(_part(head, *pieces)).files[0].size == len(data)


def test_the_data_of_the_next_part_are_not_checked() -> None:
    assert _build(_part(_QP, b"a"), _part(_head(), b"=")).form[1].value == "="


def test_data_after_the_end_of_a_part_belong_to_no_part() -> None:
    builder = _build(_part(_head(), b"a"))
    with pytest.raises(AssertionError):
        builder.feed([PartData(b"b")])


def test_a_problem_names_the_part() -> None:
    """W6."""
    with pytest.raises(Problem) as raised:
        _build(_part(_head()), _part(_head(), b"x" * 11))
    assert raised.value.detail.startswith("part 1 ('n'): ")


@pytest.mark.parametrize("content_type", [None, "text/plain"])
def test_the_limit_holds_for_all_text_fields_together(content_type: str | None) -> None:
    """M87: files do not count, even those that were held as possible text."""
    file = _part(_head(filename="f"), b"x" * 100)
    untyped_file = _part(_head(), b"\xff" * _ROOM)
    head = _head(content_type)
    builder = _build(untyped_file, _part(head, b"x" * 4), _part(head, b"x" * 6))
    assert [len(field.value) for field in builder.form] == [4, 6]
    assert _code_of(file, _part(head, b"x" * 4), _part(head, b"x" * 7)) == "field_too_large"
    assert _code_of(_part(head, b"x" * _ROOM), _part(head, b"x")) == "field_too_large"
    assert _build(_part(head, b"x" * _ROOM), _part(head)).form[1].value == ""


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(b"x" * 10, "field", id="the limit"),
        pytest.param(b"x" * 11, "field_too_large", id="one byte more"),
        pytest.param(b"x" * 10 + b"\xff", "field_too_large", id="only the bytes up to the limit count"),
        pytest.param(b"x" * 9 + b"\xff", "file", id="not UTF-8 at the limit"),
        pytest.param(b"x" * 9 + b"\xff" + b"x" * 20, "file", id="not UTF-8, and more"),
        pytest.param(b"x" * 9 + b"\xe2\x82\xac", "field_too_large", id="a character over the limit"),
        pytest.param(
            b"x" * 9 + b"\xe2xxx", "field_too_large", id="the beginning of a character at the limit"
        ),
        pytest.param(b"x" * 8 + b"\xe2x" + b"x" * 9, "file", id="an invalid sequence"),
        pytest.param(b"x" * 8 + b"\xe2\x82", "file", id="an incomplete character at the end"),
        pytest.param(b"x" * 7 + b"\xe2\x82\xac", "field", id="a character up to the limit"),
    ],
)
def test_an_untyped_part_at_the_limit_is_classified_alike_for_every_split(data: bytes, kind: str) -> None:
    """M78, M89: exactly the bytes up to the limit decide."""
    for pieces in ([data], bytewise(data), *two_way(data)):
        if kind == "field_too_large":
            assert _code_of(_part(_head(), *pieces)) == kind, pieces
            continue
        builder = _build(_part(_head(), *pieces))
        found = (
            [field.value.encode() for field in builder.form]
            if kind == "field"
            else [bytes.fromhex(file.sha256) for file in builder.files]
        )
        assert found == [data if kind == "field" else hashlib.sha256(data).digest()], pieces


def test_a_part_over_the_limit_is_refused_at_its_header_block() -> None:
    """M86: fields and files both count."""
    three = [_part(_head()), _part(_head(filename="f")), _part(_head())]
    builder = _build(*three)
    assert refusal_code(builder.feed, [_head("text/plain", charset="koi8-r")]) == "too_many_parts"


def test_the_index_keeps_the_order_of_fields_and_files() -> None:
    """M88."""
    builder = _build(_part(_head()), _part(_head(filename="f")), _part(_head()))
    assert [field.index for field in builder.form] == [0, 2]
    assert [file.index for file in builder.files] == [1]


def test_files_are_stored_and_fields_are_not() -> None:
    store = MemoryStore()
    files = RequestFiles(store)
    builder = FormBuilder(files, _LIMITS)
    builder.feed(_part(_head(), b"field"))
    builder.feed(_part(_head(filename="f"), b"fi", b"le"))
    builder.feed(_part(_head(), b"\xff" * 3, b"x" * 20))
    files.write()
    files.publish()
    assert all(file.stored for file in builder.files)
    stored = {hashlib.sha256(data).hexdigest() for data in (b"file", b"\xff" * 3 + b"x" * 20)}
    assert set(store.names()) == stored == {file.sha256 for file in builder.files}


def test_events_may_be_fed_one_at_a_time() -> None:
    builder = FormBuilder(RequestFiles(None), _LIMITS)
    for event in _part(_head(), b"a", b"b"):
        builder.feed([event])
    assert [field.value for field in builder.form] == ["ab"]


def test_a_fed_buffer_may_be_reused_at_once() -> None:
    builder = FormBuilder(RequestFiles(None), _LIMITS)
    buffer = bytearray(b"abc")
    builder.feed([_head(), PartData(buffer)])
    buffer[:] = b"xyz"
    builder.feed([PartEnd()])
    assert builder.form[0].value == "abc"
