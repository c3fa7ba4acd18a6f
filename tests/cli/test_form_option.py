"""-F in curl's spelling."""

from pathlib import Path
from typing import Any

import pytest

from clients.cli.form_option import FormItem, parse_form
from clients.http1.errors import UsageError
from clients.http1.sources import BytesSource, PathSource, Source


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("a=123", FormItem("a", "value", "123")),
        ("a=", FormItem("a", "value", "")),
        ("=1", FormItem("", "value", "1")),
        ("a=b=c", FormItem("a", "value", "b=c")),
        ("a=1;type=text/html", FormItem("a", "value", "1", "text/html")),
        ('a="1;2"', FormItem("a", "value", "1;2")),
        (r'a="q\"b\\"', FormItem("a", "value", 'q"b\\')),
        ("f=@a.txt", FormItem("f", "file", "a.txt")),
        ("f=@-", FormItem("f", "file", "-")),
        ("f=<a.txt", FormItem("f", "text", "a.txt")),
        ("f=@dir/a.txt;filename=x y", FormItem("f", "file", "dir/a.txt", filename="x y")),
        ('f=@"a;b.txt";filename="x;y"', FormItem("f", "file", "a;b.txt", filename="x;y")),
        ("f=@a;filename=", FormItem("f", "file", "a", filename="")),
        (
            'f=@a.txt;type=text;headers="a: b"',
            FormItem("f", "file", "a.txt", "text", headers={"a": "b"}),
        ),
        (
            'f=@a; headers="a: b;c" ;headers=X-D:e',
            FormItem("f", "file", "a", headers={"a": "b;c", "X-D": "e"}),
        ),
        ("f=@a;type=text/plain;charset=utf-8", FormItem("f", "file", "a", "text/plain; charset=utf-8")),
    ],
)
def test_what_is_meant(text: str, item: FormItem) -> None:
    assert parse_form(text) == item


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a", "name=value"),
        ("a=1;b", "quote a value"),
        ("a=1;2=3", "quote a value"),
        ("a=b;c=d", "unknown attribute 'c'"),
        ('a="1', "quoted word"),
        ('a="1"2', "quoted word"),
        ("f=@", "path is empty"),
        ("f=@a;headers=novalue", "headers="),
        ("f=@a;encoder=base64", "unknown attribute 'encoder'"),
    ],
)
def test_what_is_wrong_is_said(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_form(text)


def no_input() -> Source:
    raise AssertionError("standard input is not asked for")


def entry(text: str) -> tuple[Any, ...]:
    return parse_form(text).as_file(no_input)


def test_a_value_is_a_field_without_a_file_name() -> None:
    assert entry("a=1;type=x/y") == ("a", (None, "1", "x/y", {}))


def test_a_file_has_the_last_segment_of_its_path_as_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"hello")
    name, (filename, source, content_type, headers) = entry(f"f=@{path}")
    assert (name, filename, content_type, headers) == ("f", "a.txt", None, {})
    assert isinstance(source, PathSource)
    assert source.length == 5


def test_the_content_of_a_file_as_a_text_field_has_no_file_name(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"hello")
    assert entry(f"f=<{path}")[1][0] is None


def test_standard_input_is_a_file_called_dash() -> None:
    source = BytesSource(b"in")
    assert parse_form("f=@-").as_file(lambda: source) == ("f", ("-", source, None, {}))
