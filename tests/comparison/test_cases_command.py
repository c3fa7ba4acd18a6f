"""The command cases: it lists every case, and shows the request, the rules and the expectation of one."""

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from clients import cases
from clients.comparison.runner import load_all_cases
from clients.launch import PROJECT_ROOT


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cases.main, arguments)


def test_the_list_has_a_line_for_each_case() -> None:
    result = run("list")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == len(load_all_cases())


def test_the_list_can_be_limited_by_name() -> None:
    result = run("list", "--cases", "post-form")
    assert [line.split()[:3] for line in result.output.splitlines()] == [
        ["post-form", "T1", "(socket)"],
        ["post-form", "T1", "(requests)"],
    ]


def test_the_list_begins_with_the_names_and_is_aligned() -> None:
    lines = run("list").output.splitlines()
    assert lines[0].split()[:2] == ["100-fields", "T2"]
    assert lines[0].endswith("  T2  Exactly as many fields as are allowed.")
    assert len({re.search("  T[123]  ", line).start() for line in lines}) == 1  # type: ignore[union-attr]
    assert max(map(len, lines)) > 100


@pytest.mark.parametrize("columns", [80, 60])
def test_on_a_terminal_a_line_is_as_wide_as_the_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    cases.main(["list"], standalone_mode=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(load_all_cases())
    assert max(map(len, lines)) == columns
    assert any(line.endswith("…") for line in lines)


@pytest.mark.parametrize(
    ("name", "similar"),
    [
        ("filename-ext", "filename-ext-in-quotes"),
        ("100-feilds", "100-fields"),
        ("stream", "live-stream"),
    ],
)
def test_a_name_that_no_case_has_gives_similar_names(name: str, similar: str) -> None:
    result = run("show", name)
    said = " ".join(result.output.split())
    assert result.exit_code == 2
    assert f"there is no case '{name}'. Similar names: " in said
    assert similar in said
    assert said.endswith("`wireproof cases list` lists all names.")


def test_a_name_like_no_other_gives_none() -> None:
    assert (
        "there is no case 'zzzzzz'. `wireproof cases list` lists all names." in run("show", "zzzzzz").output
    )


@pytest.mark.parametrize("name", ["disposition-without-name", "post-form", "file-of-all-bytes"])
def test_a_shown_case_has_no_trailing_blanks_and_no_empty_last_line(name: str) -> None:
    output = run("show", name).output
    assert output.endswith("\n")
    assert not output.endswith("\n\n")
    assert not [line for line in output.splitlines() if line != line.rstrip()]


def test_sizes_of_a_shown_case_have_separators() -> None:
    large = next(case for case in load_all_cases() if len(case.request) > 10_000 and case.client == "raw")
    assert f"request ({len(large.request):,} bytes):" in run("show", large.name).output


def test_a_case_is_shown_with_its_rules_and_its_known_differences() -> None:
    result = run("show", "absolute-form-without-host")
    assert result.exit_code == 0
    for text in (
        "tier: T1, sent to flask, ",
        "    H24: HTTP/1.1 without Host is 400",
        "    GET http://localhost:8000/ HTTP/1.1",
        '      "code": "bad_host"',
        "    flask: status 200 (H24: The development server",
    ):
        assert text in result.output


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("live-stream", "a real stream, with an event every 0.1 s"),
        ("bare-lf-between-field-lines", "\\x0a"),
        ("post-json", "client: requests"),
        ("file-of-all-bytes", "\\x00\\x01"),
    ],
)
def test_every_kind_of_case_is_shown(name: str, text: str) -> None:
    assert text in run("show", name).output


def test_any_refusal_and_a_close_are_said_in_words() -> None:
    refused = next(case.name for case in load_all_cases() if case.expect.refused)
    closed = next(case.name for case in load_all_cases() if case.expect.closed)
    assert "any refusal (4xx)" in run("show", refused).output
    assert "the connection closes without a response" in run("show", closed).output


@pytest.mark.parametrize("arguments", [("show", "nonesuch"), ("list", "--cases", "nonesuch"), ("show",)])
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_it_runs_as_a_script() -> None:
    script = str(PROJECT_ROOT / "clients" / "cases.py")
    done = subprocess.run([sys.executable, script, "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("wireproof cases, version ")
