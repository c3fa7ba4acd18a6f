"""The result of a request and its canonical JSON (contract section 3, S11)."""

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.contract.canonical import canonical_json
from servers.contract.description import describe
from servers.contract.request import (
    BasicCredentials,
    FileEntry,
    FormField,
    MediaType,
    OtherCredentials,
    Pair,
    ParsedBody,
    ParsedRequest,
    RequestHead,
)
from tests.contract.heads import head

_KEYS = [
    *(
        "args",
        "auth",
        "body",
        "cookies",
        "files",
        "form",
        "headers",
        "host",
        "json",
        "method",
        "path",
        "target",
    ),
    "text",
]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [1, 2]}, b'{"a":[1,2],"b":1}\n'),
        ({"\u00e9": 1, "z": 2, "A": 3}, b'{"A":3,"z":2,"\\u00e9":1}\n'),
        ("\U0001f600\x7f\0", b'"\\ud83d\\ude00\\u007f\\u0000"\n'),
        (1.10, b"1.1\n"),
        (1e5, b"100000.0\n"),
        (-0.0, b"-0.0\n"),
        (2**64, b"18446744073709551616\n"),
        (None, b"null\n"),
        ("</script>", b'"</script>"\n'),
    ],
)
def test_canonical_json(value: object, text: bytes) -> None:
    assert canonical_json(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_a_value_that_json_cannot_express_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(value)


@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(), max_size=8),
    st.randoms(),
)
def test_the_order_of_insertion_does_not_matter(value: dict[str, int], rng: random.Random) -> None:
    items = list(value.items())
    rng.shuffle(items)
    written = canonical_json(value)
    assert canonical_json(dict(items)) == written
    assert written.isascii()
    assert json.loads(written) == value


def _describe(body: ParsedBody, request_head: RequestHead | None = None) -> dict[str, object]:
    written = describe(ParsedRequest(request_head or head(), body))
    described: dict[str, object] = json.loads(written)
    assert canonical_json(described) == written, "the result is not canonical JSON"
    return described


def test_all_keys_are_always_present() -> None:
    described = _describe(ParsedBody())
    assert sorted(described) == _KEYS
    assert described["body"] == {
        "kind": "none",
        "media_type": None,
        "parameters": [],
        "size": 0,
        "sha256": None,
    }
    assert [described[key] for key in ("text", "json", "auth", "form", "files", "args")] == [
        None,
        None,
        None,
        [],
        [],
        [],
    ]


def test_the_head_is_described_as_it_was_read() -> None:
    request_head = RequestHead(
        "GET", "/%41?b=1", "/A", None, (Pair("b", "1"), Pair("b", "")), (Pair("x", "1,2"),), (Pair("", "c"),),
        BasicCredentials("u", "p"), None, False, "A",
    )  # fmt: skip
    described = _describe(ParsedBody(), request_head)
    assert (described["method"], described["target"], described["path"], described["host"]) == (
        "GET",
        "/%41?b=1",
        "/A",
        None,
    )
    assert described["args"] == [{"name": "b", "value": "1"}, {"name": "b", "value": ""}]
    assert described["headers"] == [{"name": "x", "value": "1,2"}]
    assert described["cookies"] == [{"name": "", "value": "c"}]
    assert described["auth"] == {"scheme": "basic", "username": "u", "password": "p"}


def test_other_credentials_are_described_verbatim() -> None:
    described = _describe(ParsedBody(), head(auth=OtherCredentials("bearer", "t")))
    assert described["auth"] == {"scheme": "bearer", "credentials": "t"}


def test_fields_and_files_are_described_with_their_index() -> None:
    headers = (Pair("x", "1"), Pair("x", "2"))
    body = ParsedBody(
        "multipart",
        MediaType("multipart/form-data", (Pair("boundary", "b"),)),
        99,
        form=(FormField(1, "n", "v", headers),),
        files=(
            FileEntry(0, "f", None, None, (), 3, "ab", stored=False),
            FileEntry(2, None, "g", "a/b", headers, 0, "cd", stored=True),
        ),
    )
    described = _describe(body)
    shown = [{"name": "x", "value": "1"}, {"name": "x", "value": "2"}]
    assert described["form"] == [{"index": 1, "name": "n", "value": "v", "headers": shown}]
    assert described["files"] == [
        {
            **{"index": 0, "name": "f", "filename": None, "content_type": None, "headers": []},
            **{"size": 3, "sha256": "ab", "href": None},
        },
        {
            **{"index": 2, "name": None, "filename": "g", "content_type": "a/b", "headers": shown},
            **{"size": 0, "sha256": "cd", "href": "/files/cd"},
        },
    ]
    assert described["body"] == {
        **{"kind": "multipart", "media_type": "multipart/form-data", "size": 99, "sha256": None},
        "parameters": [{"name": "boundary", "value": "b"}],
    }


@pytest.mark.parametrize(("fields", "size"), [(4, 100), (5, 1), (1, 10_000)], ids=["few", "many", "long"])
def test_part_headers_of_all_sizes_are_described(fields: int, size: int) -> None:
    headers = tuple(Pair(f"x-{number}", "v" * size) for number in range(fields))
    for _ in range(2):
        described = _describe(ParsedBody("multipart", form=(FormField(0, "n", "v", headers),)))
        assert described["form"] == [
            {
                **{"index": 0, "name": "n", "value": "v"},
                "headers": [{"name": name, "value": value} for name, value in headers],
            }
        ]


@given(st.text(), st.text())
def test_any_text_is_written_as_an_encoder_writes_it(name: str, value: str) -> None:
    pair = Pair(name, value)
    body = ParsedBody("form", text=value, json={name: value}, form=(FormField(0, name, value, (pair,)),))
    described = _describe(body, replace(head(), args=(pair,), cookies=(pair,)))
    assert (described["text"], described["json"]) == (value, {name: value})
    assert described["args"] == described["cookies"] == [{"name": name, "value": value}]
