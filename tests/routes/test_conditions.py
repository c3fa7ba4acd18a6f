"""Preconditions of a request for a stored file (RFC 9110 13; rules W3 and W4)."""

import hashlib

import pytest
from hypothesis import given
from hypothesis.strategies import lists, sampled_from

from servers.contract.problems import Problem
from servers.contract.request import ParsedBody, ParsedRequest
from servers.contract.responses import Response
from servers.routes.files import send_file
from servers.settings import Settings
from servers.storage.memory import MemoryStore
from tests.contract.heads import head

_CONTENT = b"0123456789"
_SHA256 = hashlib.sha256(_CONTENT).hexdigest()
_ETAG = f'"{_SHA256}"'
_OTHER = '"other"'
_NAMES = "if-match", "if-none-match", "if-range"


def _get(fields: dict[str, str], *, method: str = "GET", sha256: str = _SHA256) -> Response:
    store = MemoryStore()
    store.add({_SHA256: _CONTENT})
    request = ParsedRequest(head(method, f"/files/{sha256}", fields=fields), ParsedBody())
    return send_file(request, Settings().context(store))


def _status(fields: dict[str, str], *, method: str = "GET", sha256: str = _SHA256) -> int:
    try:
        response = _get(fields, method=method, sha256=sha256)
    except Problem as problem:
        return problem.status
    response.close()
    return response.status


# Lists that follow the grammar, with the tags that are in them.
_LISTS = {
    _ETAG: [_ETAG],
    f"W/{_ETAG}": [f"W/{_ETAG}"],
    f'"a", {_ETAG}': ['"a"', _ETAG],
    f'"a",\tW/{_ETAG} ,"b"': ['"a"', f"W/{_ETAG}", '"b"'],
    f', ,\t{_ETAG} ,,"a",': [_ETAG, '"a"'],
    '"a,b"': ['"a,b"'],
    '"a,*,b"': ['"a,*,b"'],
    f'"a,b",{_ETAG}': ['"a,b"', _ETAG],
    f'"a\\",{_ETAG}': ['"a\\"', _ETAG],
    f'"",{_ETAG}': ['""', _ETAG],
    f'"\x80\xff!#~",{_ETAG}': ['"\x80\xff!#~"', _ETAG],
    '"*"': ['"*"'],
    'W/"*"': ['W/"*"'],
    f'"{_SHA256.upper()}"': [f'"{_SHA256.upper()}"'],
    "": [],
    ",": [],
    " , \t,": [],
}
_MALFORMED = [
    *("W/*", "garbage", "garbage, *", "*, *", '*, "a"', '"a", *', '"a,*', "W/", '"', "* *", "**", "'a'"),
    *(f"{_ETAG} {_ETAG}", f"{_ETAG}{_ETAG}", f"{_ETAG};", f"garbage, {_ETAG}", f"{_ETAG}, garbage"),
    *(_SHA256, _ETAG[:-1], _ETAG[1:], f"w/{_ETAG}", f"W/ {_ETAG}", f"W {_ETAG}", f'"a b", {_ETAG}'),
    *(f'"a\tb", {_ETAG}', f"\x0b{_ETAG}", f"{_ETAG}\xa0", f'"\u0100", {_ETAG}', f'"a""b", {_ETAG}'),
]


@pytest.mark.parametrize("value", [*_LISTS, "*"])
def test_w3_if_match_compares_strongly(value: str) -> None:
    matches = value == "*" or _ETAG in _LISTS[value]
    assert _status({"if-match": value}) == (200 if matches else 412)
    assert _status({"if-match": value}, method="HEAD") == (200 if matches else 412)


@pytest.mark.parametrize("value", [*_LISTS, "*"])
def test_w4_if_none_match_compares_weakly(value: str) -> None:
    matches = value == "*" or _ETAG in [tag.removeprefix("W/") for tag in _LISTS[value]]
    assert _status({"if-none-match": value}) == (304 if matches else 200)
    assert _status({"if-none-match": value}, method="HEAD") == (304 if matches else 200)


@pytest.mark.parametrize("value", _MALFORMED)
def test_w4_a_malformed_list_is_ignored(value: str) -> None:
    assert (_status({"if-match": value}), _status({"if-none-match": value})) == (200, 200)


@given(lists(sampled_from([_ETAG, f"W/{_ETAG}", '"a"', "*", '"', "W/", ",", " ", "\t", "a", "\x80"])))
def test_w4_a_list_is_read_like_a_reader_of_single_characters_reads_it(pieces: list[str]) -> None:
    value = "".join(pieces).strip(" \t")
    tags = ["*"] if value == "*" else _scanned(value)
    wanted = (200, 200)
    if tags is not None:
        weakly = {tag.removeprefix("W/") for tag in tags}
        matched = "*" in tags or _ETAG in tags, "*" in tags or _ETAG in weakly
        wanted = 200 if matched[0] else 412, 304 if matched[1] else 200
    assert (_status({"if-match": value}), _status({"if-none-match": value})) == wanted


def _scanned(value: str) -> list[str] | None:
    """The tags of a list, character by character; None when it is malformed."""
    tags, rest, after_tag = [], value, False
    while rest:
        start = 2 if rest.startswith('W/"') else 0
        end = rest.find('"', start + 1)
        if rest[0] in ", \t":
            after_tag = after_tag and rest[0] != ","
            rest = rest[1:]
        elif after_tag or rest[start] != '"' or end < 0 or set(rest[start:end]) & set(" \t"):
            return None
        else:
            tags.append(rest[: end + 1])
            rest, after_tag = rest[end + 1 :], True
    return tags


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({"if-match": _OTHER, "if-none-match": _ETAG}, 412, id="If-Match before If-None-Match"),
        pytest.param({"if-match": _ETAG, "if-none-match": _ETAG}, 304, id="then If-None-Match"),
        pytest.param({"if-match": _OTHER, "range": "bytes=0-0"}, 412, id="If-Match before Range"),
        pytest.param({"if-match": _OTHER, "range": "bytes=99-"}, 412, id="If-Match before a 416"),
        pytest.param({"if-none-match": "*", "range": "bytes=99-"}, 304, id="If-None-Match before a 416"),
        pytest.param({"if-match": _ETAG, "range": "bytes=0-0"}, 206, id="then Range"),
        pytest.param({"if-match": _ETAG, "range": "bytes=99-"}, 416, id="then a 416"),
        pytest.param(
            {"if-match": "x", "if-none-match": _ETAG}, 304, id="a malformed If-Match decides nothing"
        ),
    ],
)
def test_w3_the_order_of_preconditions(fields: dict[str, str], status: int) -> None:
    """RFC 9110 13.2.2."""
    assert _status(fields) == status


@pytest.mark.parametrize("date", ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "x"])
def test_w3_dates_are_ignored_because_a_stored_file_has_none(date: str) -> None:
    """RFC 9110 13.1.3 and 13.1.4. So no response may show a date."""
    for name in ("if-modified-since", "if-unmodified-since"):
        response = _get({name: date})
        response.close()
        assert response.status == 200
        assert "Last-Modified" not in dict(response.headers)
    assert _status({"if-none-match": _ETAG, "if-modified-since": date}) == 304
    assert _status({"if-match": _OTHER, "if-unmodified-since": date}) == 412


@pytest.mark.parametrize("value", ["*", _ETAG, _OTHER])
@pytest.mark.parametrize("name", _NAMES)
def test_w3_preconditions_are_ignored_where_there_is_no_file(name: str, value: str) -> None:
    """RFC 9110 13.2.1: only a response that would be a 2xx without them has preconditions."""
    assert _status({name: value}, sha256="0" * 64) == 404


@pytest.mark.parametrize(
    ("if_range", "status"),
    [
        (_ETAG, 206),
        *((f"W/{_ETAG}", 200), (_OTHER, 200), ("", 200), ("*", 200), (_SHA256, 200)),
        *((f"{_ETAG}, {_ETAG}", 200), (f"{_ETAG},", 200), ("Wed, 21 Oct 2015 07:28:00 GMT", 200)),
    ],
)
def test_if_range_is_one_strong_tag(if_range: str, status: int) -> None:
    """RFC 9110 13.1.5."""
    assert _status({"range": "bytes=0-1", "if-range": if_range}) == status


def test_if_range_without_a_match_ignores_a_range_outside_of_the_file() -> None:
    assert _status({"range": "bytes=99-", "if-range": _OTHER}) == 200


def test_a_304_has_the_fields_that_a_cache_needs() -> None:
    """RFC 9110 15.4.5."""
    response = _get({"if-none-match": _ETAG})
    assert response.content_length is None
    assert [name for name, _ in response.headers] == ["ETag", "Cache-Control", "Wireproof-Contract"]


@pytest.mark.parametrize("piece", ['"a",', '"', " ", ",", " ,", 'W/"', '"a" ', "W/", ' "a" \t,'])
def test_w4_the_longest_list_is_read_in_one_pass(piece: str) -> None:
    """A field line has at most 8190 bytes. A reader that goes back would never end."""
    value = (piece * 8190)[:8190] + "x"
    assert [_status({name: value}) for name in ("if-match", "if-none-match")] == [200, 200]
