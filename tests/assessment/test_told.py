"""Every way in which an answer may differ from the right reading has its group and its kind."""

from hashlib import sha256
from typing import Any

import pytest

from clients.assessment.groups import Group, Kind
from clients.assessment.told import Told, differences, told_in

EVERYTHING = Told(
    frozenset({"args", "form", "files", "json", "text"}),
    frozenset({"filename", "size", "sha256", "content_type"}),
)


def field(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value}


def file(
    name: str, filename: str | None, data: bytes = b"x", media_type: str | None = "text/plain"
) -> dict[str, Any]:
    digest = sha256(data).hexdigest()
    return {
        "name": name,
        "filename": filename,
        "content_type": media_type,
        "size": len(data),
        "sha256": digest,
    }


def form(*fields: Any, files: Any = (), **more: Any) -> dict[str, Any]:
    return {"args": [], "form": list(fields), "files": list(files), "json": None, "text": None, **more}


_TWO = form(field("a", "1"), field("b", "2"))
_REPEATED = form(field("a", "1"), field("a", "2"), field("b", "3"))
_FILE = form(field("a", "1"), files=[file("f", "a.txt")])


@pytest.mark.parametrize(
    ("right", "answer"),
    [
        (_TWO, _TWO),
        (_TWO, {**_TWO, "form": {"b": "2", "a": ["1"]}}),
        (_FILE, {**_FILE, "files": {"f": file("f", "a.txt")}}),
        (form(files=[file("f", "a", media_type=None)]), form(files=[file("f", "a", media_type="")])),
        (
            form(files=[file("f", "a", media_type=None)]),
            form(files=[file("f", "a", media_type="text/plain")]),
        ),
        (form(files=[file("f", "a", media_type="A/b;c")]), form(files=[file("f", "a", media_type="a/b")])),
        (form(json={"a": 1.0}), form(json={"a": 1})),
        (form(text=None), form(text="a text that our servers do not tell")),
        (form(), {**_TWO, "form": []}),
        (form(files=[file("f", "", b"")]), form(files=[file("f", None, b"")])),
        (form(files=[{**file("f", "x"), "name": None}]), form()),
    ],
)
def test_an_equal_reading_has_no_difference(right: dict[str, Any], answer: dict[str, Any]) -> None:
    assert list(differences(right, answer, EVERYTHING)) == []


@pytest.mark.parametrize(
    ("right", "answer", "group", "kind"),
    [
        (_FILE, form(), Group.SILENT_LOSS, Kind.EMPTY_FORM),
        (_TWO, form(field("a", "1")), Group.SILENT_LOSS, Kind.FIELD_MISSING),
        (_FILE, form(field("a", "1")), Group.SILENT_LOSS, Kind.FILE_MISSING),
        (_REPEATED, form(field("a", "2"), field("b", "3")), Group.SILENT_LOSS, Kind.REPEATED_MISSING),
        (_REPEATED, form(field("a", "2"), field("a", "1"), field("b", "3")), Group.OTHER, Kind.ORDER),
        (_TWO, form(field("a", "1"), field("b", " 2")), Group.SILENT_LOSS, Kind.VALUE_CHANGED),
        (_TWO, form(field("a", "1"), field("c", "2")), Group.SILENT_LOSS, Kind.NAME_CHANGED),
        (form(field("a\\b", "1")), form(field("ab", "1")), Group.SILENT_LOSS, Kind.BACKSLASHES),
        (_FILE, form(field("a", "1"), files=[file("g", "a.txt")]), Group.SILENT_LOSS, Kind.NAME_CHANGED),
        (_FILE, form(field("a", "1"), files=[file("f", "b.txt")]), Group.SILENT_LOSS, Kind.FILENAME_CHANGED),
        (
            _FILE,
            form(field("a", "1"), files=[file("f", "a.txt", b"y")]),
            Group.SILENT_LOSS,
            Kind.BYTES_CHANGED,
        ),
        (
            _FILE,
            form(field("a", "1"), files=[file("f", "a.txt", b"x\r")]),
            Group.SILENT_LOSS,
            Kind.BYTES_ADDED,
        ),
        (
            _FILE,
            form(field("a", "1"), files=[file("f", "a.txt", media_type=None)]),
            Group.SILENT_LOSS,
            Kind.TYPE_CHANGED,
        ),
        (
            form(files=[file("f", "C:\\x.txt")]),
            form(files=[file("f", "C:x.txt")]),
            Group.SILENT_LOSS,
            Kind.BACKSLASHES,
        ),
        (form(files=[file("f", "C:\\x.txt")]), form(files=[file("f", "x.txt")]), Group.OTHER, Kind.PATH_CUT),
        (form(files=[file("f", None)]), form(field("f", "x")), Group.READ_DIFFERENTLY, Kind.FIELD_OR_FILE),
        (
            form(files=[file("f", None, b"\xff")]),
            form(field("f", "\ufffd")),
            Group.SILENT_LOSS,
            Kind.BYTES_CHANGED,
        ),
        (form(files=[file("f", "a.txt")]), form(field("f", "x")), Group.SILENT_LOSS, Kind.FILENAME_CHANGED),
        (
            form(field("a", "1")),
            form(files=[file("a", None, b"1")]),
            Group.READ_DIFFERENTLY,
            Kind.FIELD_OR_FILE,
        ),
        (_TWO, form(*_TWO["form"], field("c", "3")), Group.READ_DIFFERENTLY, Kind.INVENTED),
        (
            form(field("a", "1"), files=[file("f", "", b"")]),
            form(field("a", "1")),
            Group.OTHER,
            Kind.NOTHING_CHOSEN,
        ),
        (_TWO, {**_TWO, "files": [file("g", "x")]}, Group.READ_DIFFERENTLY, Kind.INVENTED),
        (_FILE, {**_FILE, "files": [*_FILE["files"], file("f", "x")]}, Group.READ_DIFFERENTLY, Kind.INVENTED),
        (form(field("a", "1")), {**form(), "form": {"a": 1}}, Group.SILENT_LOSS, Kind.VALUE_CHANGED),
        (form(json=[2**53 + 1]), form(json=[2**53]), Group.SILENT_LOSS, Kind.VALUE_CHANGED),
        (form(json=True), form(json=1), Group.SILENT_LOSS, Kind.VALUE_CHANGED),
        (form(text="a\r\n"), form(text="a\n"), Group.SILENT_LOSS, Kind.VALUE_CHANGED),
        (form(args=[field("q", "1")]), form(), Group.SILENT_LOSS, Kind.FIELD_MISSING),
    ],
)
def test_a_difference_has_its_group_and_kind(
    right: dict[str, Any], answer: dict[str, Any], group: Group, kind: str
) -> None:
    worst = min(differences(right, answer, EVERYTHING), key=lambda each: each.group.rank)
    assert (worst.group, worst.kind) == (group, kind)


def test_what_is_not_told_is_not_judged() -> None:
    other = form(field("a", "changed"), files=[file("f", "b.txt", b"other")], json=1, text="t")
    assert list(differences(_FILE, other, Told())) == []
    only_names = Told(frozenset({"files"}), frozenset({"filename"}))
    (found,) = differences(_FILE, other, only_names)
    assert found.kind == Kind.FILENAME_CHANGED


def test_the_members_of_an_answer_are_those_that_it_fills() -> None:
    told = told_in("multipart", {"form": {"a": "1"}, "files": [{"name": "f", "size": 1}], "other": 1})
    assert told == Told(frozenset({"form", "files"}), frozenset({"size"}))
    assert told | Told(frozenset({"json"})) == Told(frozenset({"form", "files", "json"}), frozenset({"size"}))


@pytest.mark.parametrize(
    ("kind", "answer", "members"),
    [
        ("multipart", {}, set()),
        ("multipart", {"form": {"b": "2"}}, {"form"}),
        ("multipart", {"form": {"other": "1"}, "files": 2, "text": "Upload successful"}, set()),
        ("multipart", {"form": "a=1&b=2", "files": ["a.txt", "b.txt"]}, set()),
        ("multipart", {"files": [{"filename": "a.txt"}]}, set()),
        ("urlencoded", {"form": [{"name": "a", "value": "1"}], "json": {"a": "1"}}, {"form"}),
        ("json", {"json": {"a": 1}, "form": {"a": "1"}}, {"json"}),
        ("json", {"json": {"a": "1"}}, set()),
        ("text", {"text": "text", "args": {"q": ["1"]}}, {"text", "args"}),
        ("text", {"text": "thank you"}, set()),
    ],
)
def test_only_what_repeats_the_plain_request_is_told(
    kind: str, answer: dict[str, Any], members: set[str]
) -> None:
    assert told_in(kind, answer).members == members


def test_a_member_of_a_file_needs_a_value_of_its_type() -> None:
    answer = {"files": [{"name": "f", "size": "1", "sha256": "no", "filename": None, "content_type": "a/b"}]}
    assert told_in("multipart", answer).of_a_file == {"content_type"}
