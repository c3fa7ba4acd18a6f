"""What the answer of an endpoint tells of a request, and where it differs from the right reading.

An answer is a JSON object with any of `args`, `form`, `files`, `json` and `text`. Fields and files are lists
of entries or objects by name (`comparison/told_values.py`). An entry of `files` has any of `filename`,
`size`, `sha256` and `content_type`. A member is told by a kind of body when the answer to a plain request of
this kind repeats what was sent. What is not told is not judged.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..comparison.told_values import as_entries
from ..http1.exchange import Exchange
from .groups import Group, Kind

MEMBERS = ("args", "form", "files", "json", "text")
OF_A_FILE = ("filename", "size", "sha256", "content_type")
# "text/plain" is the type of a part without one (RFC 7578, section 4.4); most parsers say one of these.
_NO_TYPE = ("", "text/plain", "application/octet-stream")

Entries = Sequence[Mapping[str, Any]]


# What the plain requests of `probing.py` send.
PLAIN_FIELDS = {"a": "1", "b": "2"}
PLAIN_FILES = {"f": "a.txt", "g": "b.txt"}
PLAIN_JSON = {"a": 1}
PLAIN_TEXT = "text"
PLAIN_ARGS = {"q": "1"}
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Told:
    """The members that an endpoint tells, and those of its files."""

    members: frozenset[str] = frozenset()
    of_a_file: frozenset[str] = frozenset()

    def __or__(self, other: "Told") -> "Told":
        return Told(self.members | other.members, self.of_a_file | other.of_a_file)

    @property
    def form_members(self) -> frozenset[str]:
        """Those of a form."""
        return self.members & {"form", "files"}


@dataclass(frozen=True, slots=True)
class Difference:
    """How an answer differs from the right reading."""

    group: Group
    kind: str
    detail: str


def answer_of(exchange: Exchange) -> Mapping[str, Any] | None:
    """The JSON object of the only response, if it is a 2xx."""
    if len(exchange.responses) != 1 or not 200 <= exchange.responses[0].status < 300:
        return None
    return exchange.responses[0].json_object()


def told_in(kind: str, answer: Mapping[str, Any]) -> Told:
    """The members that repeat what the plain request of this kind sent."""
    files = [file for file in _entries(answer, "files") if file.get("name") in PLAIN_FILES]
    repeats = {
        "args": _repeats(answer, "args", PLAIN_ARGS),
        "form": kind in ("multipart", "urlencoded") and _repeats(answer, "form", PLAIN_FIELDS),
        "files": kind == "multipart" and bool(files),
        "json": kind == "json" and answer.get("json") == PLAIN_JSON,
        "text": kind == "text" and answer.get("text") == PLAIN_TEXT,
    }
    of_a_file = frozenset(name for name in OF_A_FILE if any(_is_told(name, file.get(name)) for file in files))
    return Told(frozenset(name for name in MEMBERS if repeats[name]), of_a_file)


def _repeats(answer: Mapping[str, Any], member: str, sent: Mapping[str, str]) -> bool:
    """Whether one of the fields is there: a faulty endpoint may lose another."""
    return any(sent.get(str(entry.get("name"))) == entry.get("value") for entry in _entries(answer, member))


def _is_told(member: str, value: Any) -> bool:
    """Whether a member of a file has a value of its type; the value may be wrong."""
    if member == "size":
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    return member != "sha256" or _SHA256.fullmatch(value.lower()) is not None


def is_empty(answer: Mapping[str, Any]) -> bool:
    """Whether an answer tells neither fields nor files."""
    return not _entries(answer, "form") and not _entries(answer, "files")


def differences(right: Mapping[str, Any], answer: Mapping[str, Any], told: Told) -> Iterator[Difference]:
    """Where the answer differs from the `right` reading, in what is told."""
    members = told.members
    # Our servers list a body that is no form as a file without a name.
    right, answer = _without_unnamed_files(right), _without_unnamed_files(answer)
    if told.form_members == {"form", "files"} and is_empty(answer) and _entries_with_content(right) > 1:
        yield Difference(Group.SILENT_LOSS, Kind.EMPTY_FORM, "the form is empty")
        return
    elsewhere = _entries(answer, "form") if "form" in members else []
    for name in ("args", "form"):
        if name in members:
            yield from _field_differences(name, right, answer)
    if "files" in members:
        yield from _file_differences(right, answer, told.of_a_file, elsewhere)
    for name in ("json", "text"):
        # Our servers tell no text of zero bytes, of more than 1 MiB, and that is not UTF-8.
        if name in members and right.get(name) is not None and not _same(right[name], answer.get(name)):
            detail = f"{name}: sent {_shown(right.get(name))}, read as {_shown(answer.get(name))}"
            yield Difference(Group.SILENT_LOSS, Kind.VALUE_CHANGED, detail)


def _entries(value: Mapping[str, Any], member: str) -> Entries:
    entries = as_entries(member, value.get(member))
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _without_unnamed_files(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**value, "files": [file for file in _entries(value, "files") if file.get("name") is not None]}


def without_names(fields: Any, names: frozenset[str]) -> Any:
    """The fields of a query, lists or objects, without those of these names."""
    if isinstance(fields, dict):
        return {name: value for name, value in fields.items() if name not in names}
    if isinstance(fields, list):
        return [each for each in fields if not (isinstance(each, dict) and each.get("name") in names)]
    return fields


def _entries_with_content(right: Mapping[str, Any]) -> int:
    """The number of fields and files, without file inputs in which nothing was chosen."""
    files = [file for file in _entries(right, "files") if file["size"] or file["filename"]]
    return len(_entries(right, "form")) + len(files)


def _by_name(entries: Entries) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        found.setdefault(str(entry.get("name")), []).append(entry)
    return found


def _field_differences(
    member: str, right: Mapping[str, Any], answer: Mapping[str, Any]
) -> Iterator[Difference]:
    sent, read = _by_name(_entries(right, member)), _by_name(_entries(answer, member))
    what = "query field" if member == "args" else "field"
    files = {str(file.get("name")) for file in _entries(right, "files")} if member == "form" else set()
    read_as_files = _by_name(_entries(answer, "files")) if member == "form" else {}
    for name, entries in sent.items():
        values, found = (
            [entry["value"] for entry in entries],
            [each.get("value") for each in read.get(name, [])],
        )
        if values == found:
            continue
        detail = f"{what} {_shown(name)}: sent {_values(values)}, read as {_values(found)}"
        if not found and name in read_as_files:
            yield Difference(Group.READ_DIFFERENTLY, Kind.FIELD_OR_FILE, f"{detail}, and as a file")
        elif not found:
            yield _missing(name, _renamed(name, read, sent), what, detail)
        elif len(found) < len(values):
            yield Difference(Group.SILENT_LOSS, Kind.REPEATED_MISSING, detail)
        elif sorted(map(repr, found)) == sorted(map(repr, values)):
            yield Difference(Group.OTHER, Kind.ORDER, detail)
        else:
            yield Difference(Group.SILENT_LOSS, Kind.VALUE_CHANGED, detail)
    for name in read.keys() - sent.keys() - files:
        if not any(_renamed(each, read, sent) == name for each in sent):
            detail = f"{what} {_shown(name)} was not sent"
            yield Difference(Group.READ_DIFFERENTLY, Kind.INVENTED, detail)


def _missing(name: str, new_name: str | None, what: str, detail: str) -> Difference:
    """A field that was not read, or only under another name."""
    if new_name is None:
        return Difference(Group.SILENT_LOSS, Kind.FIELD_MISSING, detail)
    kind = Kind.BACKSLASHES if _lost_backslashes(name, new_name) else Kind.NAME_CHANGED
    return Difference(Group.SILENT_LOSS, kind, f"{what} {_shown(name)}: read as {_shown(new_name)}")


def _renamed(name: str, read: Mapping[str, Any], sent: Mapping[str, Any]) -> str | None:
    """The only name that was read and not sent, if `name` is the only one that was sent and not read."""
    new, gone = list(read.keys() - sent.keys()), list(sent.keys() - read.keys())
    return new[0] if len(new) == 1 and gone == [name] else None


def _file_differences(
    right: Mapping[str, Any], answer: Mapping[str, Any], told: frozenset[str], fields: Entries
) -> Iterator[Difference]:
    sent, read = _by_name(_entries(right, "files")), _by_name(_entries(answer, "files"))
    sent_fields = {str(field.get("name")) for field in _entries(right, "form")}
    named_fields = {name: of_one for name, of_one in _by_name(fields).items() if name not in sent_fields}
    for name in read.keys() - sent.keys() - sent_fields:
        if not any(_renamed(each, read, sent) == name for each in sent):
            yield Difference(Group.READ_DIFFERENTLY, Kind.INVENTED, f"file {_shown(name)} was not sent")
    for name, files in sent.items():
        found = read.get(name, [])
        if len(found) > len(files):
            detail = f"file {_shown(name)}: {len(files)} sent, {len(found)} read"
            yield Difference(Group.READ_DIFFERENTLY, Kind.INVENTED, detail)
        if not found and name in named_fields:
            yield from map(_as_a_field, files, named_fields[name])
        elif not found and all(file["size"] == 0 and not file["filename"] for file in files):
            detail = f"file input {_shown(name)}, in which nothing was chosen, is left out"
            yield Difference(Group.OTHER, Kind.NOTHING_CHOSEN, detail)
        elif not found and (new := _renamed(name, read, sent)):
            detail = f"file {_shown(name)}: read as {_shown(new)}"
            yield Difference(Group.SILENT_LOSS, Kind.NAME_CHANGED, detail)
        elif len(found) < len(files):
            kind = Kind.REPEATED_MISSING if found else Kind.FILE_MISSING
            detail = f"file {_shown(name)}: {len(files)} sent, {len(found)} read"
            yield Difference(Group.SILENT_LOSS, kind, detail)
        else:
            for one, other in zip(files, found, strict=False):
                yield from _differences_of_one(one, other, told)


def _as_a_field(file: Mapping[str, Any], field: Mapping[str, Any]) -> Difference:
    """A file that was read as a field: the bytes are lost if its text is not theirs."""
    value = field.get("value")
    text = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else b""
    detail = f"file {_shown(file['name'])} is read as a field"
    if hashlib.sha256(text).hexdigest() == file["sha256"]:
        if file["size"] == 0 and not file["filename"]:
            return Difference(Group.OTHER, Kind.NOTHING_CHOSEN, detail)
        if file["filename"] is None:
            return Difference(Group.READ_DIFFERENTLY, Kind.FIELD_OR_FILE, detail)
        return Difference(Group.SILENT_LOSS, Kind.FILENAME_CHANGED, f"{detail}, its filename is lost")
    return Difference(Group.SILENT_LOSS, Kind.BYTES_CHANGED, f"{detail}, and its bytes are changed")


def _differences_of_one(
    sent: Mapping[str, Any], read: Mapping[str, Any], told: frozenset[str]
) -> Iterator[Difference]:
    where = f"file {_shown(sent['name'])}"
    for member in ("size", "sha256"):
        if member in told and read.get(member) != sent[member]:
            size = read.get("size")
            kind = Kind.BYTES_ADDED if isinstance(size, int) and size > sent["size"] else Kind.BYTES_CHANGED
            detail = f"{where}: {member} {_shown(sent[member])} sent, {_shown(read.get(member))} read"
            yield Difference(Group.SILENT_LOSS, kind, detail)
            break
    if "filename" in told and (read.get("filename") or None) != (sent["filename"] or None):
        detail = f"{where}: filename {_shown(sent['filename'])} sent, {_shown(read.get('filename'))} read"
        yield _filename_difference(sent["filename"], read.get("filename"), detail)
    if "content_type" in told and not _same_type(sent["content_type"], read.get("content_type")):
        detail = f"{where}: type {_shown(sent['content_type'])} sent, {_shown(read.get('content_type'))} read"
        yield Difference(Group.SILENT_LOSS, Kind.TYPE_CHANGED, detail)


def _filename_difference(sent: str | None, read: Any, detail: str) -> Difference:
    if _lost_backslashes(sent, read):
        return Difference(Group.SILENT_LOSS, Kind.BACKSLASHES, detail)
    if sent and read and read in (sent.rpartition("/")[2], sent.rpartition("\\")[2]):
        return Difference(Group.OTHER, Kind.PATH_CUT, detail)
    if sent is None:
        return Difference(Group.READ_DIFFERENTLY, Kind.INVENTED, detail)
    return Difference(Group.SILENT_LOSS, Kind.FILENAME_CHANGED, detail)


def _lost_backslashes(sent: Any, read: Any) -> bool:
    return isinstance(sent, str) and "\\" in sent and sent.replace("\\", "") == read


def _same_type(sent: str | None, read: Any) -> bool:
    """Whether a type is told as it was sent, or as its media type alone."""
    if not sent:
        return read is None or str(read).lower() in _NO_TYPE
    told = str(read).strip().lower()
    return told in (sent.strip().lower(), sent.partition(";")[0].strip().lower())


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal. 1 and 1.0 are: not every language tells them apart."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _values(values: Sequence[Any]) -> str:
    return ", ".join(map(_shown, values)) or "nothing"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]} ..."
