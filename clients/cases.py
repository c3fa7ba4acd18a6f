"""python clients/cases.py list|show: the cases of compare, what each sends, and what it expects."""

import dataclasses
import json
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

if not __package__:  # run by its path: load it through its package, so that relative imports work
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import_module("clients.cases").main()

import click

from .cli.version_option import version_option
from .comparison.cases import BACKEND_TIERS, RULES, Case, CaseError
from .comparison.expectation import ExpectedResponse
from .comparison.known_differences import KNOWN_DIFFERENCES, KnownDifference
from .comparison.options import known_differences_in
from .comparison.rendering import INDENT, show_request
from .comparison.runner import load_all_cases
from .comparison.stream_cases import LiveExpectation

_SHOWN_LINES = 200
_NAME_COLUMNS = 40  # on a terminal: the few longer names push their titles to the right
_MOST_SUGGESTED = 8
_EPILOG = "Exit status: 0, or 2 for wrong usage, which includes a name that no case has."


@click.group(epilog=_EPILOG)
@version_option("wireproof cases")
def main() -> None:
    """List the cases of compare, or show one of them."""


@main.command("list", epilog=_EPILOG)
@click.option("--cases", "pattern", default="*", metavar="GLOB", help="Only cases with such a name.")
def list_cases(pattern: str) -> None:
    """Print one line for each case: its name, tier, client if that is not `raw`, and title.

    On a terminal titles are shortened to its width.
    """
    cases = _load(pattern)
    longest = max(len(case.name) for case in cases)
    terminal = sys.stdout.isatty()
    columns = shutil.get_terminal_size().columns if terminal else 0
    for case in cases:
        client = "" if case.client == "raw" else f"({case.client}) "
        name = case.name.ljust(min(longest, _NAME_COLUMNS) if terminal else longest)
        line = f"{name}  T{case.tier}  {client}{case.title}"
        click.echo(f"{line[: columns - 1]}…" if terminal and len(line) > columns else line)


@main.command("show", epilog=_EPILOG)
@click.argument("name")
def show_case(name: str) -> None:
    """Show the case NAME: its request, its rules, and what is expected of every backend.

    Each line of the request ends with CRLF. A byte that is not printable ASCII is shown as \\xNN. Long lines
    and long requests are shortened.
    """
    all_cases = _load("*")
    cases = [case for case in all_cases if case.name == name]
    if not cases:
        raise click.UsageError(_no_such_case(name, {case.name for case in all_cases}))
    known = known_differences_in(KNOWN_DIFFERENCES, all_cases)
    entries = [entry for entry in known.values() if entry.case == name]
    click.echo("\n\n".join("\n".join(_description(case, entries)) for case in cases))


def _load(pattern: str) -> list[Case]:
    """The cases of all clients. Raises UsageError when they cannot be loaded, or none matches."""
    try:
        cases = load_all_cases(pattern=pattern)
    except CaseError as error:
        raise click.UsageError(str(error)) from None
    if not cases:
        raise click.UsageError(f"no case matches {pattern!r}")
    return cases


def _no_such_case(name: str, names: set[str]) -> str:
    """A message with names that are like `name` or contain it."""
    close = get_close_matches(name, sorted(names), n=_MOST_SUGGESTED)
    containing = sorted(other for other in names if name and name in other)
    found = list(dict.fromkeys([*close, *containing]))[:_MOST_SUGGESTED]
    like = f" Similar names: {', '.join(found)}." if found else ""
    return f"there is no case {name!r}.{like} `wireproof cases list` lists all names."


def _description(case: Case, known_differences: list[KnownDifference]) -> Iterator[str]:
    backends = ", ".join(name for name, tier in BACKEND_TIERS.items() if case.tier <= tier)
    yield f"{case.name}: {case.title}"
    yield f"client: {case.client}"
    yield f"tier: T{case.tier}, sent to {backends}"
    yield "rules:"
    yield from (f"    {rule}: {_rules()[rule]['says']}" for rule in case.rules)
    if case.store:
        yield f"stored before: {', '.join(case.store)}"
    if case.splits:
        yield f"also sent split at: {', '.join(map(str, case.splits))}"
    yield f"request ({len(case.request):,} bytes):"
    shown = show_request(case.request, _SHOWN_LINES, size_format=",d").splitlines()
    yield from ("" if line == INDENT else line for line in shown)
    yield "expected:"
    yield from (f"    {line}" for line in _expected(case))
    if known_differences:
        yield "known differences:"
    for entry in known_differences:
        given = "closed without a response" if entry.closed else f"status {entry.status}"
        yield f"    {entry.backend}: {given} ({entry.rule}: {entry.reason})"


def _expected(case: Case) -> Iterator[str]:
    """What is expected, in the words of `comparison.expectation`."""
    if case.expect.closed:
        yield "the connection closes without a response"
    for response in case.expect.responses:
        if response.refused:
            yield "any refusal (4xx)"
        else:
            yield from json.dumps(_asked(response), indent=2, ensure_ascii=False).splitlines()
    if isinstance(case.expect, LiveExpectation):
        yield f"a real stream, with an event every {case.expect.delay:g} s"
    if case.expect.continues is not None:
        yield f"interim responses before it: {case.expect.continues}"
    if case.expect.extra:
        yield "further responses may follow"


def _asked(response: ExpectedResponse) -> dict[str, Any]:
    values = dataclasses.asdict(response)
    return {name: value for name, value in values.items() if value is not None and name != "refused"}


@cache
def _rules() -> Mapping[str, Any]:
    return tomllib.loads(RULES.read_text("utf-8"))


if __name__ == "__main__":
    main()
